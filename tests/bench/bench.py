"""The benchmark behind tests/bench/run, once everything is built."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import report
from peers import PACKAGES, DovecotPeer, Haproxy, Nginx, Peer, Perdition, Postern, Site, Store, Stunnel
from scenarios import SCENARIOS, Measured, Scenario
from spoiler import Spoiler

from postern_testing.certificates import self_signed
from postern_testing.dovecot import private_root
from postern_testing.gateway import REPOSITORY, binary
from postern_testing.packages import unpacked
from postern_testing.process import dies_with_parent

RAW = ("HAProxy (raw)", "stunnel (raw)")
ONE_PROCESS_EACH = ("Dovecot imapc", "Perdition")
WARM_UP = 200  # sessions of any peer before the first figure
FIRST_NEW_USER = 1_000_000
OURS = ("direct", "postern relay", "postern translation")


class WrongAnswer(Exception):
    """A session failed. Of somebody else's it is told, and its figure is missing; of ours it ends the run."""


def peers_of(site: Site, store: Store) -> list[Peer]:
    return [
        Store("direct", site, store.distance, site.gateway_cpu),
        Nginx("nginx", site, store),
        Nginx("nginx, 2 workers", site, store, workers=2),
        DovecotPeer("Dovecot proxy", site, store, "pop3"),
        Perdition("Perdition", site, store),
        Haproxy("HAProxy (raw)", site, store),
        Stunnel("stunnel (raw)", site, store),
        DovecotPeer("Dovecot imapc", site, store, "imap"),
        Postern("postern relay", site, store, "pop3"),
        Postern("postern translation", site, store, "imap"),
    ]


