"""What coro_lint.py must refuse, and what it must let pass. Run: python3 coro_lint_test.py"""

import unittest

import coro_lint


def rules(code, name="src/session/x.cpp"):
    return [finding.rule for finding in coro_lint.check(name, code)]


def inside(body):
    return rules("Task<void> f(A a) {\n" + body + "\n}\n")


# Each one alone in a coroutine's body.
GOOD = {
    "named argument": "auto o = make(); auto r = co_await f(std::move(o));",
    "if with initialiser": "if (auto r = co_await f(); !r) co_return std::move(r).error();",
    "await and branch": "if (co_await a()) co_await b(); else co_await c();",
    "switch": "switch (co_await f()) { case 1: co_await g(); break; default: break; }",
    "while": "while (auto r = co_await next()) { co_await use(*r); }",
    "do": "do { co_await f(); } while (co_await more());",
    "for": "for (int i = co_await first(); i < 3; ++i) co_await g(i);",
    "range-for over an await": "for (auto& e : co_await list()) co_await g(e);",
    "reference capture": "co_await call([&] { g(); }); co_await call([&x, this] { return x; });",
    "lambda that is named": "auto g = [x = std::move(x)] { return x; }; co_await call(std::move(g));",
    "braces elsewhere": "A a{1, B{2}}; co_await f(std::move(a)); B b = {.c = 1};",
    "braces in a lambda's body": "co_await call([&] { A a{1}; return a; });",
    "conditional elsewhere": "int n = a ? 1 : 2; co_await f(n);",
    "new elsewhere": "auto p = co_await f(); std::unique_ptr<P> u(new P(std::move(p)));",
    "assert elsewhere": "auto r = co_await f(); POSTERN_ASSERT(r.has_value()); EXPECT_EQ(*r, 3);",
    "binding of a name": "auto p = co_await f(); auto& [a, b] = p; co_await g(a, b);",
    "subscript": "co_await f(table[i], \"[x]\"[0]);",
    "words in comments and strings": "co_await f(\"new ? {\");  // co_await co_await new ? {",
    "attribute": "[[maybe_unused]] auto r = co_await f();",
    "coroutine lambda without captures": "auto g = [](A a) -> Task<void> { co_await f(a); }; co_await g(std::move(a));",
    "try": "try { co_await f(); } catch (const std::exception& e) { log(e); }",
    "digit separators": "co_await f(1'000, 2'000); int i = b ? 1 : 2;",
    "raw strings": "co_await f(R\"x(\"{ ? )x\"); A a{1};",
}

BAD = {
    "two awaits": ("use(co_await a(),\n co_await b());", "one-await"),
    "await of an await's result": ("co_await f(co_await g());", "one-await"),
    "aggregate argument": ("co_await f(A{1, 2});", "braces"),
    "designated argument": ("co_await f({.a = 1});", "braces"),
    "aggregate of awaits": ("A a{co_await f(), 2};", "braces"),
    "braced awaiter": ("co_await Waiter{1};", "braces"),
    "returned aggregate": ("co_return P{co_await f(), 3};", "braces"),
    "braced if": ("if (co_await f(A{1})) { g(); }", "braces"),
    "statement expression": ("auto p = ({ auto r = co_await f(); r; });", "braces"),
    "condition awaited": ("auto p = co_await f() ? A() : B();", "conditional"),
    "arm awaited": ("auto p = x ? co_await f() : A();", "conditional"),
    "copy capture": ("co_await call([p] { p.n(); });", "lambda-by-value"),
    "default copy": ("co_await call([=] { p.n(); });", "lambda-by-value"),
    "init capture": ("co_await call([&a, p = P(1)]() mutable noexcept -> int { return p.n(); });", "lambda-by-value"),
    "copied this": ("co_await call([*this] { n(); });", "lambda-by-value"),
    "new": ("std::unique_ptr<P> u(new P(co_await f()));", "new"),
    "gtest": ("EXPECT_EQ(co_await f(), 3);", "macro"),
    "own assertion": ("POSTERN_ASSERT(co_await f());", "macro"),
    "assert": ("assert(co_await f());", "macro"),
    "binding": ("auto [a, b] = co_await f();", "structured-binding"),
    "binding by reference": ("auto&& [a, b] = co_await f();", "structured-binding"),
    "binding in for": ("for (auto& [a, b] : co_await f()) g(a);", "structured-binding"),
    "range inside an await": ("for (auto& e : (co_await f()).items()) g(e);", "range-for"),
    "range behind an await": ("for (auto& e : *co_await f()) g(e);", "range-for"),
    "capturing coroutine": ("auto g = [&x]() -> Task<void> { co_await f(x); };", "capturing-coroutine"),
    "capturing coroutine, returning": ("spawn([this] { if (a_) { co_return; } });", "capturing-coroutine"),
    "nested capturing coroutine": ("auto g = [] { return [&]() -> Task<int> { co_return 1; }; };", "capturing-coroutine"),
    "lambda called at once": ("[x]() -> Task<void> { co_await x.f(); }();", "capturing-coroutine"),
}


