"""Going away politely: a new process takes the listening sockets over, a reload, a drain, each under load. No connection is
refused, and no message is cut."""

import ctypes
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from postern_testing.client import Client, Closed, eventually
from postern_testing.gateway import DEADLINE, Gateway, binary, imap_backend
from postern_testing.scripted import Store

SET_CHILD_SUBREAPER = 36  # prctl(2): the process that takes over is the child of one that has ended
MESSAGE = b"Subject: long\r\n\r\n" + b"a line of a message that takes a while\r\n" * 3000


@pytest.fixture(autouse=True)
def reaper():
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1)


@pytest.fixture
def folder(tmp_path) -> Path:
    """For the control socket: a path of a socket has 107 octets at most."""
    made = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    yield made
    subprocess.run(["rm", "-rf", made], check=True)


class Next:
    """The process that has taken over, and what it logs."""

    def __init__(self, running: Gateway, log: Path) -> None:
        self.log = log
        with open(log, "wb") as output:
            self.asked = subprocess.run(
                [binary(), "takeover", "-c", running.file],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=DEADLINE,
                check=False,
            )
        # The log comes when it comes; nobody started where the takeover failed.
        self.pid = eventually(self._started, "it says its pid") if self.asked.returncode == 0 else 0

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def _started(self) -> int:
        lines = [line for line in self.log.read_text().splitlines(keepends=True) if "event=started" in line]
        return int(lines[0].split("pid=")[1].split()[0]) if lines and lines[0].endswith("\n") else 0

    def end(self) -> int:
        """By SIGTERM; the exit status."""
        assert self.pid, self.lines()  # 0 would be everybody in this group of processes
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        raise AssertionError("it does not end: " + self.log.read_text())

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


@pytest.fixture
def take_over(started, tmp_path):
    count = iter(range(100))

    def start(running: Gateway) -> Next:
        successor = Next(running, tmp_path / f"next-{next(count)}.log")
        started.callback(successor.close)
        return successor

    return start


@pytest.fixture
def controlled(gateway, folder):
    """A gateway with a control socket."""

    def start(*servers, **changes) -> Gateway:
        runtime = {"control": str(folder / "control"), **changes.pop("runtime", {})}
        return gateway(*servers, runtime=runtime, **changes)

    return start


class Load:
    """Clients that come, fetch and go without a pause, in several threads, until it is left."""

    def __init__(self, port: int, context: ssl.SSLContext | None, threads: int = 6) -> None:
        self.port = port
        self.context = context
        self.over = False
        self.fetched = 0
        self.problems: list[str] = []
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(threads)]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        eventually(lambda: self.fetched > 5, "there is load")
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True
        for thread in self.threads:
            thread.join(DEADLINE)

    def run(self) -> None:
        while not self.over:
            try:
                with Client(self.port, self.context) as client:
                    answer = client.login()
                    assert answer.startswith(b"+OK"), answer
                    status, text = client.command_multi("RETR 1")
                    assert status.startswith(b"+OK") and text == MESSAGE, status
                    assert client.command("QUIT").startswith(b"+OK")
                self.fetched += 1
            except (AssertionError, Closed, OSError) as error:
                self.problems.append(repr(error))

    def wait_for_more(self) -> None:
        now = self.fetched
        eventually(lambda: self.fetched > now + 20 or self.problems, "sessions go on")


@pytest.mark.parametrize("listener", ["plain", "pop3s"])
def test_nobody_notices_a_takeover(controlled, upstream, take_over, certificates, listener):
    running = controlled(upstream(Store(messages=[MESSAGE])))
    context = certificates.client_context() if listener == "pop3s" else None
    with Load(running.ports[listener], context) as load:
        first = take_over(running)
        assert first.asked.returncode == 0, first.lines()
        assert running.wait() == 0  # its sessions end by themselves
        load.wait_for_more()
        second = take_over(running)  # and once more, from the one that came
        assert second.asked.returncode == 0, second.lines()
        load.wait_for_more()
    assert not load.problems, load.problems[:3]
    assert running.events("taken_over")
    done, status = os.waitpid(first.pid, 0)
    first.pid = 0
    assert done and os.waitstatus_to_exitcode(status) == 0
    assert second.end() == 0


