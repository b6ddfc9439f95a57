"""What a view shows of a real mailbox, and that a message has the same unique id in all of them."""

import time

import pytest
import yaml
from conftest import PASSWORD, logged_in, plain_listener
from corpus import subject_of
from maildrop import retrieved, totals, uidls

from postern_testing.client import Client
from postern_testing.gateway import Gateway

DAY = 86_400
ENTWUERFE = "Entw&APw-rfe"  # as IMAP encodes it


def shown(client: Client) -> dict[str, str]:
    """Unique ids and subjects."""
    ids = uidls(client)
    assert len(set(ids)) == len(ids)
    return {uid: subject_of(retrieved(client, number)) for number, uid in enumerate(ids, 1)}


def subjects(client: Client) -> list[str]:
    return list(shown(client).values())


def quit_well(client: Client) -> None:
    assert client.command("QUIT").startswith(b"+OK")
    client.expect_closed("eof")


# Folders


@pytest.fixture
def user(server) -> str:
    """Has two folders whose messages have the same numbers."""
    name = server.new_user("in-1", "in-2", "in-3")
    server.store.create(name, server.folder("Junk"))
    server.deliver(name, "junk-1", "junk-2", mailbox=server.folder("Junk"))
    return name


@pytest.fixture
def merged(server, gateway_for) -> Gateway:
    view = {"name": "merged", "folders": ["INBOX", server.folder("Junk")]}
    leg = server.imap_leg(login_separator="+")
    return gateway_for(leg, views=[view], listeners=[plain_listener("default"), plain_listener("merged")])


def client_of(gateway: Gateway, user: str, listener: str) -> Client:
    return logged_in(gateway, user, listener=listener)


def test_folders_stand_one_behind_the_other(server, merged, user):
    with client_of(merged, user, "merged") as client:
        both = shown(client)
        assert list(both.values()) == ["in-1", "in-2", "in-3", "junk-1", "junk-2"]
        assert totals(client)[0] == 5
        for number in (5, 1, 4, 2):  # the folder changes every time
            assert subject_of(retrieved(client, number)) == list(both.values())[number - 1]
    with client_of(merged, user, "default") as client:
        assert uidls(client) == list(both)[:3]
    with client_of(merged, f"{user}+{server.folder('Junk')}", "default") as client:
        assert shown(client) == dict(list(both.items())[3:])


def test_each_message_is_removed_from_its_own_folder(server, merged, user):
    with client_of(merged, user, "merged") as client:
        for number in (1, 3, 5):
            assert client.command(f"DELE {number}").startswith(b"+OK")
        quit_well(client)
    assert server.subjects(user) == ["in-2"]
    assert server.subjects(user, server.folder("Junk")) == ["junk-1"]
    with client_of(merged, user, "merged") as client:
        assert subjects(client) == ["in-2", "junk-1"]


def test_folder_that_vanishes_or_comes_is_no_failure(server, merged, user):
    with client_of(merged, user, "merged") as client:
        before = shown(client)
    server.store.delete(user, server.folder("Junk"))
    with client_of(merged, user, "merged") as client:
        assert uidls(client) == list(before)[:3]
    server.store.create(user, server.folder("Junk"))
    server.deliver(user, "junk-3", mailbox=server.folder("Junk"))
    with client_of(merged, user, "merged") as client:
        after = shown(client)
        assert list(after.values()) == ["in-1", "in-2", "in-3", "junk-3"]
        assert not set(list(after)[3:]) & set(before)


def test_folder_with_another_alphabet_is_reached_by_the_login(server, translation, user):
    server.store.create(user, server.folder(ENTWUERFE))
    server.deliver(user, "draft-1", "draft-2", mailbox=server.folder(ENTWUERFE))
    client = translation(f"{user}+{server.folder('Entwürfe')}")
    assert subjects(client) == ["draft-1", "draft-2"]
    assert client.command("DELE 1").startswith(b"+OK")
    quit_well(client)
    assert server.subjects(user, server.folder(ENTWUERFE)) == ["draft-2"]
    assert server.subjects(user) == ["in-1", "in-2", "in-3"]


def test_folder_that_is_not_there_is_not_an_empty_one(server, running_translation, user):
    with Client(running_translation(server).ports["plain"]) as client:
        assert client.login(f"{user}+{server.folder('Nowhere')}", PASSWORD) == b"-ERR [SYS/PERM] no such folder"
        assert client.login(f"{user}+inbox", PASSWORD).startswith(b"+OK")
        assert totals(client)[0] == 3


# Windows


def test_newest_messages_are_shown_and_the_others_stay(server, translation, user):
    whole = shown(translation(user))
    client = translation(user, "newest")
    assert shown(client) == dict(list(whole.items())[1:])
    for number in (1, 2):
        assert client.command(f"DELE {number}").startswith(b"+OK")
    quit_well(client)
    assert server.subjects(user) == ["in-1"]
    assert uidls(translation(user, "newest")) == list(whole)[:1]


def test_messages_of_the_last_days_are_shown_and_the_others_stay(server, translation):
    now = time.time()
    user = server.new_user()
    for name, age in (("new", 0), ("old", 30), ("yesterday", 1), ("ancient", 400)):
        server.deliver(user, name, arrived=now - age * DAY)
    ids = uidls(translation(user))
    client = translation(user, "recent")
    assert shown(client) == {ids[0]: "new", ids[2]: "yesterday"}
    for number in (1, 2):
        assert client.command(f"DELE {number}").startswith(b"+OK")
    quit_well(client)
    assert server.subjects(user) == ["old", "ancient"]


def test_ids_stay_when_the_view_changes(server, gateway_for, user):
    gateway = gateway_for(server.imap_leg(), views=[{"name": "default"}])
    with logged_in(gateway, user) as client:
        ids = uidls(client)
    junk = server.folder("Junk")
    for change, expected in (
        ({"newest": 2}, ids[1:]),
        ({"folders": [junk, "INBOX"], "newest": 1}, ids[2:]),
        ({"folders": ["INBOX"], "delete": "keep"}, ids),
        ({"days": 2, "delete": "flag"}, ids),
    ):
        config = changed(gateway, change)
        assert gateway.reload(config)["level"] == "info"
        with logged_in(gateway, user) as client:
            assert uidls(client)[-len(expected) :] == expected


def changed(gateway: Gateway, change: dict) -> dict:
    config = yaml.safe_load(gateway.file.read_text())
    return {**config, "views": [{"name": "default", **change}]}
