"""What becomes of the messages that a client deletes, in every way to delete; and that no others are touched."""

import pytest
from conftest import Server, logged_in
from maildrop import retrieved, totals, uidls

from postern_testing.client import Client, eventually
from postern_testing.dovecot import TRASH

FOLDERS = {"Entwürfe": "Entw&APw-rfe", TRASH: "Papierk&APY-rbe"}  # as IMAP encodes their names


@pytest.fixture
def user(server) -> str:
    """Has a mailbox in which another client has marked the second message and the fourth."""
    name = server.new_user("a", "b", "c", "d", "e")
    uids = [stored.uid for stored in server.store.stored(name)]
    server.store.flag(name, [uids[1], uids[3]], r"\Deleted")
    return name


def delete(client: Client, *numbers: int) -> None:
    for number in numbers:
        assert client.command(f"DELE {number}").startswith(b"+OK")


def quit_well(client: Client) -> None:
    assert client.command("QUIT").startswith(b"+OK")
    client.expect_closed("eof")


def marked(server: Server, user: str) -> list[str]:
    """The subjects of the messages that are marked as deleted."""
    flags = server.store.flags(user)
    return [
        subject
        for stored, subject in zip(server.store.stored(user), server.subjects(user), strict=True)
        if r"\Deleted" in flags[stored.uid]
    ]


def assert_untouched(server: Server, user: str) -> None:
    assert server.subjects(user) == ["a", "b", "c", "d", "e"]
    assert marked(server, user) == ["b", "d"]


# Which messages


def test_removed_messages_are_gone_and_no_others(server, translation, user):
    client = translation(user)
    delete(client, 1, 4)
    assert totals(client)[0] == 3
    assert server.subjects(user) == ["a", "b", "c", "d", "e"]
    quit_well(client)
    assert server.subjects(user) == ["b", "c", "e"]
    assert marked(server, user) == ["b"]
    assert totals(translation(user))[0] == 3


def test_everything_can_be_removed(server, translation, user):
    client = translation(user)
    delete(client, 1, 2, 3, 4, 5)
    quit_well(client)
    assert server.subjects(user) == []
    client = translation(user)
    assert totals(client) == (0, 0)
    quit_well(client)


def test_what_came_meanwhile_is_not_removed(server, translation, user):
    client = translation(user)
    server.deliver(user, "new")
    delete(client, 1, 2, 3, 4, 5)
    assert client.command("DELE 6").startswith(b"-ERR")
    quit_well(client)
    assert server.subjects(user) == ["new"]


def test_rset_takes_everything_back(server, translation, user):
    client = translation(user)
    delete(client, 1, 2, 5)
    assert client.command("RSET").startswith(b"+OK")
    delete(client, 3)
    assert client.command("RSET").startswith(b"+OK")
    quit_well(client)
    assert_untouched(server, user)


@pytest.mark.parametrize("how", ["close", "reset", "shut_writing"])
def test_without_quit_nothing_is_removed(server, translation, running_translation, user, how):
    client = translation(user)
    delete(client, 1, 3)
    getattr(client, how)()
    running_translation(server).wait_for_metric(0, "postern_backend_sessions")
    assert_untouched(server, user)


def test_quit_counts_even_if_the_client_is_gone(server, translation, user):
    client = translation(user)
    client.send(b"DELE 1\r\nDELE 3\r\nQUIT\r\n")
    client.reset()
    eventually(lambda: server.subjects(user) == ["b", "d", "e"], "the messages are gone")
    assert marked(server, user) == ["b", "d"]


def test_message_that_somebody_else_removed_is_no_failure(server, translation, user):
    client = translation(user)
    server.store.expunge(user, [server.store.stored(user)[2].uid])
    delete(client, 1, 3)
    quit_well(client)
    assert server.subjects(user) == ["b", "d", "e"]


