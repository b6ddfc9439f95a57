"""Faults of the real world between the gateway and a real server, and of the machine that it runs on."""

import os
import random
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from corpus import message

from postern_testing.client import Client, Closed, eventually
from postern_testing.dovecot import Dovecot
from postern_testing.fault_proxy import FaultProxy, cut_after, dribble, silence_after
from postern_testing.gateway import Gateway, backend, binary, configuration, imap_backend
from postern_testing.process import dies_with_parent, group_members

PASSWORD = "secret"
ROADS = ("pop3", "imap")
UNAVAILABLE = b"-ERR [SYS/TEMP]"
SOON = {"connect_timeout": "1s", "greeting_timeout": "1s", "login_timeout": "1s", "command_timeout": "1s"}
CUTS = 12  # random places for each way to end
# One for each cut: a message of which connections die again and again is refused.
TEXTS = [message(f"number {n}", b".dot\n" + b"line %d of many\n" % n * 60 * n) for n in range(1, CUTS + 1)]


def wire(text: bytes) -> bytes:
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in text.split(b"\n"))


@dataclass
class Scene:
    """One user's mailbox in Dovecot, a proxy that can do harm, the gateway."""

    store: Dovecot
    proxy: FaultProxy
    gateway: Gateway
    user: str

    def client(self) -> Client:
        return Client(self.gateway.ports["plain"])

    def logged_in(self) -> Client:
        client = self.client()
        answer = client.login(self.user, PASSWORD)
        assert answer.startswith(b"+OK"), answer
        return client

    def left(self) -> int:
        """Messages that Dovecot has, asked past the gateway."""
        with self.store.imap(self.user) as imap:
            return int(imap.select("INBOX", readonly=True)[1][0])


@pytest.fixture(scope="module")
def store(dovecot_root) -> Iterator[Dovecot]:
    users = {f"u{n}": PASSWORD for n in range(200)}
    with Dovecot(dovecot_root, users) as running:
        yield running


@pytest.fixture
def free_users() -> Iterator[str]:
    return FREE_USERS


FREE_USERS = (f"u{n}" for n in range(200))  # each test has a mailbox of its own


def start_gateway(stack: ExitStack, folder: Path, certificates, row: dict, **changes) -> Gateway:
    certificates.ecdsa.place(folder)
    config = configuration([row], folder, **changes)
    running = stack.enter_context(Gateway(config, folder))
    running.config = config
    return running


@pytest.fixture(params=ROADS)
def scene(request, store, free_users, started, tmp_path, certificates) -> Scene:
    user = next(free_users)
    store.fill(user, TEXTS)
    port = store.ports.pop3 if request.param == "pop3" else store.ports.imap
    proxy = started.enter_context(FaultProxy(port))
    row = (backend if request.param == "pop3" else imap_backend)(proxy.port, **SOON)
    return Scene(store, proxy, start_gateway(started, tmp_path, certificates, row), user)


def whole_or_ended(client: Client, number: int) -> bool:
    """Law L1: the message is complete and right, or there is no terminator. Whether it is complete."""
    try:
        status, text = client.command_multi(f"RETR {number}")
    except Closed as closed:
        assert not closed.received.endswith(b"\r\n.\r\n")
        assert wire(TEXTS[number - 1]).startswith(closed.received)
        return False
    if not status.startswith(b"+OK"):
        assert status.startswith(UNAVAILABLE), status
        return False
    assert text == wire(TEXTS[number - 1])
    return True


@pytest.mark.parametrize("end", ["reset", "close"])
def test_cut_anywhere_in_a_message(scene, end):
    dice = random.Random(f"cut {end}")
    complete = 0
    for number in range(1, CUTS + 1):
        scene.proxy.reset()
        with scene.logged_in() as client:
            scene.proxy.rule = cut_after(dice.randrange(1, len(TEXTS[number - 1]) * 2), scene.proxy, end)
            complete += whole_or_ended(client, number)
    assert 0 < complete < CUTS, "the cuts were all on one side of the message's end"
    scene.proxy.reset()
    with scene.logged_in() as client:
        assert whole_or_ended(client, 5)
    assert scene.left() == len(TEXTS)


