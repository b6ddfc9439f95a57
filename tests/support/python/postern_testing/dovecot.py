"""Dovecot from Debian 12 in a private root: nothing is installed, no daemon of the machine is started or touched.

`private_root()` fetches the packages and unpacks them into a cache folder (packages.py). `Dovecot` runs a copy of it in
a temporary folder, as the calling user or, for root, as nobody, on loopback ports.
"""

import grp
import imaplib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .client import eventually
from .mail_store import MailStore, make_maildir, put_into_maildir
from .packages import copy_programs, unpacked
from .process import as_server_user, end_group, free_port, greets, hand_over, hand_over_tree, kill_group, server_user

PACKAGES = ["dovecot-core", "dovecot-pop3d", "dovecot-imapd"]
MODULE_DIR = b"/usr/lib/dovecot/modules"  # compiled into libdovecot, no setting changes it
START_TRIES = 5
TRASH = "Papierkörbe"  # as a user has named it; IMAP tells that it is for what was deleted


def private_root(cache: Path) -> Path:
    return unpacked(cache, PACKAGES)


@dataclass
class Ports:
    pop3: int = 0  # plaintext, STLS where there is a certificate
    pop3s: int = 0  # 0 without a certificate
    imap: int = 0  # plaintext, STARTTLS where there is a certificate
    imaps: int = 0  # 0 without a certificate


