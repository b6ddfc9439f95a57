"""What outlives a session, and a gateway: it makes logins cheap, and whatever becomes of it, never wrong."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from conftest import Server, gateway_before, logged_in
from corpus import CORPUS
from maildrop import listed, retrieved, uidls

from postern_testing.gateway import Gateway

WRITE_VERSION = 18  # in the header of a SQLite file; what is above 2 says: read only
LISTS = ("unchanged", "updated", "full")


def lists(gateway: Gateway) -> dict[str, int]:
    """How logins came to their list of messages."""
    found = {result: int(gateway.metric("postern_snapshots_total", result=result)) for result in LISTS}
    return {result: number for result, number in found.items() if number}


def assert_right(server: Server, gateway: Gateway, user: str, ids: list[str]) -> None:
    """A session shows what is stored."""
    stored = server.store.stored(user)
    with logged_in(gateway, user) as client:
        assert uidls(client) == ids
        assert listed(client) == [(number, message.size) for number, message in enumerate(stored, 1)]
        assert retrieved(client, 2) == stored[1].octets
        assert client.command("QUIT").startswith(b"+OK")


def ids_of(gateway: Gateway, user: str) -> list[str]:
    with logged_in(gateway, user) as client:
        return uidls(client)


# In memory


def test_unchanged_mailbox_is_listed_once(server, gateway_for):
    gateway = gateway_for(server.imap_leg())
    ids = ids_of(gateway, "appended")
    assert len(ids) > len(CORPUS) // 2
    assert lists(gateway) == {"full": 1}
    for _ in range(3):
        assert ids_of(gateway, "appended") == ids
    assert lists(gateway) == {"full": 1, "unchanged": 3}


def test_of_a_changed_mailbox_only_the_change_is_asked_for(server, gateway_for):
    user = server.new_user("a", "b", "c")
    gateway = gateway_for(server.imap_leg())
    ids = ids_of(gateway, user)
    server.deliver(user, "d", "e")
    longer = ids_of(gateway, user)
    assert longer[:3] == ids and len(longer) == 5
    server.store.expunge(user, [server.store.stored(user)[1].uid])
    assert_right(server, gateway, user, [longer[0], *longer[2:]])
    server.deliver(user, "f")
    server.store.expunge(user, [server.store.stored(user)[0].uid])
    assert ids_of(gateway, user)[:3] == longer[2:]
    assert lists(gateway) == {"full": 1, "updated": 3}


def test_own_deletions_are_a_change_as_well(server, gateway_for):
    user = server.new_user("a", "b", "c")
    gateway = gateway_for(server.imap_leg())
    with logged_in(gateway, user) as client:
        ids = uidls(client)
        client.command("DELE 1")
        assert client.command("QUIT").startswith(b"+OK")
    assert ids_of(gateway, user) == ids[1:]
    assert ids_of(gateway, user) == ids[1:]
    assert lists(gateway) == {"full": 1, "updated": 1, "unchanged": 1}


# In a file


@pytest.fixture
def run(certificates, tmp_path) -> Callable[[Server], object]:
    """run(server): a gateway for a while, with the store's file at `tmp_path/store/snapshots`."""
    (tmp_path / "store").mkdir()

    @contextmanager
    def start(server: Server) -> Iterator[Gateway]:
        store = {"file": str(tmp_path / "store/snapshots")}
        with gateway_before(server.imap_leg(), certificates, tmp_path, store=store) as gateway:
            yield gateway

    return start


def test_restarted_gateway_knows_what_it_knew(server, run):
    user = server.new_user("a", "b", "c")
    with run(server) as gateway:
        ids = ids_of(gateway, user)
        assert lists(gateway) == {"full": 1}
    with run(server) as gateway:
        assert_right(server, gateway, user, ids)
        assert lists(gateway) == {"unchanged": 1}
        assert gateway.metric("postern_store_loads_total", result="file") == 1
        server.deliver(user, "d")
    with run(server) as gateway:
        assert_right(server, gateway, user, [*ids, *ids_of(gateway, user)[3:]])
        assert lists(gateway) == {"updated": 1, "unchanged": 1}