@pytest.mark.parametrize("threads", [1, 4])
def test_other_number_of_loops(controlled, upstream, connect, take_over, threads):
    """More sockets than loops, or fewer: every queue of the kernel is accepted from."""
    running = controlled(upstream(Store()))
    running.config["runtime"]["threads"] = threads
    running.write(running.config)
    successor = take_over(running)
    assert successor.asked.returncode == 0, successor.lines()
    assert running.wait() == 0
    for _ in range(40):
        client = connect(running)
        client.login()
        client.close()
    assert successor.end() == 0


def test_message_that_is_on_its_way_arrives(controlled, upstream, connect, take_over):
    large = b"x" * 78 + b"\r\n"
    running = controlled(upstream(Store(messages=[large * 100_000])))
    client = connect(running)
    client.login()
    client.send(b"RETR 1\r\n")
    assert client.line().startswith(b"+OK")
    successor = take_over(running)
    assert successor.asked.returncode == 0, successor.lines()
    assert client.multi() == large * 100_000
    assert client.command("QUIT").startswith(b"+OK")
    assert running.wait() == 0
    assert successor.end() == 0


def test_who_has_not_logged_in_still_can(controlled, upstream, connect, take_over):
    running = controlled(upstream(Store()))
    client = connect(running)
    assert client.command("USER joe").startswith(b"+OK")
    successor = take_over(running)
    assert client.command("PASS secret").startswith(b"+OK")
    assert client.command("QUIT").startswith(b"+OK")
    assert running.wait() == 0
    assert successor.end() == 0


def test_tls_sessions_are_resumed_by_the_next(controlled, upstream, take_over, certificates):
    running = controlled(upstream(Store()))
    context = certificates.client_context()
    with Client(running.ports["pop3s"], context) as client:
        client.login()
        ticket = client.socket.session
    successor = take_over(running)
    running.wait()
    with socket.create_connection(("127.0.0.1", running.ports["pop3s"])) as plain:
        with context.wrap_socket(plain, server_hostname="localhost", session=ticket) as secured:
            assert secured.session_reused
    assert successor.end() == 0


def test_admin_port_goes_along(controlled, upstream, take_over):
    running = controlled(upstream(Store()))
    successor = take_over(running)
    running.wait()
    assert running.get("/readyz")[0] == 200
    assert running.metric("process_start_time_seconds") > 0
    assert successor.end() == 0


