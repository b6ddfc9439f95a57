"""Sums up a folder of results: junit files of ctest and pytest, and `.check` files that say `passed` or `failed`.

A test that failed in NAME.xml and passed in NAME.again.xml is unsteady."""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path


AGAIN = ".again.xml"


def outcomes(file: Path) -> list[str]:
    """One of passed, failed, skipped, unsteady for each test in the file. A program of ctest's whose own tests left a file
    (gtest-PRESET/NAME.xml beside ctest-PRESET.xml) counts by them, and as one more when it failed though none of them did.
    """
    if file.suffix == ".check":
        return [file.read_text().strip()]
    passed_again = names(file.with_suffix(AGAIN), "passed")
    results = []
    for case in ElementTree.parse(file).iter("testcase"):
        result = outcome(case)
        if result == "failed" and name_of(case) in passed_again:
            result = "unsteady"
        own = file.parent / file.stem.replace("ctest-", "gtest-") / f"{case.get('name')}.xml"
        if file.stem.startswith("ctest-") and own.exists():
            tests = outcomes(own)
            results += tests
            if result != "failed" or "failed" in tests:
                continue
        results.append(result)
    return results


def outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed"


def name_of(case: ElementTree.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"


def names(file: Path, result: str) -> set[str]:
    """The tests of a file that may not exist."""
    if not file.exists():
        return set()
    return {name_of(case) for case in ElementTree.parse(file).iter("testcase") if outcome(case) == result}


def main(folder: Path) -> int:
    counts: Counter[str] = Counter()
    for file in sorted(folder.iterdir()):
        if file.name.endswith(AGAIN):
            for name in sorted(names(file, "passed")):
                print(f"unsteady, failed and then passed alone: {name}")
        elif file.suffix in (".xml", ".check"):
            counts.update(outcomes(file))
    unsteady = f", {counts['unsteady']} unsteady" if counts["unsteady"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped{unsteady}")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    if sys.argv[1] == "--failed":  # how many in one file
        print(len(names(Path(sys.argv[2]), "failed")))
        sys.exit(0)
    sys.exit(main(Path(sys.argv[1])))
