"""Dovecot behind the gateway, once for each way in which the gateway may reach it; and the real servers with the corpus
in their mailboxes, alone and behind the gateway."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from corpus import BIG, CORPUS, MANY, message, subject_of, wire_form

from postern_testing.certificates import Certificates
from postern_testing.client import Client
from postern_testing.courier import Courier
from postern_testing.cyrus import Cyrus
from postern_testing.dovecot import Dovecot
from postern_testing.gateway import Gateway, backend, configuration, imap_backend
from postern_testing.mail_store import MailStore, Refused

USERS = {
    "corpus@example.net": "sEcret",
    "big": "25 MB",
    "many": 'p"w\\x',
    "scratch": "s",
    "second": "s",
    "nobody-writes": "grün",
}


@dataclass
class Bench:
    store: Dovecot
    gateway: Gateway
    certificates: Certificates

    @property
    def ca(self) -> Path:
        return self.certificates.ca.cert

    def password(self, user: str) -> str:
        return self.store.users[user]

    def client(self, user: str, listener: str = "plain") -> Client:
        """Logged in through the gateway."""
        tls = self.certificates.client_context() if listener == "pop3s" else None
        return self._log_in(Client(self.gateway.ports[listener], tls), user)

    def direct(self, user: str) -> Client:
        """Logged in at Dovecot itself."""
        return self._log_in(Client(self.store.ports.pop3), user)

    def _log_in(self, client: Client, user: str) -> Client:
        answer = client.login(user, self.password(user))
        assert answer.startswith(b"+OK"), answer
        return client


def upstream_leg(mode: str, store: Dovecot, certificates: Certificates) -> dict:
    if mode == "none":
        return backend(store.ports.pop3)
    port = store.ports.pop3s if mode == "implicit" else store.ports.pop3
    return backend(port, tls={"mode": mode, "ca_file": str(certificates.ca.cert), "server_name": "pop.example.net"})


def gateway_before(leg: dict, certificates: Certificates, folder: Path, **changes) -> Gateway:
    certificates.ecdsa.place(folder)
    return Gateway(configuration([leg], folder, **changes), folder, secrets=("sEcret",))


@pytest.fixture(scope="session", params=["none", "starttls", "implicit"])
def bench(request, dovecot_root, certificates, tmp_path_factory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp(f"gateway-{request.param}")
    mailboxes = {"corpus@example.net": list(CORPUS.values()), "big": [BIG], "many": MANY}
    with ExitStack() as stack:
        store = stack.enter_context(Dovecot(dovecot_root, USERS, certificates.ecdsa.pair, mailboxes))
        leg = upstream_leg(request.param, store, certificates)
        yield Bench(store, stack.enter_context(gateway_before(leg, certificates, folder)), certificates)


# The real servers

PASSWORD = "sEcret"
MAILBOXES = ["files", "appended", "odd", "scratch"]
PASSWORDS = {
    "quote": 'p"w',
    "backslash": "p\\w\\",
    "literal": "{5+}",
    "utf-8": "grün ☃",
    "spaces": " a  b ",
    "brackets": "(%*)[]{3}",
    "long": "p" * 1000,
    "injection": "a1 DELETE INBOX",
}  # users whose passwords have to be said with care
LATER = [f"later-{n:02}" for n in range(80)]  # users for whoever needs one
UIDL = {"cyrus": {"uidl": "%{uidvalidity}.%{uid}"}}  # where the default is not what the server's own POP3 says
ODD = {"courier": ("final-cr", "utf8-header")}  # shown otherwise by POP3 than by IMAP; see test_servers.py


@dataclass
class Server:
    """A real server with the corpus in the mailboxes `files` and `appended`: as files where it takes such, by APPEND.

    The messages named in ODD are in the mailbox `odd` instead; `scratch` is for whoever wants to change something."""

    name: str
    store: MailStore
    refused: dict[str, str] = field(default_factory=dict)  # name of the message: what the server said to its APPEND
    numbers: Iterator[int] = field(default_factory=count)

    def fill(self) -> None:
        odd = ODD.get(self.name, ())
        if self.store.takes_files:
            self.store.fill("files", [octets for name, octets in CORPUS.items() if name not in odd])
            self.store.fill("odd", [CORPUS[name] for name in odd])
        for name, octets in CORPUS.items():
            if name not in odd:
                try:
                    self.store.append("appended", wire_form(octets))
                except Refused as refusal:
                    self.refused[name] = str(refusal)

    def pop3(self, user: str) -> Client:
        """Logged in at the server itself."""
        client = Client(self.store.pop3_port)
        answer = client.login(user, PASSWORD)
        assert answer.startswith(b"+OK"), answer
        return client

    def new_user(self, *messages: str) -> str:
        """Somebody whose mailbox has these messages, by their subjects, and whom no other test knows."""
        user = LATER[next(self.numbers)]
        if user not in self.store.users:
            self.store.add_user(user, PASSWORD)
        self.deliver(user, *messages)
        return user

    def deliver(self, user: str, *messages: str, **where: object) -> None:
        """Messages with these subjects."""
        self.store.append(user, *(wire_form(message(subject, b".text\n")) for subject in messages), **where)

    def subjects(self, user: str, mailbox: str = "INBOX") -> list[str]:
        return [subject_of(stored.octets) for stored in self.store.stored(user, mailbox)]

    def folder(self, name: str) -> str:
        """Its name in IMAP: only Dovecot has folders beside INBOX."""
        return name if self.name == "dovecot" else f"INBOX.{name}"

    def imap_leg(self, **imap) -> dict:
        return imap_backend(self.store.imap_port, imap={**UIDL.get(self.name, {}), **imap})


@pytest.fixture(scope="session")
def make_server(request, certificates) -> Callable[..., MailStore]:
    """make_server(name, user, ...): one of the servers, to be entered; `passwords` for users with their own."""

    def make(name: str, *users: str, passwords: dict[str, str] | None = None) -> MailStore:
        root = request.getfixturevalue(f"{name}_root")
        passwords = {**dict.fromkeys(users, PASSWORD), **(passwords or {})}
        if name == "dovecot":
            return Dovecot(root, passwords, certificates.ecdsa.pair)
        return {"cyrus": Cyrus, "courier": Courier}[name](root, passwords)

    return make


@pytest.fixture(scope="session")
def running_server(make_server) -> Iterator[Callable[[str], Server]]:
    """running_server(name): started when first asked for, and kept for the session."""
    servers: dict[str, Server] = {}
    with ExitStack() as stack:

        def start(name: str) -> Server:
            if name not in servers:
                later = LATER if name == "dovecot" else []  # the others take new users at once
                store = stack.enter_context(make_server(name, *MAILBOXES, *later, passwords=PASSWORDS))
                servers[name] = Server(name, store)
                servers[name].fill()
            return servers[name]

        yield start


@pytest.fixture(params=["dovecot", "cyrus", "courier"])
def server(request, running_server) -> Server:
    return running_server(request.param)


# The translation: the gateway as POP3 in front of IMAP

def views(server: Server) -> list[dict]:
    """By the login: user+INBOX#phone."""
    return [
        {"name": "moving", "delete": "move", "move_to": server.folder("Entwürfe")},
        {"name": "to-trash", "delete": "move"},
        {"name": "flagging", "delete": "flag"},
        {"name": "phone", "delete": "keep"},
        {"name": "tablet", "delete": "keep"},
        {"name": "newest", "newest": 2},
        {"name": "recent", "days": 3},
    ]


