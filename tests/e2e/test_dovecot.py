"""Through the gateway comes what Dovecot itself gives: with curl, with Python's poplib, and octet by octet."""

import poplib
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from corpus import BIG, CORPUS, MANY, message
from differential import answers, walk

from postern_testing.client import Client

USER = "corpus@example.net"
NUMBERS = range(1, len(CORPUS) + 1)
poplib._MAXLINE = 1_000_000  # its own limit, 2048 octets, is below what messages have


# curl


def curl(url: str, user: str, password: str, *options: str) -> bytes:
    command = ["curl", "-sS", "--max-time", "60", "-u", f"{user}:{password}", *options, url]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, f"curl {url}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def curl_pop3s(bench, user: str, what: str, *options: str) -> bytes:
    url = f"pop3s://localhost:{bench.gateway.ports['pop3s']}/{what}"
    return curl(url, user, bench.password(user), "--cacert", str(bench.ca), *options)


def curl_stls(bench, user: str, what: str, *options: str) -> bytes:
    url = f"pop3://localhost:{bench.gateway.ports['pop3']}/{what}"
    return curl(url, user, bench.password(user), "--ssl-reqd", "--cacert", str(bench.ca), *options)


def curl_direct(bench, user: str, what: str, *options: str) -> bytes:
    return curl(f"pop3://127.0.0.1:{bench.store.ports.pop3}/{what}", user, bench.password(user), *options)


@pytest.mark.parametrize("through", [curl_pop3s, curl_stls], ids=["pop3s", "stls"])
@pytest.mark.parametrize("number", NUMBERS, ids=CORPUS.keys())
def test_curl_fetches_what_the_store_has(bench, through, number):
    fetched = through(bench, USER, str(number))
    assert fetched == curl_direct(bench, USER, str(number))


@pytest.mark.parametrize("through", [curl_pop3s, curl_stls], ids=["pop3s", "stls"])
def test_curl_fetches_a_big_message(bench, through):
    fetched = through(bench, "big", "1")
    assert len(fetched) > 25_000_000
    assert fetched == BIG.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_curl_logs_in_by_every_mechanism(bench, mechanism):
    fetched = curl_pop3s(bench, USER, "1", "--login-options", f"AUTH={mechanism}")
    assert fetched == CORPUS["plain"].replace(b"\n", b"\r\n")


def test_curl_lists_and_uidl(bench):
    assert curl_pop3s(bench, USER, "") == curl_direct(bench, USER, "")
    assert curl_pop3s(bench, USER, "", "-X", "UIDL") == curl_direct(bench, USER, "", "-X", "UIDL")


def test_curl_hears_of_a_wrong_password(bench):
    url = f"pop3s://localhost:{bench.gateway.ports['pop3s']}/1"
    command = ["curl", "-sS", "--cacert", bench.ca, "-u", f"{USER}:wrong", url]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 67


# poplib


def poplib_session(bench, kind: str):
    context = bench.certificates.client_context()
    if kind == "pop3s":
        return poplib.POP3_SSL("localhost", bench.gateway.ports["pop3s"], context=context, timeout=30)
    session = poplib.POP3("localhost", bench.gateway.ports["pop3"], timeout=30)
    session.stls(context)
    return session


def log_in(session: poplib.POP3, bench, user: str) -> poplib.POP3:
    session.user(user)
    session.pass_(bench.password(user))
    return session


def poplib_direct(bench, user: str) -> poplib.POP3:
    return log_in(poplib.POP3("127.0.0.1", bench.store.ports.pop3, timeout=30), bench, user)


@pytest.mark.parametrize("kind", ["pop3s", "stls"])
def test_poplib_fetches_the_corpus(bench, kind):
    relayed, direct = log_in(poplib_session(bench, kind), bench, USER), poplib_direct(bench, USER)
    assert relayed.stat() == direct.stat()
    assert relayed.list()[1:] == direct.list()[1:]
    assert relayed.uidl()[1:] == direct.uidl()[1:]
    for number in NUMBERS:
        assert relayed.retr(number)[1:] == direct.retr(number)[1:]
        assert relayed.top(number, 3)[1:] == direct.top(number, 3)[1:]
    relayed.quit()
    direct.quit()


