"""Starting and ending the processes of tests and demo: each ends with the one who started it."""

import os
import pwd
import signal
import socket
import subprocess
import time
from pathlib import Path


def free_port(host: str = "127.0.0.1") -> int:
    """A port that was free a moment ago: only for servers that cannot bind port 0 and tell. Be ready to try again."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def dies_with_parent(command: list[str], user: str | None = None) -> list[str]:
    """The command, made to get SIGTERM when the thread that starts it ends; as another user where root asks for it."""
    wrapper = ["setpriv", "--pdeathsig", "TERM"]
    if user:
        wrapper += ["--reuid", user, "--regid", "nogroup", "--clear-groups"]
    return [*wrapper, "--", *command]


def greets(process: subprocess.Popen, port: int, greeting: bytes, seconds: float = 20.0) -> bool:
    """Whether the process comes to listen and greets so, within this time and while it lives."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                if connection.recv(512).startswith(greeting):
                    return True
        except OSError:
            pass
        time.sleep(0.02)
    return False


def server_user() -> pwd.struct_passwd:
    """Whom a real server runs as: nobody where root runs the tests, else the caller."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def as_server_user(command: list) -> list[str]:
    return dies_with_parent([str(part) for part in command], "nobody" if os.geteuid() == 0 else None)


def hand_over(*paths: Path) -> None:
    """Gives files and folders to the user whom a real server runs as; only root has to."""
    if os.geteuid() == 0:
        owner = server_user()
        for path in paths:
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def hand_over_tree(folder: Path) -> None:
    """The folder with all that is in it, while nothing runs there."""
    if os.geteuid() == 0:
        hand_over(folder, *folder.rglob("*"))


def group_members(group: int) -> list[int]:
    """The living processes of a process group."""
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        if fields[0] != "Z" and int(fields[2]) == group:
            members.append(int(entry.name))
    return members


def processes_with(text: str) -> list[int]:
    """Those of which the command line or the environment has it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parts = [(entry / part).read_bytes() for part in ("cmdline", "environ")]
        except OSError:
            continue  # ended meanwhile, or somebody else's
        if any(text.encode() in part for part in parts):
            found.append(int(entry.name))
    return found


def serving(processes: list[int], port: int) -> list[int]:
    """Those of the processes that have a connection which came in at this port of 127.0.0.1."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    local, established = f"0100007F:{port:04X}", "01"
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1] == local and row[3] == established}
    return [process for process in processes if sockets & _open_files(process)]


def _open_files(process: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{process}/fd").glob("*"):
        try:
            found.add(os.readlink(entry))
        except OSError:
            pass  # closed meanwhile
    return found


def kill_group(process: subprocess.Popen) -> None:
    """Ends a process that leads its own group with all of the group, and leaves them no time for anything."""
    os.killpg(process.pid, signal.SIGKILL)
    end_group(process)


def end_group(process: subprocess.Popen, patience: float = 10) -> None:
    """Ends a process that leads its own group (start_new_session), and whatever is left of the group after it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    deadline = time.monotonic() + patience
    while members := group_members(process.pid):
        overdue = time.monotonic() > deadline
        for member in members if overdue else ():
            try:
                os.kill(member, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)
