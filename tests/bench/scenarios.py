"""What is measured: what the clients do, and which figure counts."""

from collections.abc import Callable
from dataclasses import dataclass

KB = 1024  # as mail servers count: 64 KB are 65,536 octets
FAR = 20  # milliseconds


@dataclass
class Measured:
    """What one run gave: the generator's report and what the gateway used meanwhile."""

    report: dict
    cpu: float  # seconds
    pss_kib: float = 0  # more than before, while all sessions were held

    def cpu_per_session(self) -> float:
        """µs"""
        return self.cpu / self.report["sessions"] * 1e6

    def cpu_per_message(self) -> float:
        """µs"""
        return self.cpu / self.report["messages"] * 1e6

    def cpu_per_gigabyte(self) -> float:
        """s"""
        return self.cpu / self.report["octets"] * 1e9

    def kib_per_session(self) -> float:
        return self.pss_kib / self.report["sessions"]

    def megabytes_per_second(self) -> float:
        return self.report["octets"] / self.report["seconds"] / 1e6

    def whole_p50(self) -> float:
        """ms"""
        return self.report["whole_ms"]["p50"]

    def whole_p99(self) -> float:
        """ms"""
        return self.report["whole_ms"]["p99"]

    def listing_p50(self) -> float:
        """ms"""
        return self.report["listing_ms"]["p50"]

    def fetching_p50(self) -> float:
        """ms"""
        return self.report["fetching_ms"]["p50"]


Figure = Callable[[Measured], float]


@dataclass
class Scenario:
    name: str
    title: str
    unit: str
    figure: Figure
    load: list[str]
    seconds: float = 3.0
    also: tuple[str, Figure] | None = None  # a second figure and its unit
    tls: str = "full"
    warm: bool = False  # the same once before, not measured
    new_users: bool = False  # none of them was seen before
    beside: list[str] | None = None  # another load, all the while, that is not measured
    distance: int = 0  # ms of the store
    raw: bool = True  # whether it says something about a proxy that sees no commands
    sessions: int = 0  # at most
    few: int = 0  # of them, for a peer with a process for each


POLL = ["--mailbox", "0x0=40", "--mailbox", "15x4096=40", "--mailbox", "200x4096=18", "--mailbox", "2000x4096=2",
        "--users", "100", "--lists"]  # fmt: skip
LOGIN = ["--mailbox", "0x0"]
RETR_64K = ["--mailbox", f"16x{64 * KB}", "--users", "8", "--fetches", "400"]
RETR_10M = ["--mailbox", f"2x{10 * KB * KB}", "--users", "4", "--at-once", "4", "--fetches", "20"]
RETR_4K = ["--mailbox", f"100x{4 * KB}", "--users", "8", "--fetches", "2000"]
LIGHT = ["--mailbox", "0x0", "--rate", "100"]

SCENARIOS = [
    Scenario("login", "login, full TLS handshake", "CPU µs/session", Measured.cpu_per_session, LOGIN),
    Scenario("login-resumed", "login, TLS resumed", "CPU µs/session", Measured.cpu_per_session, LOGIN, tls="resumed"),
    Scenario("login-plain", "login, no TLS", "CPU µs/session", Measured.cpu_per_session, LOGIN, tls="none"),
    Scenario("poll", "poll mix, full TLS handshake", "CPU µs/session", Measured.cpu_per_session, POLL, warm=True),
    Scenario("retr-64k", "RETR 64 KB", "CPU s/GB", Measured.cpu_per_gigabyte, RETR_64K,
             also=("MB/s", Measured.megabytes_per_second)),
    Scenario("retr-10m", "RETR 10 MB", "CPU s/GB", Measured.cpu_per_gigabyte, RETR_10M,
             also=("MB/s", Measured.megabytes_per_second)),
    Scenario("retr-4k", "RETR 4 KB, one at a time", "CPU µs/message", Measured.cpu_per_message, RETR_4K),
    Scenario("retr-4k-32", "RETR 4 KB, 32 pipelined", "CPU µs/message", Measured.cpu_per_message,
             [*RETR_4K, "--depth", "32"]),
    Scenario("idle", "memory per idle session after fetching mail", "KiB (PSS)", Measured.kib_per_session,
             ["--mailbox", f"5x{16 * KB}", "--users", "2000", "--at-once", "20", "--fetches", "5", "--hold"],
             sessions=2000, few=100),
    Scenario("light", "100 logins/s: whole session", "p50 ms", Measured.whole_p50, LIGHT, seconds=5,
             also=("p99 ms", Measured.whole_p99)),
    Scenario("beside", "100 logins/s beside 4 sessions that fetch 10 MB", "p50 ms", Measured.whole_p50, LIGHT, seconds=5,
             also=("p99 ms", Measured.whole_p99), beside=RETR_10M),
    Scenario("far-poll-cold", "store 20 ms away, poll of 15 messages, never seen before", "p50 ms", Measured.whole_p50,
             ["--mailbox", "15x4096", "--users", "100000", "--lists"], seconds=2, new_users=True, distance=FAR),
    Scenario("far-poll", "store 20 ms away, the same again", "p50 ms", Measured.whole_p50,
             ["--mailbox", "15x4096", "--users", "8", "--lists"], seconds=2, warm=True, distance=FAR),
    Scenario("far-retr", "store 20 ms away, RETR of 100 × 4 KB one at a time", "ms", Measured.fetching_p50,
             ["--mailbox", "100x4096", "--users", "4", "--at-once", "4", "--fetches", "100"], seconds=10, warm=True,
             distance=FAR, sessions=4, few=4),
    Scenario("list-50k", "50,000 messages, LIST and UIDL of a mailbox that is known", "CPU ms/session",
             lambda measured: measured.cpu_per_session() / 1000,
             ["--mailbox", "50000x4096", "--users", "1", "--at-once", "1", "--lists"], warm=True, raw=False,
             also=("ms from PASS to the end of UIDL", Measured.listing_p50)),
]  # fmt: skip
