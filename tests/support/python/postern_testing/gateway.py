"""Runs the gateway under test: configuration in, ports, log lines and metrics out."""

import http.client
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import yaml

from .client import DEADLINE, eventually
from .process import dies_with_parent

REPOSITORY = Path(__file__).resolve().parents[4]
SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:")
SHOWN_LINES = 100  # of the log, where a test failed
PAIR = re.compile(r'([A-Za-z_0-9]+)=("(?:[^"\\]|\\.)*"|[^ ]*)')
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Sample = tuple[str, frozenset[tuple[str, str]]]


def binary() -> Path:
    """The program under test: $POSTERN, or what the dev preset builds."""
    path = Path(os.environ.get("POSTERN", REPOSITORY / "build/dev/src/app/postern"))
    if not path.exists():
        raise RuntimeError(f"{path} does not exist: build it, or name another one in $POSTERN")
    return path


def is_sanitized() -> bool:
    """Whether the program under test is built with a sanitizer, which makes its memory no measure."""
    program = binary().read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def parse_logfmt(line: str) -> dict[str, str]:
    fields = {}
    for key, value in PAIR.findall(line):
        fields[key] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
    return fields


def parse_metrics(text: str) -> dict[Sample, float]:
    samples = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            match = SAMPLE.match(line)
            assert match, f"not in the exposition format: {line!r}"
            name, labels, value = match.groups()
            samples[(name, frozenset(LABEL.findall(labels or "")))] = float(value)
    return samples


def matching(samples: dict[Sample, float], name: str, labels: dict[str, str]) -> list[float]:
    wanted = set(labels.items())
    return [value for (sample, have), value in samples.items() if sample == name and wanted <= have]


def configuration(backends: list[dict], folder: Path, **changes) -> dict:
    """A complete configuration: the listeners pop3s, pop3 (STLS) and plain; the first backend is everybody's.

    Certificate and key are cert.pem and key.pem in the folder. `changes` are merged into the sections."""
    config = {
        "version": 1,
        "runtime": {"threads": 2, "drain_timeout": "5s", "user": "root"},  # the tests' folders are root's
        "log": {"format": "logfmt", "level": "info"},
        "admin": {"bind": "127.0.0.1:0"},
        "tls": {
            "profiles": {"default": {"certificates": [{"cert": f"{folder}/cert.pem", "key": f"{folder}/key.pem"}]}}
        },
        "listeners": [
            {"name": "pop3s", "bind": "127.0.0.1:0", "tls": "implicit", "profile": "default"},
            {"name": "pop3", "bind": "127.0.0.1:0", "tls": "starttls", "profile": "default"},
            {"name": "plain", "bind": "127.0.0.1:0", "tls": "none", "require_tls_for_auth": False},
        ],
        "backends": backends,
        "routes": [{"match": "any", "backend": backends[0]["name"]}],
        "limits": {"auth_failure_delay": "0s"},
    }
    for section, change in changes.items():
        if isinstance(change, dict):
            config.setdefault(section, {}).update(change)
        else:
            config[section] = change
    return config


def backend(*ports: int, name: str = "store", **changes) -> dict:
    """A POP3 backend on loopback, in plaintext unless `tls` says otherwise."""
    servers = [{"host": "127.0.0.1", "port": port} for port in ports]
    return {"name": name, "protocol": "pop3", "servers": servers, "tls": {"mode": "none"}, **changes}


def imap_backend(*ports: int, name: str = "store", **changes) -> dict:
    """The same for servers that speak IMAP; `imap` has the settings of the translation."""
    return {**backend(*ports, name=name), "protocol": "imap", **changes}