@pytest.mark.parametrize("end", ["reset", "close"])
def test_cut_anywhere_in_a_login(scene, end):
    dice = random.Random(f"login {end}")
    refused = 0
    for _ in range(CUTS):
        scene.proxy.reset()
        scene.proxy.rule = cut_after(dice.randrange(400), scene.proxy, end)
        with scene.client() as client:
            answer = client.login(scene.user, PASSWORD)
            assert answer.startswith((b"+OK", UNAVAILABLE)), answer
            refused += not answer.startswith(b"+OK")
    assert refused
    scene.proxy.reset()
    with scene.logged_in() as client:
        assert client.command("STAT").startswith(b"+OK %d " % len(TEXTS))


def test_silence_inside_a_message(scene):
    with scene.logged_in() as client:
        scene.proxy.rule = silence_after(600)
        begin = time.monotonic()
        assert not whole_or_ended(client, 5)
        assert time.monotonic() - begin < 10


def test_server_that_dribbles_is_waited_for(scene):
    scene.proxy.rule = dribble(0.02)
    with scene.logged_in() as client:
        for number in range(1, 6):
            assert whole_or_ended(client, number)


def test_garbage_instead_of_a_greeting(scene):
    scene.proxy.rule = lambda octets, _: bytes(range(256)) * 4
    with scene.client() as client:
        assert client.login(scene.user, PASSWORD).startswith(UNAVAILABLE)


def test_garbage_inside_a_session(scene):
    dice = random.Random("garbage")
    for _ in range(CUTS):
        scene.proxy.reset()
        with scene.logged_in() as client:
            scene.proxy.rule = lambda octets, _: dice.randbytes(len(octets))
            try:
                answer = client.command("UIDL" if dice.random() < 0.5 else "TOP 5 3")
                assert answer.startswith((b"-ERR", b"+OK"))
            except Closed:
                pass
    scene.proxy.reset()
    with scene.logged_in() as client:
        assert whole_or_ended(client, 5)


# What removes: QUIT at a POP3 server, UID EXPUNGE at an IMAP server.
REMOVAL = {"pop3": b"QUIT", "imap": b"EXPUNGE"}


@pytest.mark.parametrize("when", ["at_command", "after_command"])
def test_reset_at_the_removal(scene, request, when):
    """All that was named, or nothing; and the client is not told that it went well when it did not."""
    road = request.node.callspec.params["scene"]
    with scene.logged_in() as client:
        assert client.command("DELE 2").startswith(b"+OK")
        assert client.command("DELE 4").startswith(b"+OK")
        setattr(scene.proxy, when, REMOVAL[road])
        try:
            answer = client.command("QUIT")
        except Closed:
            answer = b""
    scene.proxy.reset()
    eventually(lambda: scene.gateway.events("session_end"), "the session ends")
    time.sleep(0.2)  # what the server still does
    left = scene.left()
    assert left in (len(TEXTS) - 2, len(TEXTS))
    if answer.startswith(b"+OK"):
        assert left == len(TEXTS) - 2
    if road == "imap" and when == "at_command":  # a connection that was lost is taken up again
        assert answer.startswith(b"+OK") == (left == len(TEXTS) - 2)
    with scene.logged_in() as client:
        assert client.command("STAT").split()[1] == b"%d" % left


def test_server_that_is_stopped(scene):
    """SIGSTOP: connections are made by its kernel, and nobody says anything on them."""
    group = scene.store.process.pid
    members = group_members(os.getpgid(group))
    with scene.logged_in() as waiting:
        for member in members:
            os.kill(member, signal.SIGSTOP)
        try:
            with scene.client() as client:
                begin = time.monotonic()
                assert client.login(scene.user, PASSWORD).startswith(UNAVAILABLE)
                assert time.monotonic() - begin < 10
            assert scene.gateway.get("/healthz")[0] == 200
        finally:
            for member in members:
                os.kill(member, signal.SIGCONT)
        try:
            waiting.command("NOOP")
        except Closed:
            pass
    with scene.logged_in() as client:
        assert whole_or_ended(client, 1)


