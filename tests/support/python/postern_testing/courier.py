"""Courier from Debian 12 in a private root: nothing is installed, no daemon of the machine is started or touched.

`Courier` runs IMAP and POP3 over one Maildir, as the calling user or, for root, as nobody, on loopback ports. Its
programs ask authdaemond at a path that is compiled into them; a copy of that library asks us instead.
"""

import os
import shutil
import socketserver
import subprocess
import tempfile
import threading
from pathlib import Path

from .mail_store import MailStore, make_maildir, put_into_maildir
from .packages import copy_programs, library_path, unpacked
from .process import as_server_user, end_group, free_port, greets, hand_over_tree, server_user

PACKAGES = ["courier-imap", "courier-pop", "courier-base", "courier-authlib", "libcourier-unicode4", "gamin"]
WITHOUT = ("exim4", "courier-authdaemon", "courier-authlib-", "gnutls", "libgnutls")
LIBRARY = "usr/lib/libcourierauth.so.0.0.0"
# The socket's path, as two overlapping vectors of 16 octets: a new path has to be as long.
COMPILED_IN = (b"/run/courier/aut", b"thdaemon/socket\0")
PATH_LENGTH = 30
START_TRIES = 5
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "SHELL": "/bin/sh",
    "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE",
    "IMAP_KEYWORDS": "1",
    "IMAP_IDLE_TIMEOUT": "60",
    "IMAP_MAILBOX_SANITY_CHECK": "1",
    "IMAP_UMASK": "022",
    "IMAP_ULIMITD": "131072",
    "IMAP_USELOCKS": "1",
    "MIME_UNICODE_MESSAGE_TYPE": "message/global",
}  # what Debian's /etc/courier/imapd and pop3d say, as far as it changes answers


def private_root(cache: Path) -> Path:
    return unpacked(cache, PACKAGES, WITHOUT)


class Courier(MailStore):
    """A running Courier."""

    def __init__(self, root: Path, users: dict[str, str]) -> None:
        self.root = root
        self.users = dict(users)
        self.imap_port = self.pop3_port = 0
        self.delivered = 0
        self.processes: list[subprocess.Popen] = []

    def __enter__(self) -> "Courier":
        self.folder = Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp"))  # short: see PATH_LENGTH
        try:
            copy_programs(self.root, self.folder)
            self._redirect_library()
            self.accounts = _Accounts(self._socket(), self.users, self.folder / "mail")
            for user in self.users:
                make_maildir(self._maildir(user))
            hand_over_tree(self.folder)
            self._start([self.folder / "usr/libexec/gam_server", "--notimeout", self.folder.name])
            self.imap_port = self._listen("courier/imaplogin", "usr/bin/imapd", b"* OK")
            self.pop3_port = self._listen("courier/courierpop3login", "usr/lib/courier/courier/courierpop3d", b"+OK")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        for process in self.processes:
            end_group(process)
        self.processes = []
        if hasattr(self, "accounts"):
            self.accounts.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def add_user(self, user: str, password: str) -> None:
        make_maildir(self._maildir(user))
        self.users[user] = password

    def fill(self, user: str, messages: list[bytes]) -> None:
        put_into_maildir(self._maildir(user), self.delivered + 1, messages)
        self.delivered += len(messages)

    def _maildir(self, user: str) -> Path:
        return self.folder / "mail" / user / "Maildir"

    def _socket(self) -> str:
        return f"{self.folder}/".ljust(PATH_LENGTH - 1, "/") + "s"

    def _redirect_library(self) -> None:
        library = self.folder / LIBRARY
        octets = library.read_bytes()
        path = self._socket().encode() + b"\0"
        if len(path) != PATH_LENGTH + 1 or b"".join(COMPILED_IN) not in octets:
            raise RuntimeError(f"cannot point {library} to {path!r}")
        library.write_bytes(octets.replace(b"".join(COMPILED_IN), path[:16] + path[15:]))

    def _listen(self, login: str, program: str, greeting: bytes) -> int:
        """Starts a service, gives its port."""
        limits = ["-maxprocs=100", "-maxperip=100", "-nodnslookup", "-noidentlookup", "-address=127.0.0.1"]
        programs = [self.folder / "usr/lib/courier" / login, self.folder / program]
        for _ in range(START_TRIES):
            port = free_port()
            process = self._start([self.folder / "usr/sbin/couriertcpd", *limits, port, *programs, "Maildir"])
            if greets(process, port, greeting):
                return port
            end_group(self.processes.pop())
            if "Address already in use" not in self.log:
                break
        raise RuntimeError(f"Courier did not start:\n{self.log}")

    def _start(self, command: list) -> subprocess.Popen:
        with open(self.folder / "log", "ab") as log:
            process = subprocess.Popen(
                as_server_user(command),
                env={**ENVIRONMENT, "LD_LIBRARY_PATH": library_path(self.folder), "GAM_CLIENT_ID": self.folder.name},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process


class _Accounts(socketserver.ThreadingUnixStreamServer):
    """authdaemond, as far as a login by user and password needs it.

    Request: lines about the client, `AUTH n`, n octets: service, `login`, user, password, a line each. Answer: the
    account, or FAIL."""

    daemon_threads = True

    def __init__(self, path: str, users: dict[str, str], homes: Path) -> None:
        super().__init__(path, _Answer)
        os.chmod(path, 0o777)
        self.users = users
        self.homes = homes
        self.owner = server_user()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def account(self, request: bytes) -> bytes:
        _, kind, user, password, *_ = (*request.decode(errors="surrogateescape").split("\n"), "", "", "", "")
        if kind != "login" or self.users.get(user) != password:
            return b"FAIL\n"
        owner = f"UID={self.owner.pw_uid}\nGID={self.owner.pw_gid}\n"
        return f"{owner}HOME={self.homes / user}\nADDRESS={user}\nNAME={user}\nMAILDIR=Maildir\n.\n".encode()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Answer(socketserver.StreamRequestHandler):
    server: _Accounts

    def handle(self) -> None:
        for line in self.rfile:
            command, _, length = line.strip().partition(b" ")
            if command == b"AUTH":
                self.wfile.write(self.server.account(self.rfile.read(int(length))))
                return