class Gateway:
    """Ended in __exit__ and then held to account: exit status 0, no report of a sanitizer, no secret in the log."""

    def __init__(
        self,
        config: dict,
        folder: Path,
        secrets: tuple[str, ...] = (),
        quiet: bool = False,
        arguments: tuple[str, ...] = (),
    ) -> None:
        self.file = folder / "postern.yaml"
        self.secrets = secrets
        self.arguments = arguments
        self.quiet = quiet  # do not print the log at the end
        self.ports: dict[str, int] = {}
        self.output: list[str] = []
        self.errors: list[str] = []
        self.expected_status: int | None = 0
        self.write(config)

    def write(self, config: dict | str) -> None:
        text = config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False)
        self.file.write_text(text)

    def __enter__(self) -> "Gateway":
        self.process = subprocess.Popen(
            dies_with_parent([str(binary()), "-c", str(self.file), *self.arguments]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C is for whoever started it, who then sends SIGTERM
        )
        self._readers = [
            threading.Thread(target=self._collect, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.output), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()
        try:
            self.wait_for_event("started")
            for entry in self.events("listening"):
                self.ports[entry["listener"]] = int(entry["address"].rpartition(":")[2])
        except BaseException:
            self._kill()
            print(self.report())
            raise
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            if self.process.poll() is None:
                self.terminate()
                self.wait()
        finally:
            self._kill()
            if not self.quiet:
                print(self.report(last=SHOWN_LINES))  # pytest shows it where a test failed
        text = self.report()
        found = [mark for mark in SANITIZER_REPORTS if mark in text]
        assert not found, f"sanitizer report: {found}"
        assert not [secret for secret in self.secrets if secret in text], "a secret stands in the log"
        if kind is None and self.expected_status is not None:
            assert self.process.returncode == self.expected_status, f"exit status {self.process.returncode}"

    def report(self, last: int = 0) -> str:
        """What it wrote; with `last` only so many lines."""
        return "\n".join(["--- postern, stdout:", *self.output[-last:], "--- postern, stderr:", *self.errors[-last:]])

    # Log

    def events(self, event: str | None = None, **fields: object) -> list[dict[str, str]]:
        wanted = {key: str(value) for key, value in fields.items()}
        entries = [parse_logfmt(line) for line in list(self.output)]
        return [
            entry
            for entry in entries
            if event in (None, entry.get("event")) and all(entry.get(key) == value for key, value in wanted.items())
        ]

    def wait_for_event(self, event: str, **fields: object) -> dict[str, str]:
        """The first log line that matches, now or soon."""

        def found() -> list[dict[str, str]]:
            entries = self.events(event, **fields)
            assert entries or self.process.poll() is None, f"postern ended with status {self.process.returncode}"
            return entries

        return eventually(found, f"event={event} {fields}\n{self.report()}")[0]

    # Metrics

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["admin"], timeout=DEADLINE)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metrics(self) -> dict[Sample, float]:
        status, text = self.get("/metrics")
        assert status == 200, text
        return parse_metrics(text)

    def metric(self, name: str, **labels: str) -> float:
        """The sum over all series of this name with these labels, whatever other labels they have."""
        samples = self.metrics()
        found = matching(samples, name, labels)
        assert found, f"no series {name}{labels}; there are {sorted({sample for sample, _ in samples})}"
        return sum(found)

    def wait_for_metric(self, expected: float, name: str, **labels: str) -> None:
        """Until a series exists and has this value."""

        def reached() -> bool:
            found = matching(self.metrics(), name, labels)
            return bool(found) and sum(found) == expected

        eventually(reached, f"{name}{labels} becomes {expected}")

    # Signals

    def reload(self, config: dict | str | None = None) -> dict[str, str]:
        """SIGHUP, after writing a new file if one is given; gives the log line about it."""
        if config is not None:
            self.write(config)
        before = len(self.events("config_reload"))
        self.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(self.events("config_reload")) > before, "event=config_reload")
        return self.events("config_reload")[before]

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = DEADLINE) -> int:
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"postern has not ended within {seconds} s\n{self.report()}") from None
        for reader in self._readers:
            reader.join(DEADLINE)
        return status

    def resident_kib(self, kind: str = "Pss") -> int:
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(rf"^{kind}:\s+(\d+) kB", text, re.MULTILINE).group(1))

    def _collect(self, stream, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))

    def _kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()


def check(file: Path) -> tuple[int, str]:
    """`postern check`: exit status and what it says on stderr."""
    done = subprocess.run(
        [binary(), "check", "-c", file], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    return done.returncode, done.stderr