class Snippets(unittest.TestCase):
    def test_lets_the_subset_pass(self):
        for name, body in GOOD.items():
            with self.subTest(name):
                self.assertEqual(inside(body), [])

    def test_refuses_what_is_outside(self):
        for name, (body, rule) in BAD.items():
            with self.subTest(name):
                self.assertEqual(inside(body), [rule])

    def test_every_rule_is_tried(self):
        elsewhere = {"await-in-macro", "awaiter-place"}
        self.assertEqual({rule for _, rule in BAD.values()} | elsewhere, set(coro_lint.RULES))


class Sources(unittest.TestCase):
    def test_statements_do_not_leak_into_each_other(self):
        code = "Task<void> f() {\n  if (x) { A a{1}; }\n  co_await g();\n  A b{2};\n}\nstruct B { int a{1}; Task<void> g() { co_await h(); } };"
        self.assertEqual(rules(code), [])

    def test_knows_bodies_from_initialisers(self):
        heads = ["Task<void> C::f() const noexcept", "auto f(A a) -> Task<std::pair<int, int>>", "Task<void> f() &&",
                 "template <class T = int>\nTask<void> f(T t)", "template <class T>\nTask<void> f(T t) requires Some<T>"]
        for head in heads:
            with self.subTest(head):
                self.assertEqual(rules(head + " { co_await g(); }"), [])
                self.assertEqual(rules(head + " { co_await g(A{}); }"), ["braces"])

    def test_looks_into_types(self):
        for head in ("class [[nodiscard]] C final : public D<int>", "template <class T = void>\nclass C", "namespace a::b", "namespace",
                     "extern \"C\"", "struct alignas(8) C", "C() : a_{1}, b_(2)"):
            with self.subTest(head):
                self.assertEqual(rules(head + " {\n Task<void> f() { co_await g(); }\n}"), [])
                self.assertEqual(rules(head + " {\n Task<void> f() { co_await g(A{}); }\n}"), ["braces"])

    def test_declaring_the_operator_is_not_awaiting(self):
        self.assertEqual(rules("struct T { Awaiter operator co_await() && noexcept { POSTERN_ASSERT(x); return Awaiter{1}; } };"), [])

    def test_names_file_and_line(self):
        finding, = coro_lint.check("src/a.cpp", "/* one\n two */\nTask<void> f() {\n  co_await g(\n      A{1});\n}\n")
        self.assertEqual(str(finding), "src/a.cpp:5: braces: " + coro_lint.RULES["braces"])

    def test_refuses_await_in_macros(self):
        self.assertEqual(rules("#define TRY(e) \\\n  auto r = co_await e; \\\n  co_return r\nint x;\n"), ["await-in-macro"] * 2)

    def test_awaiters_stay_below(self):
        code = "struct A { void await_suspend(std::coroutine_handle<> h) const; };"
        self.assertEqual(rules(code, "src/session/a.hpp"), ["awaiter-place"])
        self.assertEqual(rules(code, "include/postern/coro/event.hpp"), [])


if __name__ == "__main__":
    unittest.main()
