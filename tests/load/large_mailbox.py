#!/usr/bin/python3
"""Large mailboxes behind IMAP: 50,000 messages in Dovecot compared with Dovecot's own POP3, and a million.

usage: tests/load/large_mailbox.py [comparison|million]     (both; the program under test is $POSTERN)
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support/python"))

import comparison  # noqa: E402
import million  # noqa: E402
from checks import Checks  # noqa: E402

PARTS = {"comparison": comparison.run, "million": million.run}


def main() -> int:
    checks = Checks()
    for name in sys.argv[1:] or PARTS:
        print(f"--- {name}", flush=True)
        PARTS[name](checks)
    return checks.status()


if __name__ == "__main__":
    sys.exit(main())
