#!/usr/bin/env python3
"""Refuses what is outside the safe coroutine subset (docs/adr/0002-coroutine-subset.md).

g++ 12 destroys temporaries twice, or too early, in several kinds of full-expressions that contain `co_await`. The
compiler says nothing, so this does: it cuts a source into statements and looks at those that await. It knows no types;
where a rule needs one ("a braced temporary of a class without constructors") it refuses the whole pattern, since there
is always the plain way out: give it a name in the statement before.

usage: coro_lint.py ROOT
"""

import re
import sys

import cpp_source

RULES = {
    "one-await": "more than one co_await in a statement: name the first result",
    "braces": "a braced initialiser in a statement that awaits: name the object, or call a constructor with ( )",
    "conditional": "?: in a statement that awaits: use if and else",
    "lambda-by-value": "a lambda that captures by value in a statement that awaits: name it, then move it",
    "new": "new in a statement that awaits: name the awaited value first",
    "macro": "a macro around an await: name the awaited value first",
    "structured-binding": "a structured binding of an await: name the result, then bind it",
    "range-for": "a range-for over a part of an awaited temporary, which is gone by then: name the result",
    "capturing-coroutine": "a lambda that captures is a coroutine; its captures die with the lambda: use parameters",
    "await-in-macro": "co_await in a macro: it hides statements from the reader and from this lint",
    "awaiter-place": "an awaiter outside coro, loop and net",
}

FOLDERS = ("include", "src", "tests")
EXEMPT = "tests/toolchain/"  # tries the very patterns, also sound ones that are refused here
AWAITER_MODULES = ("coro", "loop", "net")
CONTROL = {"if", "while", "for", "switch", "catch"}
TYPE_KEYWORDS = {"struct", "class", "union", "enum", "namespace", "extern", "concept"}
BLOCK_AFTER = {"else", "do", "try", "const", "noexcept", "override", "final", "mutable", ";", "{", "}", ":"}
MACRO = re.compile(r"[A-Z][A-Z0-9_]{2,}\Z")
COROUTINE_WORDS = {"co_await", "co_return", "co_yield"}


class Statement:
    """The tokens of one full-expression or header; the body of a lambda in it is a scope of its own."""

    def __init__(self):
        self.tokens = []
        self.braces = []    # lines of braced initialisers
        self.captures = []  # (line, tokens between the brackets) of lambdas
        self.header = ""    # "for" and so on, when it is what stands between the parentheses of one

    def texts(self):
        return [token.text for token in self.tokens]


class Lambda:
    def __init__(self, captures, line):
        self.captures = captures
        self.line = line
        self.is_coroutine = False


class Splitter:
    """Cuts a token stream into statements. A stack says what each open bracket is."""

    def __init__(self):
        self.statements = []
        self.lambdas = []
        self.current = Statement()
        self.stack = []      # (kind, what to go back to)
        self.pending = None  # (captures, line, depth) of a lambda whose body has not begun

    def run(self, tokens):
        previous = ""
        for token in tokens:
            self.take(token, previous)
            previous = token.text
        self.end()
        return self

    def take(self, token, previous):
        text = token.text
        if text in COROUTINE_WORDS and previous != "operator":
            self.mark_coroutine()
        if text == ";":
            self.end(keep_header=True)
            self.pending = None
        elif text == "{":
            self.open_brace(token, previous)
        elif text == "}":
            self.close_brace(token)
        elif text in "([":
            self.open_bracket(token, previous)
        elif text in ")]":
            self.close_bracket(token)
        elif text in ("do", "else"):
            self.end()
        else:
            if text in CONTROL:
                self.end()
            self.current.tokens.append(token)

    def end(self, keep_header=False):
        if self.current.tokens:
            self.statements.append(self.current)
        header = self.current.header if keep_header else ""
        self.current = Statement()
        self.current.header = header

    def open_bracket(self, token, previous):
        words = self.current.texts()[-2:]
        control = words[0] if words and words[-1] == "constexpr" else previous
        if token.text == "(" and control in CONTROL:
            self.end()
            self.current.header = control
            self.stack.append(("control", None))
            return
        kind = "capture" if token.text == "[" and self.opens_lambda(previous) else token.text
        self.stack.append((kind, len(self.current.tokens) + 1))
        self.current.tokens.append(token)

    def opens_lambda(self, previous):
        """`[` behind a name, a literal, `)` or `]` is a subscript, behind `[` an attribute, behind auto a binding."""
        if previous in ("return", "co_return", "co_await", "co_yield", "else", "do"):
            return True
        if previous in ("&", "&&") and self.current.texts()[-2:-1] == ["auto"]:
            return False
        return not re.match(r"[\w\[\])\"']", previous)

    def close_bracket(self, token):
        kind, start = self.stack.pop() if self.stack else (None, None)
        if kind == "control":
            self.end()
            return
        if kind == "capture":
            inside = self.current.texts()[start:]
            if inside[:1] != ["["]:  # [[nodiscard]] is an attribute
                self.current.captures.append((token.line, inside))
                self.pending = (inside, token.line, len(self.stack))
        self.current.tokens.append(token)

    def open_brace(self, token, previous):
        if self.pending is not None and self.pending[2] == len(self.stack):
            body = Lambda(self.pending[0], self.pending[1])
            self.pending = None
            self.lambdas.append(body)
            self.stack.append(("lambda", (self.current, body)))
            self.current = Statement()
        elif self.opens_block(previous):
            self.end()
            self.stack.append(("block", None))
        else:
            self.current.braces.append(token.line)
            self.stack.append(("init", None))
            self.current.tokens.append(token)

    def opens_block(self, previous):
        """A block, or the body of a function or type; else it is an initialiser."""
        if self.stack and self.stack[-1][0] in ("init", "(", "capture", "["):
            return False
        if not previous or previous == ")" or previous in BLOCK_AFTER:
            return True
        texts = without_template_heads(self.current.texts())
        if ")" in texts:
            behind = texts[len(texts) - texts[::-1].index(")"):]
            if behind[0] in ("->", "requires", "&", "&&"):  # what stands between the parameters and the body
                return True
        return "=" not in texts and any(text in TYPE_KEYWORDS for text in texts)

    def close_brace(self, token):
        while self.stack and self.stack[-1][0] not in ("block", "init", "lambda"):
            self.stack.pop()  # brackets that a macro left open
        kind, back = self.stack.pop() if self.stack else ("block", None)
        if kind == "init":
            self.current.tokens.append(token)
            return
        self.end()
        if kind == "lambda":
            self.current = back[0]

    def mark_coroutine(self):
        for kind, back in reversed(self.stack):
            if kind == "lambda":
                back[1].is_coroutine = True
                return


