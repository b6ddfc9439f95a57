"""Cyrus IMAP from Debian 12 in a private root: nothing is installed, no daemon of the machine is started or touched.

`Cyrus` runs IMAP and POP3 over one mailbox, as the calling user or, for root, as nobody, on loopback ports. Mail comes
in by APPEND only: the store's files belong to its index.
"""

import grp
import imaplib
import shutil
import subprocess
import tempfile
from pathlib import Path

from .mail_store import IMAP_SECONDS, MailStore, Refused
from .packages import copy_programs, library_path, unpacked
from .process import as_server_user, end_group, free_port, greets, hand_over_tree, server_user

PACKAGES = ["cyrus-imapd", "cyrus-pop3d", "cyrus-common", "sasl2-bin", "libsasl2-modules", "libsasl2-modules-db"]
WITHOUT = ("exim4", "perl", "libperl", "gawk", "libsigsegv", "db-util", "db5.3-util", "libclamav", "libmspack")
ADMINISTRATOR = ("cyrus", "cyrus")
START_TRIES = 5
CONFIGURATION = """
servername: localhost
configdirectory: {folder}/config
proc_path: {folder}/config/proc
mboxname_lockpath: {folder}/config/lock
defaultpartition: default
partition-default: {folder}/spool
cyrus_user: {user}
cyrus_group: {group}
admins: cyrus
altnamespace: no
unixhierarchysep: no
hashimapspool: true
allowplaintext: yes
popminpoll: 0
failedloginpause: 0
maxlogins_per_host: 0
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/sasldb
sasl_mech_list: PLAIN LOGIN
"""
SERVICES = """
START {{
  recover cmd="{bin}/ctl_cyrusdb -C {folder}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{bin}/imapd -C {folder}/imapd.conf -U 100" listen="127.0.0.1:{imap}" prefork=1
  pop3 cmd="{bin}/pop3d -C {folder}/imapd.conf -U 100" listen="127.0.0.1:{pop3}" prefork=1
}}
EVENTS {{
}}
"""


def private_root(cache: Path) -> Path:
    return unpacked(cache, PACKAGES, WITHOUT)


class Cyrus(MailStore):
    """A running Cyrus."""

    takes_files = False

    def __init__(self, root: Path, users: dict[str, str]) -> None:
        self.root = root
        self.users = dict(users)
        self.imap_port = self.pop3_port = 0
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Cyrus":
        self.folder = Path(tempfile.mkdtemp(prefix="py-", dir="/tmp"))
        try:
            copy_programs(self.root, self.folder)
            for part in ("config/proc", "config/lock", "config/db", "config/log", "spool"):
                (self.folder / part).mkdir(parents=True)
            self._write("imapd.conf", CONFIGURATION)
            hand_over_tree(self.folder)
            for user, password in (ADMINISTRATOR, *self.users.items()):
                self._set_password(user, password)
            self._start()
            for user in self.users:
                self._make_mailbox(user)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self.process:
            end_group(self.process)
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        """What its programs write to stderr; the rest goes to syslog, which a test machine may lack."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def add_user(self, user: str, password: str) -> None:
        self._set_password(user, password)
        self.users[user] = password
        self._make_mailbox(user)

    def _make_mailbox(self, user: str) -> None:
        with imaplib.IMAP4(self.host, self.imap_port, timeout=IMAP_SECONDS) as connection:
            connection.login(*ADMINISTRATOR)
            status, data = connection.create(f"user.{user}")
            if status != "OK":
                raise Refused(f"CREATE user.{user}: {data}")

    def _set_password(self, user: str, password: str) -> None:
        program = self.folder / "usr/sbin/saslpasswd2"
        command = [program, "-p", "-c", "-u", "localhost", "-f", self.folder / "sasldb", user]
        subprocess.run(as_server_user(command), input=password.encode(), env=self._environment(), check=True)

    def _start(self) -> None:
        for _ in range(START_TRIES):
            self.imap_port, self.pop3_port = free_port(), free_port()
            self._write("cyrus.conf", SERVICES)
            with open(self.folder / "log", "ab") as log:
                self.process = subprocess.Popen(
                    as_server_user(self._command()),
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            if greets(self.process, self.imap_port, b"* OK") and greets(self.process, self.pop3_port, b"+OK"):
                return
            end_group(self.process)
        raise RuntimeError(f"Cyrus did not start:\n{self.log}")

    def _command(self) -> list:
        files = ["-C", self.folder / "imapd.conf", "-M", self.folder / "cyrus.conf", "-p", self.folder / "pid"]
        return [self.folder / "usr/lib/cyrus/bin/master", *files]

    def _environment(self) -> dict[str, str]:
        plugins = next(self.folder.glob("usr/lib/*-linux-gnu/sasl2"))
        return {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": library_path(self.folder), "SASL_PATH": str(plugins)}

    def _write(self, name: str, template: str) -> None:
        owner = server_user()
        text = template.format(
            folder=self.folder,
            bin=self.folder / "usr/lib/cyrus/bin",
            user=owner.pw_name,
            group=grp.getgrgid(owner.pw_gid).gr_name,
            imap=self.imap_port,
            pop3=self.pop3_port,
        )
        (self.folder / name).write_text(text)
