"""Real mail programs that fetch by POP3 and leave the mail on the server, each with what it remembers between its runs.

fetchmail, getmail and mpop come from a private root; curl is the machine's; poplib stands for every script that is
written with it. They run as the calling user or, for root, as nobody: getmail does not deliver mail as root.
"""

import poplib
import shutil
import ssl
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from .packages import copy_programs, library_path, unpacked
from .process import as_server_user, hand_over, hand_over_tree, server_user

PACKAGES = ["fetchmail", "getmail6", "mpop"]
RUN_SECONDS = 60.0
POPLIB_SECONDS = 30.0


def private_root(cache: Path) -> Path:
    return unpacked(cache, PACKAGES)


@dataclass
class Account:
    """Where to fetch: POP3S if there is a certificate authority, else plaintext."""

    port: int
    user: str
    password: str
    ca: Path | None = None

    @property
    def host(self) -> str:
        return "localhost" if self.ca else "127.0.0.1"


class MailProgram:
    """One user's mail program, with the folder that it keeps its state in."""

    def __init__(self, root: Path, account: Account) -> None:
        self.root = root
        self.account = account

    def __enter__(self) -> "MailProgram":
        self.folder = Path(tempfile.mkdtemp(prefix="pm-", dir="/tmp"))
        copy_programs(self.root, self.folder)
        for part in ("cur", "new", "tmp"):
            (self.folder / "Maildir" / part).mkdir(parents=True)
        if self.account.ca:
            self.account = replace(self.account, ca=Path(shutil.copy(self.account.ca, self.folder / "ca.pem")))
        self.set_up()
        hand_over_tree(self.folder)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def poll(self) -> list[bytes]:
        """Fetches once; gives the messages downloaded by this run, in no order. A failure of the program raises."""
        self.run()
        return [self._take(path) for path in (self.folder / "Maildir/new").iterdir()]

    def set_up(self) -> None:
        """Writes the program's configuration."""

    def run(self) -> None:
        """Fetches once into Maildir/new."""
        raise NotImplementedError

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        hand_over(path)
        return path

    def start(self, *command: str | Path, statuses: tuple[int, ...] = (0,)) -> bytes:
        """Runs a program to its end, gives its output."""
        environment = {
            "HOME": str(self.folder),
            "PATH": f"{self.folder}/usr/bin:/usr/bin:/bin",
            "LD_LIBRARY_PATH": library_path(self.folder),
            "PYTHONPATH": f"{self.folder}/usr/lib/python3/dist-packages",
        }
        done = subprocess.run(
            as_server_user(list(command)),
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode in statuses, f"{command[0]}: status {done.returncode}\n{said}"
        return done.stdout

    def _take(self, path: Path) -> bytes:
        octets = path.read_bytes()
        path.unlink()
        return octets


class Fetchmail(MailProgram):
    def set_up(self) -> None:
        deliver = f'#!/bin/sh\nexec cat >"$(mktemp {self.folder}/Maildir/new/XXXXXXXXXX)"\n'
        self.write("deliver", deliver, 0o700)
        tls = f'ssl sslcertck sslcertfile "{self.account.ca}"' if self.account.ca else "sslproto ''"
        self.write(
            "fetchmailrc",
            f'set idfile "{self.folder}/ids"\n'
            f"poll {self.account.host} service {self.account.port} protocol pop3 timeout 30 uidl\n"
            f'  user "{self.account.user}" there with password "{self.account.password}"\n'
            f'  is "{server_user().pw_name}" here keep {tls} mda "{self.folder}/deliver"\n',
        )

    def run(self) -> None:
        nothing_new = 1
        files = ("-f", self.folder / "fetchmailrc", "--pidfile", self.folder / "pid")
        self.start("fetchmail", "--nosyslog", "--nodetach", *files, statuses=(0, nothing_new))


class Getmail(MailProgram):
    def set_up(self) -> None:
        kind, tls = ("SimplePOP3SSLRetriever", f"ca_certs = {self.account.ca}\n") if self.account.ca else (
            "SimplePOP3Retriever", "")  # fmt: skip
        self.write(
            "getmailrc",
            f"[retriever]\ntype = {kind}\nserver = {self.account.host}\nport = {self.account.port}\n{tls}"
            f"username = {self.account.user}\npassword = {self.account.password}\n"
            f"[destination]\ntype = Maildir\npath = {self.folder}/Maildir/\n"
            "[options]\nread_all = false\ndelete = false\n",
        )

    def run(self) -> None:
        self.start("getmail", "--quiet", "--getmaildir", self.folder, "--rcfile", self.folder / "getmailrc")


class Mpop(MailProgram):
    def set_up(self) -> None:
        tls = f"tls on\ntls_starttls off\ntls_trust_file {self.account.ca}" if self.account.ca else "tls off"
        self.write(
            "mpoprc",
            f"account default\nhost {self.account.host}\nport {self.account.port}\n{tls}\nauth user\n"
            f"user {self.account.user}\npassword {self.account.password}\n"
            f"keep on\nuidls_file {self.folder}/uidls\ndelivery maildir {self.folder}/Maildir\n",
        )

    def run(self) -> None:
        self.start("mpop", "--quiet", f"--file={self.folder}/mpoprc")


class Script(MailProgram):
    """What scripts do: list the unique ids, fetch those not seen before, one after the other."""

    def set_up(self) -> None:
        self.seen: set[str] = set()

    def run(self) -> None:
        ids = [line.split() for line in self.list_ids().decode().splitlines()]
        fresh = {uid: number for number, uid in ids if uid not in self.seen}
        assert len({uid for _, uid in ids}) == len(ids), f"a unique id twice: {ids}"
        for uid, number in fresh.items():
            (self.folder / "Maildir/new" / number).write_bytes(self.fetch(number))
            self.seen.add(uid)

    def list_ids(self) -> bytes:
        raise NotImplementedError

    def fetch(self, number: str) -> bytes:
        raise NotImplementedError


class Curl(Script):
    """A session for every command."""

    def list_ids(self) -> bytes:
        return self._curl("", "-X", "UIDL")

    def fetch(self, number: str) -> bytes:
        return self._curl(number)

    def _curl(self, what: str, *options: str) -> bytes:
        scheme, tls = ("pop3s", ["--cacert", self.account.ca]) if self.account.ca else ("pop3", [])
        url = f"{scheme}://{self.account.host}:{self.account.port}/{what}"
        user = f"{self.account.user}:{self.account.password}"
        return self.start("curl", "-sS", "--max-time", "30", "-u", user, *tls, *options, url)


class Poplib(Script):
    """One session for all."""

    def run(self) -> None:
        host, port = self.account.host, self.account.port
        if self.account.ca:
            context = ssl.create_default_context(cafile=str(self.account.ca))
            self.session = poplib.POP3_SSL(host, port, context=context, timeout=POPLIB_SECONDS)
        else:
            self.session = poplib.POP3(host, port, timeout=POPLIB_SECONDS)
        self.session.user(self.account.user)
        self.session.pass_(self.account.password)
        super().run()
        self.session.quit()

    def list_ids(self) -> bytes:
        return b"\r\n".join(self.session.uidl()[1])

    def fetch(self, number: str) -> bytes:
        return b"".join(line + b"\r\n" for line in self.session.retr(int(number))[1])


MAIL_PROGRAMS = {"fetchmail": Fetchmail, "getmail": Getmail, "mpop": Mpop, "curl": Curl, "poplib": Poplib}