def without_template_heads(texts):
    """Drops `template < ... >`, whose `class` and `=` say nothing about the declaration."""
    out, depth, i = [], 0, 0
    while i < len(texts):
        if not depth and texts[i:i + 2] == ["template", "<"]:
            depth, i = 1, i + 2
            continue
        if depth:
            depth += {"<": 1, ">": -1}.get(texts[i], 0)
        else:
            out.append(texts[i])
        i += 1
    return out


def captures_by_value(captures):
    """Is there a capture that is neither a reference nor `this`? (`[this]` copies a pointer, which is trivial.)"""
    depth, begins = 0, True
    for text in captures:
        if begins and text not in ("&", "this"):
            return True
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text, 0)
        begins = depth == 0 and text == ","
    return False


def reads_past_await(texts):
    """For a range-for header: is the range anything but `co_await` and what it awaits?"""
    if ":" not in texts or "co_await" not in texts:
        return False
    return texts[texts.index(":") + 1] != "co_await"


def statement_rules(statement):
    """(line, rule) of what is wrong in one statement that awaits."""
    texts = statement.texts()
    lines = [token.line for token in statement.tokens]
    awaits = [lines[i] for i, text in enumerate(texts) if text == "co_await" and texts[i - 1:i] != ["operator"]]
    if not awaits:
        return
    if len(awaits) > 1:
        yield awaits[1], "one-await"
    for line in statement.braces[:1]:
        yield line, "braces"
    for line, captures in statement.captures:
        if captures_by_value(captures):
            yield line, "lambda-by-value"
    if statement.header == "for" and reads_past_await(texts):
        yield awaits[0], "range-for"
    for index, text in enumerate(texts):
        following = texts[index + 1] if index + 1 < len(texts) else ""
        if text == "?":
            yield lines[index], "conditional"
        elif text == "new":
            yield lines[index], "new"
        elif following == "(" and (MACRO.match(text) or text == "assert"):
            yield lines[index], "macro"
        elif text == "auto" and re.match(r"auto&{0,2}\[", "".join(texts[index:index + 4])):
            yield lines[index], "structured-binding"


def check(name, text):
    """All findings of one source."""
    code, _ = cpp_source.split_text(text)
    plain = cpp_source.without_directives(code)
    found = set()
    for line, (full, kept) in enumerate(zip(code.split("\n"), plain.split("\n")), start=1):
        if full != kept and re.search(r"\bco_(await|return|yield)\b", full):
            found.add((line, "await-in-macro"))
    splitter = Splitter().run(cpp_source.tokens(plain))
    for statement in splitter.statements:
        found.update(statement_rules(statement))
    for body in splitter.lambdas:
        if body.is_coroutine and body.captures:
            found.add((body.line, "capturing-coroutine"))
    module = re.match(r"(?:src|include/postern)/(\w+)/", name)
    awaiter = re.search(r"\bawait_suspend\s*\(", plain)
    if awaiter and module and module.group(1) not in AWAITER_MODULES:
        found.add((cpp_source.line_of(plain, awaiter.start()), "awaiter-place"))
    return [cpp_source.Finding(name, line, rule, RULES[rule]) for line, rule in sorted(found)]


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    findings, files = [], 0
    for name, text in cpp_source.sources(arguments[1], FOLDERS):
        if name.startswith(EXEMPT):
            continue
        findings += check(name, text)
        files += 1
    return cpp_source.report("coro_lint", findings, files)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
