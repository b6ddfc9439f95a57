"""What a running gateway has used."""

import re
from pathlib import Path

from postern_testing.gateway import Gateway


def cpu_nanoseconds(gateway: Gateway) -> int:
    """CPU time of all its threads."""
    files = Path(f"/proc/{gateway.process.pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files)


def peak_kib(gateway: Gateway) -> int:
    """The most memory it ever had."""
    text = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE)[1])