def test_descriptors_run_out(scene):
    """Accepting waits without spinning, those who are there go on, and it recovers."""
    process = scene.gateway.process.pid
    with scene.logged_in() as client:
        open_now = len(os.listdir(f"/proc/{process}/fd"))
        before = resource.prlimit(process, resource.RLIMIT_NOFILE)
        resource.prlimit(process, resource.RLIMIT_NOFILE, (open_now + 4, before[1]))
        waiting = [socket.create_connection(("127.0.0.1", scene.gateway.ports["plain"])) for _ in range(40)]
        scene.gateway.wait_for_event("accept_failed")
        begin = cpu_seconds(process)
        time.sleep(1.0)
        assert cpu_seconds(process) - begin < 0.4, "it spins"
        assert client.command("NOOP").startswith(b"+OK")
        for connection in waiting:
            connection.close()
        eventually(lambda: can_log_in(scene), "it accepts again")
        resource.prlimit(process, resource.RLIMIT_NOFILE, before)
        assert whole_or_ended(client, 1)


def can_log_in(scene: Scene) -> bool:
    try:
        with scene.client() as client:
            return client.login(scene.user, PASSWORD).startswith(b"+OK")
    except (Closed, OSError):
        return False


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_log_that_nobody_reads(store, free_users, tmp_path):
    """The log's pipe is full: sessions go on, and the end does not wait for it."""
    user = next(free_users)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = configuration([backend(store.ports.pop3)], tmp_path, log={"level": "debug"})
    plain = {"name": "plain", "bind": f"127.0.0.1:{port}", "tls": "none", "require_tls_for_auth": False}
    del config["tls"]
    file = Gateway({**config, "listeners": [plain]}, tmp_path).file
    process = subprocess.Popen(
        dies_with_parent([str(binary()), "-c", str(file)]), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    try:
        eventually(lambda: listens(port), "it listens")
        for _ in range(300):  # hundreds of octets each, and 64 KiB a pipe
            with Client(port) as client:
                assert client.login(user, PASSWORD).startswith(b"+OK")
                assert client.command("QUIT").startswith(b"+OK")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_full_disk(store, free_users, started, tmp_path, certificates):
    """The store's file cannot grow: logins take longer, and no more."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount")
    started.callback(subprocess.run, ["umount", "-l", disk], check=True)
    user = next(free_users)
    store.fill(user, TEXTS)
    gateway = start_gateway(
        started, tmp_path, certificates, imap_backend(store.ports.imap), store={"file": str(disk / "store")}
    )
    gateway.wait_for_event("store_opened")
    with pytest.raises(OSError), open(disk / "ballast", "wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(512))
    scene = Scene(store, None, gateway, user)
    ids = []
    for _ in range(3):
        with scene.logged_in() as client:
            ids.append(client.command_multi("UIDL"))
            assert client.command("QUIT").startswith(b"+OK")
    assert ids[0] == ids[1] == ids[2]
    gateway.wait_for_event("store_trouble")


@pytest.mark.skipif(os.geteuid() != 0, reason="root is stopped by no permission")
def test_store_that_cannot_be_written(store, free_users, started, tmp_path, certificates):
    """runtime.user may not write the folder: the start says so, and mail is served."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path("/tmp"):
            break
        folder.chmod(folder.stat().st_mode | 0o011)
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    user = next(free_users)
    store.fill(user, TEXTS)
    gateway = start_gateway(
        started,
        tmp_path,
        certificates,
        imap_backend(store.ports.imap),
        runtime={"user": "nobody"},
        store={"file": str(state / "store")},
    )
    gateway.wait_for_event("store_trouble")
    with Scene(store, None, gateway, user).logged_in() as client:
        assert whole_or_ended(client, 5)


def test_name_that_stops_to_resolve(store, free_users, started, tmp_path, certificates):
    """A server behind a name that does not exist is one that is away."""
    row = backend(store.ports.pop3)
    row["servers"] = [{"host": "nowhere.invalid", "port": 110}, {"host": "127.0.0.1", "port": store.ports.pop3}]
    user = next(free_users)
    store.fill(user, TEXTS)
    scene = Scene(store, None, start_gateway(started, tmp_path, certificates, row), user)
    with scene.logged_in() as client:
        assert whole_or_ended(client, 1)
    row["servers"].pop()
    assert scene.gateway.reload(scene.gateway.config)["result"] == "ok"
    with scene.client() as client:
        assert client.login(user, PASSWORD).startswith(UNAVAILABLE)
