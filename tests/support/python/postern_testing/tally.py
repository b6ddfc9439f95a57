"""Sums up a folder of results: junit files of ctest and pytest, and `.check` files that say `passed` or `failed`."""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path


def outcomes(file: Path) -> list[str]:
    """One of passed, failed, skipped for each test in the file."""
    if file.suffix == ".check":
        return [file.read_text().strip()]
    results = []
    for case in ElementTree.parse(file).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
            results.append("failed")
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            results.append("skipped")
        else:
            results.append("passed")
    return results


def main(folder: Path) -> int:
    counts = Counter(
        result for file in sorted(folder.iterdir()) if file.suffix in (".xml", ".check") for result in outcomes(file)
    )
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
