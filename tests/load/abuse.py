#!/usr/bin/python3
"""Clients and stores that mean harm: what does each attack cost the gateway's memory, and does somebody else's session
notice?

usage: tests/load/abuse.py [CONNECTIONS]     (2000 for each attack but the first, which has 10,000 from one address; the
program under test is $POSTERN)
"""

import asyncio
import base64
import logging
import multiprocessing
import ssl
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support/python"))

from checks import Checks  # noqa: E402
from idle_sessions import allow_descriptors, start_store  # noqa: E402
from postern_testing.certificates import Certificates  # noqa: E402
from postern_testing.client import Client, eventually  # noqa: E402
from postern_testing.gateway import Gateway, backend, configuration, imap_backend, is_sanitized  # noqa: E402
from prober import Prober  # noqa: E402
from usage import cpu_nanoseconds  # noqa: E402

CONNECTIONS = 2000
SECONDS = 5.0  # of each attack, once its connections are there
MESSAGES = 5000  # in the mailbox whose list is asked for without end
FROM_ONE_ADDRESS = 10_000
# What a connection may cost that has not said who it is; OpenSSL keeps a record's buffer while one is on its way.
MAX_KIB = 10.0
MAX_TLS_KIB = 60.0
# A session whose client reads nothing holds what it has taken from the server and could not give on.
MAX_STALLED_KIB = 200.0
MAX_BOMB_KIB = 8 * 1024  # for one connection of a store that answers without end
# Of the median NOOP: a loop that serves the attack serves others between. Two cores are shared with the attackers.
MAX_SLOWER = 25.0
MAX_NOOP = 0.1  # seconds, if that is more
MAX_LATE = 1.0  # 99 of 100


class Attacker:
    """Runs an attack in a process of its own, from construction until stop()."""

    def __init__(self, stack: ExitStack, attack, *arguments) -> None:
        self._pipe, other_end = multiprocessing.Pipe()
        process = multiprocessing.Process(target=_run, args=(other_end, attack, arguments), daemon=True)
        process.start()
        stack.callback(process.join)
        stack.callback(process.terminate)

    def wait_until_ready(self) -> int:
        """How many of its connections were made."""
        return self._pipe.recv()

    def stop(self) -> None:
        self._pipe.send("stop")


def _run(pipe: Connection, attack, arguments) -> None:
    asyncio.run(attack(pipe, *arguments))


async def until_told(pipe: Connection) -> None:
    while not pipe.poll():
        await asyncio.sleep(0.02)


async def connected(port: int, count: int) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    made = []
    for _ in range(0, count, 100):
        batch = [asyncio.open_connection("127.0.0.1", port, limit=1 << 12) for _ in range(100)]
        made += [entry for entry in await asyncio.gather(*batch, return_exceptions=True) if isinstance(entry, tuple)]
    return made


async def slowloris(pipe: Connection, port: int, count: int) -> None:
    """One octet of a user name now and then, from everybody."""
    streams = await connected(port, count)
    for _, writer in streams:
        writer.write(b"USER ")
    pipe.send(len(streams))
    while not pipe.poll():
        for _, writer in streams:
            writer.write(b"a")
        await asyncio.sleep(0.5)


async def half_handshakes(pipe: Connection, port: int, count: int) -> None:
    """The first half of a ClientHello, and silence."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = outgoing.read()
    streams = await connected(port, count)
    for _, writer in streams:
        writer.write(hello[: len(hello) // 2])
    pipe.send(len(streams))
    await until_told(pipe)


async def unfinished_handshakes(pipe: Connection, port: int, count: int) -> None:
    """A whole ClientHello, so that the gateway signs, and nothing behind it; again and again."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = outgoing.read()
    streams = await connected(port, count)
    for _, writer in streams:
        writer.write(hello)
    pipe.send(len(streams))
    await until_told(pipe)


async def nothing_said(pipe: Connection, port: int, count: int) -> None:
    streams = await connected(port, count)
    pipe.send(len(streams))
    await until_told(pipe)


async def list_flood(pipe: Connection, port: int, count: int) -> None:
    """LIST and UIDL without end, by clients that read nothing."""
    streams = await connected(port, count)

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"USER flood\r\nPASS x\r\n")
        for _ in range(3):
            await reader.readline()
        writer.transport.pause_reading()
        while not pipe.poll():
            writer.write(b"LIST\r\nUIDL\r\n" * 50)
            await writer.drain()
            await asyncio.sleep(0.05)

    running = [asyncio.create_task(flood(*stream)) for stream in streams]
    await asyncio.sleep(1)
    pipe.send(len(streams))
    await until_told(pipe)
    for task in running:
        task.cancel()


