"""What house_lint.py must refuse, and what it must let pass. Run: python3 house_lint_test.py"""

import unittest

import house_lint


def rules(code, name="src/session/a.cpp"):
    return [finding.rule for finding in house_lint.check(name, code)]


BAD = {
    "clock": ["auto t = std::chrono::steady_clock::now();", "system_clock :: now();", "time(nullptr);", "::time(&t);",
              "auto t = std::time(nullptr);", "clock_gettime(CLOCK_MONOTONIC, &t);", "gettimeofday(&t, nullptr);", "uv_now(loop);",
              "uv_hrtime();"],
    "random": ["std::random_device d;", "std::mt19937 e;", "rand();", "std::rand();", "srand(1);", "getrandom(p, n, 0);",
               "RAND_bytes(p, n);", "return random();"],
    "thread": ["std::thread t(f);", "std::jthread t(f);", "auto f = std::async(g);", "pthread_create(&t, 0, f, 0);",
               "uv_queue_work(l, r, f, g);"],
    "sleep": ["std::this_thread::sleep_for(1s);", "sleep_until(t);", "sleep(1);", "::usleep(5);", "nanosleep(&t, 0);"],
    "output": ["printf(\"x\");", "std::fprintf(stderr, \"x\");", "std::cout << 1;", "std::cerr << 1;", "puts(\"x\");",
               "#include <iostream>", "fmt::print(\"x\");", "perror(\"x\");"],
}

GOOD = ["clock.now(); clock_->now(); scheduler.now();", "std::chrono::steady_clock::time_point t;", "deadline.time(); Time time() const;",
        "C(Random& r) : random(r) {}", "strand(1); operand(2); brand(); my::random(3);", "std::this_thread::get_id();", "std::thread::id i;",
        "std::thread::hardware_concurrency();", "snprintf(b, n, \"%d\", 1); std::vsnprintf(b, n, f, a);", "asleep(1); o.sleep(2);",
        "\"rand() TODO printf(\";  // steady_clock::now() and printf()", "outputs(1); inputs.puts(2);"]


class Words(unittest.TestCase):
    def test_refuses_each(self):
        for rule, snippets in BAD.items():
            for snippet in snippets:
                with self.subTest(snippet):
                    self.assertEqual(rules(snippet), [rule])

    def test_lets_others_pass(self):
        for snippet in GOOD:
            with self.subTest(snippet):
                self.assertEqual(rules(snippet), [])

    def test_every_rule_has_snippets(self):
        self.assertEqual({word.rule for word in house_lint.WORDS}, set(BAD))

    def test_seams_are_implemented_somewhere(self):
        self.assertEqual(rules("steady_clock::now(); getrandom(p, n, 0); fprintf(stderr, \"x\");", "src/base/system.cpp"), [])
        self.assertEqual(rules("uv_now(l); std::thread t(f);", "src/loop/loop.cpp"), [])
        self.assertEqual(rules("RAND_bytes(p, n);", "src/tls/tickets.cpp"), [])
        self.assertEqual(rules("std::thread t(f); printf(\"x\");", "src/app/worker.cpp"), [])

    def test_homes_are_not_neighbours(self):
        self.assertEqual(rules("std::thread t(f);", "src/application/a.cpp"), ["thread"])
        self.assertEqual(rules("sleep(1);", "src/app/a.cpp"), ["sleep"])


class Habits(unittest.TestCase):
    def test_catch_all_is_explained(self):
        self.assertEqual(rules("try { f(); } catch (...) {\n}\n"), ["catch-all"])
        self.assertEqual(rules("try { f(); } catch (...) {  // the library throws ints\n}\n"), [])
        self.assertEqual(rules("try { f(); } catch (...) {\n  // the library throws ints\n}\n"), [])

    def test_todo_names_an_issue(self):
        for word in ("TODO", "FIXME", "XXX", "HACK"):
            with self.subTest(word):
                self.assertEqual(rules(f"// {word}: later\n"), ["todo"])
        self.assertEqual(rules("// TODO #12: later\n"), [])

    def test_machine_paths(self):
        for folder in ("home", "root", "work", "tmp"):
            with self.subTest(folder):
                self.assertEqual(rules(f'f("/{folder}/x");'), ["machine-path"])
                self.assertEqual(rules(f"// see /{folder}/x\n"), ["machine-path"])
        self.assertEqual(rules('f("/etc/postern/tmp/x"); g("/metrics"); h = a / b;'), [])

    def test_headers_begin_with_pragma_once(self):
        self.assertEqual(rules("// why\n\n#pragma once\nint x;\n", "include/postern/base/a.hpp"), [])
        self.assertEqual(rules("int x;\n#pragma once\n", "src/base/a.hpp"), ["pragma-once"])
        self.assertEqual(rules("", "src/base/a.hpp"), ["pragma-once"])
        self.assertEqual(rules("int x;\n", "src/base/a.cpp"), [])

    def test_length(self):
        self.assertEqual(rules("int x;\n" * house_lint.MAX_LINES), [])
        self.assertEqual(rules("int x;\n" * (house_lint.MAX_LINES + 1)), ["length"])

    def test_names_file_and_line(self):
        finding, = house_lint.check("src/net/a.cpp", "int x;\n\n  sleep(1);\n")
        self.assertEqual(str(finding), "src/net/a.cpp:3: sleep: sleep: nothing of ours blocks a thread to wait: arm a timer")


if __name__ == "__main__":
    unittest.main()
