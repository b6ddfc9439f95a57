"""What lies in another process's memory."""

import re
from pathlib import Path

REGION = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+\s*(.*)$")
CHUNK = 4 << 20


def writable_regions(pid: int) -> list[tuple[int, int, str]]:
    regions = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        start, end, rights, name = REGION.match(line).groups()
        if rights.startswith("rw"):
            regions.append((int(start, 16), int(end, 16), name or "heap or stack of a thread"))
    return regions


def find(pid: int, *needles: bytes) -> list[tuple[bytes, str, bytes]]:
    """Where the octets stand: which, in which region, and what is around them. Needs root."""
    found = []
    overlap = max(map(len, needles))
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name in writable_regions(pid):
            before = b""
            while start < end:
                try:
                    memory.seek(start)
                    octets = memory.read(min(CHUNK, end - start))
                except OSError:  # a guard page, or gone meanwhile
                    break
                if not octets:
                    break
                text = before + octets
                for needle in needles:
                    at = text.find(needle)
                    while at >= 0:
                        found.append((needle, name, bytes(text[max(0, at - 40) : at + len(needle) + 20])))
                        at = text.find(needle, at + 1)
                before = text[-overlap:]
                start += len(octets)
    return found