def remove(path: Path) -> None:
    path.unlink()


def scribble(path: Path) -> None:
    path.write_bytes(b"this was a store once\n" * 1000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def cut(path: Path) -> None:
    octets = path.read_bytes()
    path.write_bytes(octets[: len(octets) // 2])


def overwrite_the_end(path: Path) -> None:
    octets = path.read_bytes()
    path.write_bytes(octets[: len(octets) // 2] + b"\xff" * (len(octets) - len(octets) // 2))


def replace_by_another(path: Path) -> None:
    path.unlink()
    execute(path, "CREATE TABLE addresses (name TEXT)")


def flip_a_bit(path: Path) -> None:
    execute(path, "UPDATE snapshots SET record = CAST(substr(record, 1, 30) || x'7f' || substr(record, 32) AS BLOB)")


def mix_up(path: Path) -> None:
    """Each user gets the list of the other."""
    execute(path, "CREATE TABLE o AS SELECT id, record FROM snapshots",
            "UPDATE snapshots SET record = (SELECT record FROM o WHERE o.id != snapshots.id)", "DROP TABLE o")  # fmt: skip


def close_for_writing(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[WRITE_VERSION] = 3
    path.write_bytes(octets)


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            assert database.execute(statement).rowcount != 0
        database.commit()


RUINS = {  # what becomes of the file: how a login then comes to its list, and the trouble that is counted
    remove: ("full", None),
    empty: ("full", None),
    scribble: ("full", "foreign"),
    zero: ("full", "corrupt"),
    cut: ("full", "corrupt"),
    overwrite_the_end: ("full", "corrupt"),
    replace_by_another: ("full", "foreign"),
    flip_a_bit: ("full", "damaged"),
    mix_up: ("full", "damaged"),
    close_for_writing: ("unchanged", None),
}


@pytest.mark.parametrize("ruin", RUINS, ids=lambda ruin: ruin.__name__)
@pytest.mark.parametrize("server", ["dovecot"], indirect=True)
def test_ruined_file_costs_time_and_nothing_else(server, run, tmp_path, ruin):
    result, trouble = RUINS[ruin]
    users = server.new_user("a", "b", "c"), server.new_user("a", "b", "c", "d")
    with run(server) as gateway:
        ids = {user: ids_of(gateway, user) for user in users}
    ruin(tmp_path / "store/snapshots")
    with run(server) as gateway:
        for user in users:
            assert_right(server, gateway, user, ids[user])
        assert lists(gateway) == {result: 2}
        for user in users:
            assert_right(server, gateway, user, ids[user])
        assert lists(gateway) == ({result: 2, "unchanged": 2} if result == "full" else {result: 4})
        if not trouble:
            assert not gateway.events("store_trouble")
        else:
            gateway.wait_for_event("store_trouble")
            assert gateway.metric("postern_store_troubles_total", kind=trouble) >= 1


@pytest.mark.parametrize("server", ["dovecot"], indirect=True)
def test_file_that_cannot_be_written_is_read(server, run, tmp_path):
    user = server.new_user("a", "b", "c")
    with run(server) as gateway:
        ids = ids_of(gateway, user)
    close_for_writing(tmp_path / "store/snapshots")
    server.deliver(user, "d")
    with run(server) as gateway:
        longer = ids_of(gateway, user)
        assert longer[:3] == ids
        assert_right(server, gateway, user, longer)
        assert lists(gateway) == {"updated": 1, "unchanged": 1}
        gateway.wait_for_metric(1, "postern_store_troubles_total", kind="read_only")


@pytest.mark.parametrize("server", ["dovecot"], indirect=True)
def test_two_gateways_share_a_file(server, certificates, tmp_path):
    user = server.new_user("a", "b", "c")
    store = {"file": str(tmp_path / "snapshots")}
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = (gateway_before(server.imap_leg(), certificates, folder, store=store) for folder in folders)
    with one, two:
        ids = ids_of(one, user)
        one.wait_for_metric(1, "postern_store_writes_total")
        assert_right(server, two, user, ids)
        assert lists(two) == {"unchanged": 1}
