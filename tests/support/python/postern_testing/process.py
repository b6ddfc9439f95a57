"""Starting and ending the processes of tests and demo: each ends with the one who started it."""

import os
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
