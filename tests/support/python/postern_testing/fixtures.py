"""Fixtures of the integration and end-to-end tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from . import courier, cyrus, mail_programs
from .certificates import Certificates
from .client import Client
from .dovecot import Dovecot, private_root
from .gateway import REPOSITORY, Gateway, backend, configuration
from .scripted import Script, Upstream


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def started() -> Iterator[ExitStack]:
    """What is entered here is left at the test's end, the last first, and may fail the test then."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def upstream(started: ExitStack) -> Callable[..., Upstream]:
    """upstream(script, ...): a scripted server."""

    def start(*scripts: Script, **options) -> Upstream:
        return started.enter_context(Upstream(*scripts, **options))

    return start


@pytest.fixture
def gateway(started: ExitStack, tmp_path: Path, certificates: Certificates) -> Callable[..., Gateway]:
    """gateway(upstream or backend, ..., section={...}): a running gateway in front of these servers."""

    def start(
        *backends: Upstream | dict, secrets: tuple[str, ...] = (), arguments: tuple[str, ...] = (), **changes
    ) -> Gateway:
        certificates.ecdsa.place(tmp_path)
        rows = [backend(entry.port) if isinstance(entry, Upstream) else entry for entry in backends]
        config = configuration(rows, tmp_path, **changes)
        running = started.enter_context(Gateway(config, tmp_path, secrets, arguments=arguments))
        running.config = config
        return running

    return start


@pytest.fixture
def connect(started: ExitStack, certificates: Certificates) -> Callable[..., Client]:
    """connect(gateway, listener="plain"): a client; on `pop3s` with TLS, on `pop3` without until it says stls()."""

    def start(running: Gateway, listener: str = "plain", **options) -> Client:
        tls = certificates.client_context() if listener == "pop3s" else None
        return started.enter_context(Client(running.ports[listener], tls, **options))

    return start


@pytest.fixture(scope="session")
def dovecot_root() -> Path:
    return private_root(REPOSITORY / "build/cache/dovecot")


@pytest.fixture(scope="session")
def cyrus_root() -> Path:
    return cyrus.private_root(REPOSITORY / "build/cache/cyrus")


@pytest.fixture(scope="session")
def courier_root() -> Path:
    return courier.private_root(REPOSITORY / "build/cache/courier")


@pytest.fixture(scope="session")
def mail_programs_root() -> Path:
    return mail_programs.private_root(REPOSITORY / "build/cache/mail_programs")


@pytest.fixture
def dovecot(started: ExitStack, dovecot_root: Path, certificates: Certificates) -> Callable[..., Dovecot]:
    """dovecot({user: password}, {user: [message, ...]}): a running Dovecot."""

    def start(users: dict[str, str], mailboxes: dict[str, list[bytes]] | None = None) -> Dovecot:
        return started.enter_context(Dovecot(dovecot_root, users, certificates.ecdsa.pair, mailboxes or {}))

    return start