def test_poplib_sees_the_capabilities(bench):
    session = poplib_session(bench, "pop3s")
    assert {"TOP", "UIDL", "USER", "SASL", "PIPELINING", "RESP-CODES"} <= set(session.capa())
    log_in(session, bench, USER)
    assert {"TOP", "UIDL", "PIPELINING"} <= set(session.capa())
    session.quit()


def test_password_with_eight_bit_octets(bench):
    session = poplib_session(bench, "pop3s")
    session.encoding = "utf-8"
    log_in(session, bench, "nobody-writes")
    assert session.stat() == (0, 0)
    session.quit()


def test_a_thousand_messages(bench):
    session = log_in(poplib_session(bench, "pop3s"), bench, "many")
    assert session.stat()[0] == len(MANY)
    for number, expected in enumerate(MANY, 1):
        assert session.retr(number)[1] == expected.split(b"\n")[:-1]
    session.quit()


def test_many_sessions_at_once(bench):
    def fetch(first: int) -> bool:
        session = log_in(poplib_session(bench, "pop3s"), bench, "many")
        numbers = range(first, len(MANY) + 1, 16)
        same = all(session.retr(number)[1] == MANY[number - 1].split(b"\n")[:-1] for number in numbers)
        session.quit()
        return same

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(fetch, range(1, 17))) == [True] * 16


# The whole command set, direct and relayed

@pytest.mark.parametrize("listener", ["plain", "pop3s"])
@pytest.mark.parametrize("pipelined", [False, True], ids=["one-by-one", "pipelined"])
def test_relayed_answers_are_the_direct_ones(bench, listener, pipelined):
    direct = answers(bench.direct(USER), walk(len(CORPUS)), pipelined=False)
    relayed = answers(bench.client(USER, listener), walk(len(CORPUS)), pipelined)
    for expected, got in zip(direct, relayed, strict=True):
        assert got == expected


# Removing


def uids(client: Client) -> list[str]:
    lines = client.command_multi("UIDL")[1].decode().splitlines()
    return [line.split()[1] for line in lines]


def test_removed_messages_are_gone_and_no_others(bench):
    bench.store.fill("scratch", [message(f"s{n}", b"x\n") for n in range(5)])
    with bench.direct("scratch") as client:
        before = uids(client)
    with bench.client("scratch", "pop3s") as client:
        assert uids(client) == before
        for number in (2, len(before)):
            assert client.command(f"DELE {number}").startswith(b"+OK")
        assert client.command("QUIT").startswith(b"+OK")
        client.expect_closed("eof")
    expected = [uid for position, uid in enumerate(before, 1) if position not in (2, len(before))]
    with bench.client("scratch") as client:
        assert uids(client) == expected
        assert client.command("QUIT").startswith(b"+OK")
    with bench.direct("scratch") as client:
        assert uids(client) == expected


def test_session_without_quit_removes_nothing(bench):
    bench.store.fill("second", [message(f"s{n}", b"x\n") for n in range(3)])
    with bench.direct("second") as client:
        before = uids(client)
    with bench.client("second", "pop3s") as client:
        assert client.command("DELE 1").startswith(b"+OK")
        client.reset()
    with bench.client("second") as client:
        assert client.command("DELE 2").startswith(b"+OK")
        assert client.command("RSET").startswith(b"+OK")
        assert client.command("QUIT").startswith(b"+OK")
        client.expect_closed("eof")
    with bench.direct("second") as client:
        assert uids(client) == before


def test_new_mail_is_seen_by_the_next_session(bench):
    with bench.client("scratch") as client:
        before = len(uids(client))
        client.command("QUIT")
    bench.store.fill("scratch", [message("new", b"new\n")])
    with bench.client("scratch") as client:
        assert len(uids(client)) == before + 1
        client.command("QUIT")


def test_wrong_password_is_told_as_such(bench):
    with Client(bench.gateway.ports["plain"]) as client:
        assert client.login(USER, "wrong").startswith(b"-ERR [AUTH]")
        assert client.login(USER, bench.password(USER)).startswith(b"+OK")
