#!/usr/bin/python3
import pathlib
import tempfile
import unittest

import log_events


class LogEventsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "src").mkdir()
        (self.root / "docs").mkdir()

    def write(self, source, page):
        (self.root / "src" / "a.cpp").write_text(source)
        (self.root / "docs" / "log.md").write_text(page)

    def test_finds_events_over_several_lines(self):
        self.write('LogLine(log_, std::max(row.level, info),\n        "login_failed", "login failed").field("x", y);', "")
        self.assertEqual(list(log_events.logged(self.root)), ["login_failed"])

    def test_reads_the_table_and_nothing_behind_it(self):
        self.write("", "| event |\n| `a`, `b` | info |\n\n## session_end\n| `c` | info |\n")
        self.assertEqual(log_events.documented(self.root), {"a", "b"})


if __name__ == "__main__":
    unittest.main()