def test_second_start_is_refused(controlled, upstream, connect):
    running = controlled(upstream(Store()))
    done = subprocess.run([binary(), "-c", running.file], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 69
    assert "postern takeover" in done.stdout
    connect(running).login()


def test_start_after_a_kill(controlled, upstream, take_over):
    """The lock goes with the process, and a socket that lies there is no obstacle."""
    running = controlled(upstream(Store()))
    running.expected_status = -signal.SIGKILL
    running.process.kill()
    running.process.wait()
    with Gateway(running.config, running.file.parent) as again:
        assert again.events("started")


def test_nobody_to_take_over_from(controlled, upstream, take_over):
    running = controlled(upstream(Store()))
    running.terminate()
    running.wait()
    successor = take_over(running)
    assert successor.asked.returncode == 69
    assert "nobody serves behind" in "\n".join(successor.lines())


def test_takeover_that_fails_changes_nothing(controlled, upstream, connect, take_over):
    running = controlled(upstream(Store()))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        broken = dict(running.config)
        broken["listeners"] = [
            *running.config["listeners"],
            {"name": "more", "bind": f"127.0.0.1:{taken.getsockname()[1]}", "tls": "none", "require_tls_for_auth": False},
        ]
        running.write(broken)
        assert take_over(running).asked.returncode == 69
    running.write("version: 1\n")
    assert take_over(running).asked.returncode == 78
    connect(running).login()
    assert not running.events("drain")
    running.write(running.config)
    successor = take_over(running)  # still there for one that works
    assert successor.asked.returncode == 0, successor.lines()
    running.wait()
    assert successor.end() == 0


def test_takeover_that_is_refused_late_changes_nothing(controlled, take_over, folder):
    """That unique-ids would change is seen when everything was handed over."""
    running = controlled(imap_backend(1143), store={"file": str(folder / "store")})
    changed = [imap_backend(1143, imap={"uidl": "%{uidvalidity}.%{uid}"})]
    running.write({**running.config, "backends": changed})
    refused = take_over(running)
    assert refused.asked.returncode == 78, refused.lines()
    running.write(running.config)
    successor = take_over(running)
    assert successor.asked.returncode == 0, successor.lines()
    running.wait()
    assert successor.end() == 0


def test_whoever_asked_may_be_gone(controlled, upstream, connect, folder):
    running = controlled(upstream(Store()))
    os.kill(running.process.pid, signal.SIGSTOP)  # so that it takes a while
    with open(folder / "log", "wb") as output:
        asked = subprocess.Popen([binary(), "takeover", "-c", running.file], stdout=output, stderr=output)
    children = Path(f"/proc/{asked.pid}/task/{asked.pid}/children")
    successor = int(eventually(lambda: children.read_text().split(), "it has begun")[0])
    asked.kill()
    asked.wait()
    os.kill(running.process.pid, signal.SIGCONT)
    assert running.wait() == 0
    assert connect(running).login().startswith(b"+OK")
    os.kill(successor, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(successor, 0)[1]) == 0


def test_stranger_gets_nothing(controlled, upstream, connect, folder):
    running = controlled(upstream(Store()))
    assert (folder / "control").stat().st_mode & 0o077 == 0
    for said in (b"", b"postern takeover 2", b"x" * 5000):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
            other.connect(str(folder / "control"))
            other.settimeout(DEADLINE)
            if said:
                other.send(said)
            other.shutdown(socket.SHUT_WR)
            assert other.recv(100) == b""
    connect(running).login()


def test_service_manager_is_told(controlled, upstream, take_over, folder, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(DEADLINE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
        running = controlled(upstream(Store()))
        assert manager.recv(500).decode().split() == [f"MAINPID={running.process.pid}", "READY=1"]
        running.reload()
        assert manager.recv(500).decode().startswith("RELOADING=1\nMONOTONIC_USEC=")
        assert "READY=1" in manager.recv(500).decode()
        successor = take_over(running)
        assert manager.recv(500).decode().split() == [f"MAINPID={successor.pid}", "READY=1"]
        assert successor.end() == 0
        assert manager.recv(500).decode().split() == ["STOPPING=1"]


@pytest.mark.parametrize("listener", ["plain", "pop3s"])
def test_nobody_notices_a_reload(gateway, upstream, certificates, listener):
    running = gateway(upstream(Store(messages=[MESSAGE])))
    context = certificates.client_context() if listener == "pop3s" else None
    with Load(running.ports[listener], context) as load:
        for _ in range(10):
            assert running.reload()["result"] == "ok"
        load.wait_for_more()
    assert not load.problems, load.problems[:3]


def test_drain_cuts_no_message(gateway, upstream, connect):
    """Under load; who has a message on its way gets it, who comes is refused by the kernel."""
    running = gateway(upstream(Store(messages=[MESSAGE])), runtime={"drain_timeout": "10s"})
    cut = []

    def run() -> None:
        while True:
            try:
                with Client(running.ports["plain"]) as client:
                    if not client.auth_plain("joe", "secret").startswith(b"+OK"):
                        continue
                    client.send(b"RETR 1\r\n")
                    try:
                        status = client.line()
                    except (Closed, OSError):
                        continue  # the session ended between two commands
                    if status.startswith(b"+OK") and client.multi() != MESSAGE:
                        cut.append("another message")
            except Closed as closed:
                if closed.received:
                    cut.append(repr(closed))
            except OSError:
                return

    threads = [threading.Thread(target=run, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    running.terminate()
    assert running.wait() == 0
    for thread in threads:
        thread.join(DEADLINE)
    assert not cut, cut[:3]