class Benchmark:
    def __init__(self, site: Site, peers: dict[int, list[Peer]]) -> None:
        self.site = site
        self.peers = peers  # by the distance of their store
        self.generator = binary().parents[2] / "tests/bench/bench_load"
        self.new_user = FIRST_NEW_USER

    def run(self, scenarios: list[Scenario], rounds: int, shorter: float) -> dict:
        """The figures of every round, by scenario and peer. Each round begins with another peer."""
        figures: dict = {scenario.name: {} for scenario in scenarios}
        for round_number in range(rounds):
            for scenario in scenarios:
                peers = self.peers[scenario.distance]
                turned = peers[round_number % len(peers) :] + peers[: round_number % len(peers)]
                for peer in turned:
                    if peer.name in RAW and not scenario.raw or scenario.tls == "none" and not peer.plain:
                        continue
                    values = figures[scenario.name].setdefault(peer.name, {"main": [], "also": []})
                    try:
                        measured = self.measure(scenario, peer, scenario.seconds / shorter)
                    except WrongAnswer as answer:
                        if peer.name in OURS:
                            raise
                        print(f"{round_number + 1} {scenario.name:14} {peer.name:20} {answer}", flush=True)
                        continue
                    values["main"].append(scenario.figure(measured))
                    if scenario.also:
                        values["also"].append(scenario.also[1](measured))
                    tell(round_number, scenario, peer, measured)
        return figures

    def warm_up(self) -> None:
        for peers in self.peers.values():
            for peer in peers:
                self.load(peer, "full", ["--mailbox", "1x1024", "--fetches", "1", "--sessions", str(WARM_UP)])

    def measure(self, scenario: Scenario, peer: Peer, seconds: float) -> Measured:
        arguments = [*scenario.load, "--seconds", str(seconds)]
        if scenario.sessions:
            sessions = scenario.few if peer.name in ONE_PROCESS_EACH else scenario.sessions
            arguments += ["--sessions", str(sessions)]
        if scenario.new_users:
            arguments += ["--first-user", str(self.new_user)]
            self.new_user += 100_000
        if scenario.warm:
            self.load(peer, scenario.tls, arguments)
        with self.beside(scenario, peer):
            return self.load(peer, scenario.tls, arguments)

    def require_distrust(self, store: Store) -> None:
        """That one wrong octet does not go unnoticed: the other figures stand on it."""
        arguments = ["--mailbox", "1x4096", "--fetches", "1", "--at-once", "1", "--sessions", "1"]
        with Spoiler(store.plain) as spoiler:
            command = self.command(spoiler, "none", arguments)
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode == 0 or "differs behind octet" not in done.stdout:
            raise RuntimeError(f"the generator took a message that was changed: {done.stdout}")

    def command(self, peer: Peer | Spoiler, tls: str, arguments: list[str]) -> list[str]:
        port = peer.plain if tls == "none" else peer.tls
        words = ["taskset", "-c", self.site.other_cpu, self.generator, "--port", port, "--tls", tls, *arguments]
        return dies_with_parent([str(word) for word in words])

    def load(self, peer: Peer, tls: str, arguments: list[str]) -> Measured:
        before, memory, held = peer.cpu_seconds(), peer.pss_kib(), 0
        process = subprocess.Popen(
            self.command(peer, tls, arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        line = process.stdout.readline()
        if line == "holding\n":
            held = peer.pss_kib()
            process.stdin.close()
            line = process.stdout.readline()
        process.stdin.close()
        status = process.wait()
        result = json.loads(line or "{}")
        if status != 0 or not result["sessions"]:
            raise WrongAnswer(f"{peer.name}: {arguments}: status {status}, {result}")
        resumed = result["resumed"] / result["sessions"]
        if (resumed > 0.9) != (tls == "resumed"):
            result["note"] = f"{resumed:.0%} resumed"
        return Measured(result, peer.cpu_seconds() - before, held - memory)

    @contextmanager
    def beside(self, scenario: Scenario, peer: Peer) -> Iterator[None]:
        if scenario.beside is None:
            yield
            return
        arguments = [*scenario.beside, "--seconds", "600"]
        process = subprocess.Popen(self.command(peer, scenario.tls, arguments), stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def tell(round_number: int, scenario: Scenario, peer: Peer, measured: Measured) -> None:
    also = f", {scenario.also[1](measured):.1f} {scenario.also[0]}" if scenario.also else ""
    note = f" ({measured.report['note']})" if "note" in measured.report else ""
    print(f"{round_number + 1} {scenario.name:14} {peer.name:20} {scenario.figure(measured):9.2f} {scenario.unit}{also}{note}",
          flush=True)  # fmt: skip


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures postern beside what others use.")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--scenario", action="append", choices=names, help="only this one; may be repeated")
    parser.add_argument("--peer", action="append", help="only those whose name has this; may be repeated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one short round of postern alone: does everything work?")
    return parser.parse_args()


def main() -> int:
    options = parse()
    scenarios = [scenario for scenario in SCENARIOS if not options.scenario or scenario.name in options.scenario]
    cpus = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="postern-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        site = Site(
            folder,
            REPOSITORY / "build/cache/peers/root" if options.quick else unpacked(REPOSITORY / "build/cache/peers", PACKAGES),
            REPOSITORY / "build/cache/dovecot/root" if options.quick else private_root(REPOSITORY / "build/cache/dovecot"),
            self_signed(folder),
            gateway_cpu=str(cpus[-1]),
            other_cpu=str(cpus[0]),
        )  # fmt: skip
        wanted = OURS if options.quick else options.peer
        peers = {}
        for distance in sorted({scenario.distance for scenario in scenarios}):
            store = stack.enter_context(Store("store", site, distance, site.other_cpu))
            peers[distance] = [
                stack.enter_context(peer)
                for peer in peers_of(site, store)
                if not wanted or any(name in peer.name for name in wanted)
            ]
        benchmark = Benchmark(site, peers)
        benchmark.require_distrust(store)
        benchmark.warm_up()
        figures = benchmark.run(scenarios, 1 if options.quick else options.rounds, 6 if options.quick else 1)
    names = [peer.name for peer in next(iter(peers.values()))]
    print(report.tables(scenarios, names, figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
