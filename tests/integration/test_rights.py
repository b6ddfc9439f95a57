"""What a start as root gives up before it serves, and that serving goes on without."""

import os
import pwd
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from postern_testing.gateway import Gateway, binary, check, configuration, imap_backend, is_sanitized
from postern_testing.imap_server import ImapStore
from postern_testing.scripted import Store

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")

SERVANT = pwd.getpwnam("nobody")


@pytest.fixture
def open_folder(tmp_path):
    """pytest's folders are their owner's alone: the way to this one is opened to the servant."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path("/tmp"):
            break
        folder.chmod(folder.stat().st_mode | 0o011)
    return tmp_path


@pytest.fixture
def servant(open_folder, gateway):
    """servant(server, ...): a gateway that was started by root and serves as nobody."""

    def start(*servers, user: str = SERVANT.pw_name, **changes) -> Gateway:
        return gateway(*servers, runtime={"user": user, **changes.pop("runtime", {})}, **changes)

    return start


def status(process: int, task: str) -> dict[str, str]:
    text = Path(f"/proc/{process}/task/{task}/status").read_text()
    return dict(re.findall(r"^(\w+):[ \t]*(.*?)[ \t]*$", text, re.MULTILINE))


@pytest.mark.parametrize("user", [SERVANT.pw_name, str(SERVANT.pw_uid), "64001:64002"])
def test_no_thread_has_the_rights_of_root(servant, upstream, connect, user):
    running = servant(upstream(Store()), user=user)
    connect(running, "pop3s").login()
    uid, gid = (64001, 64002) if ":" in user else (SERVANT.pw_uid, SERVANT.pw_gid)
    tasks = os.listdir(f"/proc/{running.process.pid}/task")
    assert len(tasks) >= 4  # supervisor, log, two loops
    for task in tasks:
        have = status(running.process.pid, task)
        assert have["Uid"].split() == [str(uid)] * 4
        assert have["Gid"].split() == [str(gid)] * 4
        assert have["Groups"].split() in ([], [str(gid)])
        assert [int(have[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [0] * 4
        assert have["NoNewPrivs"] == "1"
        assert have["Seccomp"] == "2"
    confined = running.wait_for_event("confined")
    assert (confined["uid"], confined["gid"]) == (str(uid), str(gid))
    assert confined["seccomp"] == "on"


def test_port_of_root_is_bound_before(servant, upstream, connect):
    """Whatever the machine lets others bind: the socket belongs to root, who opened it."""
    running = servant(upstream(Store()))
    port = f"{running.ports['plain']:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    owners = {row[7] for row in rows if row[1].endswith(":" + port) and row[3] == "0A"}
    assert owners == {"0"}
    connect(running).login()


def test_root_has_to_say_who_serves(gateway, upstream, tmp_path, certificates):
    config = configuration([imap_backend(1)], tmp_path)
    certificates.ecdsa.place(tmp_path)
    del config["runtime"]["user"]
    running = Gateway(config, tmp_path, quiet=True)
    code, said = check(running.file)
    assert code == 78
    assert re.search(r"postern\.yaml:\d+:\d+: runtime\.user: found none, expected the user", said)
    config["runtime"]["user"] = "no-such-user"
    running.write(config)
    code, said = check(running.file)
    assert code == 78
    assert re.search(r'postern\.yaml:\d+:\d+: runtime\.user: no user "no-such-user" on this machine', said)


def core_limits(running) -> tuple[str, str]:
    text = Path(f"/proc/{running.process.pid}/limits").read_text()
    return re.search(r"^Max core file size\s+(\S+)\s+(\S+)", text, re.MULTILINE).groups()


def test_core_dumps_are_off(servant, upstream):
    running = servant(upstream(Store()))
    assert core_limits(running) == ("0", "0")
    if not is_sanitized():  # a process that may not be looked into belongs to root
        assert Path(f"/proc/{running.process.pid}/mem").stat().st_uid == 0


def test_core_dumps_can_be_had(servant, upstream):
    running = servant(upstream(Store()), runtime={"core_dumps": True})
    assert core_limits(running)[1] != "0"
    assert Path(f"/proc/{running.process.pid}/mem").stat().st_uid == SERVANT.pw_uid


def test_descriptors_are_still_counted(servant, upstream):
    running = servant(upstream(Store()))
    assert running.metric("process_open_fds") > 5


def test_what_a_reload_cannot_read_is_told_at_the_start(servant, upstream, connect, open_folder):
    running = servant(upstream(Store()))
    warning = running.wait_for_event("reload_will_fail")
    assert "key.pem" in warning["detail"]
    assert "key.pem" in check_output(running)
    assert running.reload()["result"] == "failed"
    assert running.wait_for_event("config_error")["detail"].count("key.pem") == 1
    connect(running, "pop3s").login()  # by what was read at the start
    os.chown(open_folder / "key.pem", SERVANT.pw_uid, SERVANT.pw_gid)
    assert running.reload()["result"] == "ok"
    connect(running, "pop3s").login()


def check_output(running) -> str:
    done = subprocess.run(
        [binary(), "check", "-c", running.file], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0
    return done.stdout


def test_store_is_the_servants(servant, upstream, connect, open_folder):
    folder = open_folder / "state"
    folder.mkdir()
    os.chown(folder, SERVANT.pw_uid, SERVANT.pw_gid)
    running = servant(imap_backend(upstream(ImapStore()).port), store={"file": str(folder / "store")})
    running.wait_for_event("store_opened")
    client = connect(running)
    client.login()
    assert client.command("QUIT").startswith(b"+OK")
    assert (folder / "store").stat().st_uid == SERVANT.pw_uid


def test_folder_that_the_start_did_not_know_needs_a_restart(servant, upstream, open_folder, certificates):
    """Landlock: what is outside stays outside, and a reload says so."""
    running = servant(upstream(Store()))
    if running.wait_for_event("confined")["landlock"] != "on":
        pytest.skip("this kernel has no Landlock")
    elsewhere = open_folder.parent / (open_folder.name + "-elsewhere")
    elsewhere.mkdir(mode=0o755)
    certificates.ecdsa.place(elsewhere)
    (elsewhere / "key.pem").chmod(0o644)
    running.config["tls"]["profiles"]["default"]["certificates"][0] = {
        "cert": str(elsewhere / "cert.pem"),
        "key": str(elsewhere / "key.pem"),
    }
    os.chown(open_folder / "key.pem", SERVANT.pw_uid, SERVANT.pw_gid)
    assert running.reload(running.config)["result"] == "failed"
    assert "Permission denied" in running.wait_for_event("config_error")["detail"]


def test_sandbox_can_be_turned_off(servant, upstream):
    running = servant(upstream(Store()), runtime={"seccomp": False, "landlock": False})
    confined = running.wait_for_event("confined")
    assert (confined["seccomp"], confined["landlock"]) == ("off", "off")
    assert status(running.process.pid, str(running.process.pid))["Seccomp"] == "0"


def test_new_listener_on_reload(servant, upstream, connect, open_folder):
    """Ports that anyone may bind need no rights."""
    running = servant(upstream(Store()))
    os.chown(open_folder / "key.pem", SERVANT.pw_uid, SERVANT.pw_gid)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running.config["listeners"].append(
        {"name": "more", "bind": f"127.0.0.1:{port}", "tls": "none", "require_tls_for_auth": False}
    )
    assert running.reload(running.config)["result"] == "ok"
    running.ports["more"] = port
    connect(running, "more").login()


def test_bug_in_a_thread_leaves_no_core(servant, upstream, open_folder):
    """A crash ends the process and writes nothing."""
    if is_sanitized():
        pytest.skip("a sanitizer handles the signal")
    running = servant(upstream(Store()))
    running.expected_status = -signal.SIGSEGV
    running.process.send_signal(signal.SIGSEGV)
    assert running.wait() == -signal.SIGSEGV
    assert not [path for path in open_folder.iterdir() if path.name.startswith("core")]