@dataclass
class Dovecot(MailStore):
    """A running Dovecot. Passwords lie in plain; a mailbox is a list of messages in store form (LF line ends).

    `aliases` are users that have the mailbox of another one. `mail` is a folder for the mail, instead of one that
    goes with the server. `settings` come last in the configuration and so replace what it says before; `passdb` stands
    in the place of the users' passwords."""

    root: Path
    users: dict[str, str]
    certificate: tuple[Path, Path] | None = None
    mailboxes: dict[str, list[bytes]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    mail: Path | None = None
    settings: str = ""
    passdb: str = "driver = passwd-file\n  args = scheme=PLAIN username_format=%u {folder}/users"
    ports: Ports = field(default_factory=Ports)
    folder: Path = field(init=False)
    process: subprocess.Popen | None = field(init=False, default=None)
    delivered: int = field(init=False, default=0)

    def __enter__(self) -> "Dovecot":
        # The compiled-in folder of modules is replaced, so its new name may not be longer: /tmp/pd-12345678.
        self.folder = Path(tempfile.mkdtemp(prefix="pd-", dir="/tmp"))
        try:
            self._place_programs()
            if self.mail:
                hand_over(self.mail)
                (self.folder / "mail").symlink_to(self.mail)
            self._write_users()
            for user, messages in self.mailboxes.items():
                self.fill(user, messages)
            self._start(self._free_ports)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self.process:
            end_group(self.process)
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def imap_port(self) -> int:
        return self.ports.imap

    @property
    def pop3_port(self) -> int:
        return self.ports.pop3

    def add_user(self, user: str, password: str) -> None:
        self.users[user] = password
        self._write_users()
        eventually(lambda: self._knows(user), f"{user} can log in")  # it looks at the file once a second

    def _knows(self, user: str) -> bool:
        try:
            with self.imap(user):
                return True
        except imaplib.IMAP4.error:
            return False

    def fill(self, user: str, messages: list[bytes]) -> None:
        put_into_maildir(self._maildir(user), self.delivered + 1, messages)
        self.delivered += len(messages)

    def _maildir(self, user: str) -> Path:
        return self.folder / "mail" / user

    def _place_programs(self) -> None:
        copy_programs(self.root, self.folder)
        modules = self.folder / "modules"
        modules.symlink_to(self.folder / "usr/lib/dovecot/modules")
        replacement = os.fsencode(modules).ljust(len(MODULE_DIR), b"\0")
        library = (self.folder / "usr/lib/dovecot/libdovecot.so.0").resolve()
        octets = library.read_bytes()
        if len(replacement) != len(MODULE_DIR) or MODULE_DIR + b"\0" not in octets:
            raise RuntimeError(f"cannot point {library} to {modules}")
        library.write_bytes(octets.replace(MODULE_DIR + b"\0", replacement + b"\0"))

    def _write_users(self) -> None:
        lines = [f"{user}:{{PLAIN}}{password}::::::\n" for user, password in self.users.items()]
        (self.folder / "users").write_text("".join(lines))
        for user in self.users:
            if user not in self.aliases:
                make_maildir(self._maildir(user))
        for alias, user in self.aliases.items():
            if not self._maildir(alias).is_symlink():
                self._maildir(alias).symlink_to(user)

    def crash(self) -> None:
        """Ends it at once, as a power cut does."""
        kill_group(self.process)

    def start_again(self) -> None:
        """After a crash, at the ports that it had."""
        self._start(lambda: self.ports)

    def _start(self, choose_ports: Callable[[], Ports]) -> None:
        for _ in range(START_TRIES):
            self.ports = choose_ports()
            self._write_configuration()
            hand_over_tree(self.folder)
            self.process = subprocess.Popen(
                as_server_user(self._command()),
                env={"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": self._library_path()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=open(self.folder / "log", "ab"),  # noqa: SIM115  (handed to the child)
                start_new_session=True,
            )
            if greets(self.process, self.ports.pop3, b"+OK"):
                return
            end_group(self.process)
            if "Address already in use" not in self.log:
                break
        raise RuntimeError(f"Dovecot did not start:\n{self.log}")

    def _free_ports(self) -> Ports:
        tls = bool(self.certificate)
        return Ports(free_port(), free_port() if tls else 0, free_port(), free_port() if tls else 0)

    def _command(self) -> list[str]:
        """dovecot, by way of doveconf: it would look for that one at the place where it is not installed."""
        configuration = str(self.folder / "dovecot.conf")
        read = [str(self.folder / "usr/bin/doveconf"), "-f", "service=master", "-c", configuration]
        return [*read, "-e", str(self.folder / "usr/sbin/dovecot"), "-F", "-c", configuration]

    def _library_path(self) -> str:
        own = self.folder / "usr/lib/dovecot"
        folders = [
            own,
            own / "modules/old-stats",
            *self.folder.glob("usr/lib/*-linux-gnu"),
            *self.folder.glob("lib/*-linux-gnu"),
        ]
        return ":".join(str(folder) for folder in folders)

    def _write_configuration(self) -> None:
        owner = server_user()
        text = CONFIGURATION.format(
            folder=self.folder,
            library_path=self._library_path(),
            user=owner.pw_name,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            group=grp.getgrgid(owner.pw_gid).gr_name,
            ports=self.ports,
            tls=self._tls_settings(),
            trash=TRASH,
            passdb=self.passdb.format(folder=self.folder),
        )
        (self.folder / "dovecot.conf").write_text(text + self.settings)

    def _tls_settings(self) -> str:
        if not self.certificate:
            return "ssl = no"
        copies = [shutil.copy(part, self.folder) for part in self.certificate]
        return f"ssl = yes\nssl_cert = <{copies[0]}\nssl_key = <{copies[1]}\nssl_min_protocol = TLSv1.2"


CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
libexec_dir = {folder}/usr/lib/dovecot
mail_plugin_dir = {folder}/modules
log_path = /dev/stderr
import_environment = TZ LD_LIBRARY_PATH={library_path}
listen = 127.0.0.1
protocols = pop3 imap
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = {uid}
first_valid_gid = 0
mail_location = maildir:{folder}/mail/%u
namespace inbox {{
  inbox = yes
  mailbox {trash} {{
    auto = create
    special_use = \\Trash
  }}
}}
mail_max_userip_connections = 0
maildir_copy_with_hardlinks = yes
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
pop3_no_flag_updates = no
pop3_uidl_format = %08Xu%08Xv
{tls}
passdb {{
  {passdb}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service pop3-login {{
  chroot =
  service_count = 0
  inet_listener pop3 {{
    port = {ports.pop3}
  }}
  inet_listener pop3s {{
    port = {ports.pop3s}
    ssl = yes
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = {ports.imap}
  }}
  inet_listener imaps {{
    port = {ports.imaps}
    ssl = yes
  }}
}}
"""
