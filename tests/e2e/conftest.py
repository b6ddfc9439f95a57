"""Dovecot behind the gateway, once for each way in which the gateway may reach it; and the real servers with the corpus
in their mailboxes, alone and behind the gateway."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from corpus import BIG, CORPUS, MANY, wire_form

from postern_testing.certificates import Certificates
from postern_testing.client import Client
from postern_testing.courier import Courier
from postern_testing.cyrus import Cyrus
from postern_testing.dovecot import Dovecot
from postern_testing.gateway import Gateway, backend, configuration
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
    shutil.copy(certificates.ecdsa.cert, folder / "cert.pem")
    shutil.copy(certificates.ecdsa.key, folder / "key.pem")
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
ODD = {"courier": ("final-cr", "utf8-header")}  # shown otherwise by POP3 than by IMAP; see test_servers.py


@dataclass
class Server:
    """A real server with the corpus in the mailboxes `files` and `appended`: as files where it takes such, by APPEND.

    The messages named in ODD are in the mailbox `odd` instead; `scratch` is for whoever wants to change something."""

    name: str
    store: MailStore
    refused: dict[str, str] = field(default_factory=dict)  # name of the message: what the server said to its APPEND

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


@pytest.fixture(scope="session")
def make_server(request, certificates) -> Callable[..., MailStore]:
    """make_server(name, user, ...): one of the servers, to be entered."""

    def make(name: str, *users: str) -> MailStore:
        root = request.getfixturevalue(f"{name}_root")
        passwords = dict.fromkeys(users, PASSWORD)
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
                store = stack.enter_context(make_server(name, "files", "appended", "odd", "scratch"))
                servers[name] = Server(name, store)
                servers[name].fill()
            return servers[name]

        yield start


@pytest.fixture(params=["dovecot", "cyrus", "courier"])
def server(request, running_server) -> Server:
    return running_server(request.param)