def test_only_what_was_fetched_is_marked_as_read(server, translation, user):
    client = translation(user)
    for number in (1, 2, 5):
        retrieved(client, number)
    assert client.command_multi("TOP 3 1")[0].startswith(b"+OK")
    delete(client, 1)
    quit_well(client)
    seen = [r"\Seen" in flags for _, flags in sorted(server.store.flags(user).items())]
    assert list(zip(server.subjects(user), seen, strict=True)) == [("b", True), ("c", False), ("d", False), ("e", True)]


# Moving


def test_deleted_messages_are_moved(server, translation, user):
    folder = server.folder(FOLDERS["Entwürfe"])
    stored = server.store.stored(user)
    for number, left in ((1, ["b", "c", "d", "e"]), (4, ["b", "c", "d"])):  # the first time the folder is not there
        client = translation(user, "moving")
        delete(client, number)
        quit_well(client)
        assert server.subjects(user) == left
    moved = server.store.stored(user, folder)
    assert [message.octets for message in moved] == [stored[0].octets, stored[4].octets]
    assert [flags & {r"\Deleted"} for flags in server.store.flags(user, folder).values()] == [set(), set()]
    assert marked(server, user) == ["b", "d"]


@pytest.mark.parametrize("server", ["dovecot"], indirect=True)
def test_trash_is_where_the_server_says(server, translation, user):
    client = translation(user, "to-trash")
    delete(client, 2, 5)
    quit_well(client)
    assert server.subjects(user) == ["a", "c", "d"]
    assert server.subjects(user, FOLDERS[TRASH]) == ["b", "e"]


@pytest.mark.parametrize("server", ["cyrus", "courier"], indirect=True)
def test_without_a_trash_nothing_is_removed(server, translation, user):
    client = translation(user, "to-trash")
    delete(client, 1, 3)
    assert client.command("QUIT") == b"-ERR some deleted messages not removed"
    client.expect_closed("eof")
    assert_untouched(server, user)


# Hiding


def test_flagged_messages_are_hidden_and_stay(server, translation, user):
    client = translation(user, "flagging")
    ids = uidls(client)
    delete(client, 2, 3)
    quit_well(client)
    assert_untouched(server, user)
    assert uidls(translation(user, "flagging")) == [ids[0], ids[3], ids[4]]
    assert uidls(translation(user)) == ids
    keywords = [flags - {r"\Deleted"} for flags in server.store.flags(user).values()]
    assert keywords == [set(), {"$postern-deleted"}, {"$postern-deleted"}, set(), set()]


def test_each_view_keeps_what_another_has_deleted(server, translation, user):
    ids = uidls(translation(user))
    phone = translation(user, "phone")
    assert uidls(phone) == ids
    delete(phone, 1, 2)
    quit_well(phone)
    tablet = translation(user, "tablet")
    assert uidls(tablet) == ids
    delete(tablet, 5)
    quit_well(tablet)
    server.deliver(user, "f")
    after = uidls(translation(user))
    assert after[:5] == ids
    assert uidls(translation(user, "phone")) == after[2:]
    assert uidls(translation(user, "tablet")) == [*ids[:4], after[5]]
    assert server.subjects(user) == ["a", "b", "c", "d", "e", "f"]


def test_hidden_messages_are_not_swept_along(server, translation, user):
    phone = translation(user, "phone")
    delete(phone, 2, 4)
    quit_well(phone)
    phone = translation(user, "phone")
    delete(phone, 1, 2, 3)  # a, c and e, which lie around the hidden ones
    quit_well(phone)
    assert totals(translation(user, "phone"))[0] == 0
    assert_untouched(server, user)


@pytest.mark.parametrize("server", ["dovecot"], indirect=True)
def test_hidden_messages_survive_an_expunge_around_them(server, gateway_for, user):
    gateway = gateway_for(server.imap_leg(deleted_messages="hide"))
    with logged_in(gateway, user) as client:
        assert totals(client)[0] == 3
        delete(client, 1, 2, 3)
        quit_well(client)
    assert server.subjects(user) == ["b", "d"]
    assert marked(server, user) == ["b", "d"]
