"""Dovecot behind the gateway, once for each way in which the gateway may reach it."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from corpus import BIG, CORPUS, MANY

from postern_testing.certificates import Certificates
from postern_testing.client import Client
from postern_testing.dovecot import Dovecot
from postern_testing.gateway import Gateway, backend, configuration

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


@pytest.fixture(scope="session", params=["none", "starttls", "implicit"])
def bench(request, dovecot_root, certificates, tmp_path_factory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp(f"gateway-{request.param}")
    shutil.copy(certificates.ecdsa.cert, folder / "cert.pem")
    shutil.copy(certificates.ecdsa.key, folder / "key.pem")
    mailboxes = {"corpus@example.net": list(CORPUS.values()), "big": [BIG], "many": MANY}
    with ExitStack() as stack:
        store = stack.enter_context(Dovecot(dovecot_root, USERS, certificates.ecdsa.pair, mailboxes))
        config = configuration([upstream_leg(request.param, store, certificates)], folder)
        gateway = stack.enter_context(Gateway(config, folder, secrets=("sEcret",)))
        yield Bench(store, gateway, certificates)