@pytest.fixture(scope="session")
def running_translation(certificates, tmp_path_factory) -> Iterator[Callable[[Server], Gateway]]:
    """running_translation(server): the gateway in front of its IMAP, kept for the session."""
    gateways: dict[str, Gateway] = {}
    with ExitStack() as stack:

        def start(server: Server) -> Gateway:
            if server.name not in gateways:
                folder = tmp_path_factory.mktemp(f"translation-{server.name}")
                leg = server.imap_leg(login_separator="+")
                gateway = gateway_before(leg, certificates, folder, views=views(server))
                gateways[server.name] = stack.enter_context(gateway)
            return gateways[server.name]

        yield start


@pytest.fixture
def translation(server, running_translation) -> Callable[..., Client]:
    """translation(user, view="", ...): a client of the gateway that is logged in."""
    gateway = running_translation(server)
    with ExitStack() as stack:

        def connect(user: str, view: str = "", folder: str = "INBOX") -> Client:
            name = f"{user}+{folder}#{view}" if view else user
            return stack.enter_context(logged_in(gateway, name))

        yield connect


@pytest.fixture
def gateway_for(started, certificates, tmp_path) -> Callable[..., Gateway]:
    """gateway_for(backend, section={...}): a gateway of one's own, with one's own settings."""
    numbers = count()

    def start(leg: dict, **changes) -> Gateway:
        folder = tmp_path / f"gateway-{next(numbers)}"
        folder.mkdir()
        return started.enter_context(gateway_before(leg, certificates, folder, **changes))

    return start


def plain_listener(view: str) -> dict:
    """For whoever is to see that view; it has the view's name."""
    bind = {"bind": "127.0.0.1:0", "tls": "none", "require_tls_for_auth": False}
    return {"name": view, "view": view, **bind}


def logged_in(gateway: Gateway, user: str, password: str = PASSWORD, listener: str = "plain") -> Client:
    client = Client(gateway.ports[listener])
    answer = client.login(user, password)
    assert answer.startswith(b"+OK"), answer
    return client