async def bad_commands(pipe: Connection, port: int, count: int) -> None:
    """Connections that say nonsense until they are closed, and come again: as fast as they can."""

    async def babble() -> None:
        while not pipe.poll():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"XYZZY " + b"a" * 200 + b"\r\n" * 30)
                await reader.read()
                writer.close()
            except OSError:
                await asyncio.sleep(0.01)

    running = [asyncio.create_task(babble()) for _ in range(min(count, 50))]
    pipe.send(len(running))
    await until_told(pipe)
    for task in running:
        task.cancel()


class FloodStore(asyncio.Protocol):
    """A POP3 store with a long list."""

    def __init__(self) -> None:
        self.buffer = b""
        self.list = b"+OK\r\n" + b"".join(b"%d 1000\r\n" % n for n in range(1, MESSAGES + 1)) + b".\r\n"
        self.uidl = b"+OK\r\n" + b"".join(b"%d unique-%d\r\n" % (n, n) for n in range(1, MESSAGES + 1)) + b".\r\n"

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        transport.write(b"+OK ready\r\n")

    def pause_writing(self) -> None:
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()

    def data_received(self, octets: bytes) -> None:
        *lines, self.buffer = (self.buffer + octets).split(b"\r\n")
        for line in lines:
            answers = {
                b"CAPA": b"+OK\r\nUIDL\r\nUSER\r\nPIPELINING\r\nSASL PLAIN\r\n.\r\n",
                b"LIST": self.list,
                b"UIDL": self.uidl,
                b"STAT": b"+OK %d %d\r\n" % (MESSAGES, 1000 * MESSAGES),
            }
            self.transport.write(answers.get(line.split(b" ")[0], b"+OK\r\n"))


class BombStore(asyncio.Protocol):
    """An IMAP store that answers the login, and then without end; the user's name chooses with what."""

    PIECE = 64 * 1024

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.buffer = b""
        self.bomb = b""
        self.paused = False
        transport.write(b"* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN UIDPLUS] ready\r\n")

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self.go_on()

    def data_received(self, octets: bytes) -> None:
        if self.bomb:
            return
        *lines, self.buffer = (self.buffer + octets).split(b"\r\n")
        for line in lines:
            tag, _, command = line.partition(b" ")
            if command.startswith(b"AUTHENTICATE"):
                self.kind = self.user_of(command)
                self.transport.write(tag + b" OK [CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS] in\r\n")
            else:
                self.explode()

    @staticmethod
    def user_of(command: bytes) -> str:
        return base64.b64decode(command.split()[2]).split(b"\0")[1].decode()

    def explode(self) -> None:
        head, self.bomb = {
            "line": (b"* ", b"A" * self.PIECE),
            "nesting": (b"* 1 FETCH ", b"(" * self.PIECE),
            "literal": (b"* 1 FETCH (UID 1 BODY[HEADER] {1099511627776}\r\n", b"x" * self.PIECE),
            "untagged": (b"", b"* 1 EXISTS\r\n" * 5000),
            "fetches": (b"* 1 EXISTS\r\n", b"* 1 FETCH (UID 1 RFC822.SIZE 1 FLAGS (\\Seen))\r\n" * 1500),
            "flags": (b"* FLAGS (", b"flag " * 10000),
        }[self.kind]
        self.transport.write(head)
        self.go_on()

    def go_on(self) -> None:
        if self.paused or self.transport.is_closing():
            return
        self.transport.write(self.bomb)
        asyncio.get_running_loop().call_soon(self.go_on)


BOMBS = ("line", "nesting", "literal", "untagged", "fetches", "flags")


def _serve(pipe: Connection, protocol) -> None:
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # that a peer has gone is no news here
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def start_server(stack: ExitStack, protocol) -> int:
    receive, send = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_serve, args=(send, protocol), daemon=True)
    process.start()
    stack.callback(process.join)
    stack.callback(process.terminate)
    return receive.recv()


