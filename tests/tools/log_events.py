#!/usr/bin/python3
"""Holds docs/log.md against the sources: every event that is logged is documented, and nothing else is."""
import pathlib
import re
import sys

# LogLine(log, level, "event", "message"): the event is the first string.
LOG_LINE = re.compile(r'\bLogLine\([^;"]*"(\w+)"')
TABLE_ROW = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)


def logged(root):
    events = {}
    for path in sorted((root / "src").rglob("*.cpp")):
        for event in LOG_LINE.findall(path.read_text()):
            events.setdefault(event, path.relative_to(root))
    return events


def documented(root):
    events, _, _ = (root / "docs" / "log.md").read_text().partition("## session_end")
    return {event for row in TABLE_ROW.findall(events) for event in re.findall(r"`(\w+)`", row)}


def main():
    root = pathlib.Path(sys.argv[1])
    in_sources, in_docs = logged(root), documented(root)
    problems = [f"{path}: the event {event} is not in docs/log.md" for event, path in in_sources.items() if event not in in_docs]
    problems += [f"docs/log.md: nobody logs the event {event}" for event in sorted(in_docs - in_sources.keys())]
    print("\n".join(problems) or f"{len(in_docs)} events")
    return 1 if problems or not in_sources else 0


if __name__ == "__main__":
    sys.exit(main())