class Siege(Checks):
    def __init__(self, connections: int, stack: ExitStack) -> None:
        super().__init__()
        self.rows: list[tuple[str, str, tuple[float, float], tuple[float, float]]] = []
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postern-abuse-")))
        Certificates(folder).ecdsa.place(folder)
        backends = [
            backend(start_store(stack), name="quiet"),
            backend(start_server(stack, FloodStore), name="flood"),
            imap_backend(start_server(stack, BombStore), name="bombs"),
        ]
        config = configuration(backends, folder, limits={"max_sessions": FROM_ONE_ADDRESS + 200})
        config["routes"] = [{"match": {"user": "flood"}, "backend": "flood"}]
        config["routes"] += [{"match": {"user": bomb}, "backend": "bombs"} for bomb in BOMBS]
        config["routes"].append({"match": "any", "backend": "quiet"})
        self.gateway = stack.enter_context(Gateway(config, folder, quiet=True))
        self.probers = [Prober(stack, self.gateway.ports["plain"], f"victim{n}") for n in range(2)]

    def attack(self, name: str, attack, listener: str, connections: int, most_kib: float) -> None:
        port = self.gateway.ports[listener]
        quiet = self.measured(2.0)
        before = self.gateway.resident_kib()
        with ExitStack() as stack:
            attacker = Attacker(stack, attack, port, connections)
            there = attacker.wait_until_ready()
            during = self.measured(SECONDS)
            full = self.gateway.resident_kib()
            attacker.stop()
        each = (full - before) / max(there, 1)
        self.told(name, f"{there} connections, {each:.1f} KiB for each", quiet, during)
        self.require(there == connections, f"{name}: not all connections were made")
        if not is_sanitized():
            self.require(each <= most_kib, f"{name}: more than {most_kib} KiB for a connection")
        eventually(lambda: self.live() == len(self.probers), f"{name}: sessions of the attack end", 60)

    def explode(self, bomb: str) -> None:
        quiet = self.measured(1.0)
        before = self.gateway.resident_kib()
        begin = time.monotonic()
        with Client(self.gateway.ports["plain"]) as client:
            answer = client.login(bomb)
        took = time.monotonic() - begin
        during = (begin, time.monotonic())
        grown = self.gateway.resident_kib() - before
        self.told(f"bomb {bomb}", f"answered after {took:.2f} s: {answer.decode()[:40]}; {grown} KiB more", quiet, during)
        self.require(answer.startswith(b"-ERR [SYS/"), f"bomb {bomb}: {answer!r}")
        if not is_sanitized():
            self.require(grown <= MAX_BOMB_KIB, f"bomb {bomb}: more than {MAX_BOMB_KIB} KiB")

    def measured(self, seconds: float) -> tuple[float, float]:
        begin = time.monotonic()
        time.sleep(seconds)
        return begin, time.monotonic()

    def live(self) -> float:
        return self.gateway.metric("postern_client_sessions")

    def told(self, name: str, what: str, quiet: tuple[float, float], during: tuple[float, float]) -> None:
        self.rows.append((name, what, quiet, during))

    def finish(self) -> None:
        for prober in self.probers:
            prober.stop()
        for name, what, quiet, during in self.rows:
            calm = [took for prober in self.probers for took in prober.times(*quiet)]
            busy = [took for prober in self.probers for took in prober.times(*during)]
            median, late = statistics.median(busy), sorted(busy)[int(len(busy) * 0.99)]
            print(
                f"{name}: {what}; NOOP {statistics.median(calm) * 1000:.2f} ms before, {median * 1000:.2f} ms during,"
                f" 99 of 100 within {late * 1000:.1f} ms ({len(busy)})"
            )
            allowed = max(MAX_NOOP, statistics.median(calm) * MAX_SLOWER)
            self.require(median <= allowed, f"{name}: others wait too long")
            self.require(late <= MAX_LATE, f"{name}: some others wait too long")


def main() -> int:
    connections = int(sys.argv[1]) if len(sys.argv) > 1 else CONNECTIONS
    allow_descriptors(FROM_ONE_ADDRESS + 1000)
    with ExitStack() as stack:
        siege = Siege(connections, stack)
        siege.attack("connections that say nothing", nothing_said, "plain", FROM_ONE_ADDRESS, MAX_KIB)
        siege.attack("slowloris", slowloris, "plain", connections, MAX_KIB)
        siege.attack("half a ClientHello", half_handshakes, "pop3s", connections, MAX_TLS_KIB)
        siege.attack("handshakes without an end", unfinished_handshakes, "pop3s", connections, MAX_TLS_KIB)
        siege.attack("LIST and UIDL, nothing read", list_flood, "plain", min(connections, 200), MAX_STALLED_KIB)
        siege.attack("nonsense as fast as it can", bad_commands, "plain", 50, MAX_TLS_KIB)
        cpu = cpu_nanoseconds(siege.gateway)
        for bomb in BOMBS:
            siege.explode(bomb)
        time.sleep(1.0)
        before = cpu_nanoseconds(siege.gateway)
        time.sleep(1.0)
        idle = (cpu_nanoseconds(siege.gateway) - before) / 1e9
        print(f"CPU of the gateway a second after the bombs: {idle:.2f} s/s ({(before - cpu) / 1e9:.1f} s for them)")
        siege.finish()
    return siege.status()


if __name__ == "__main__":
    sys.exit(main())
