"""Reading C++ sources for the lints: comments, literals, tokens and includes. No parser, and none is needed."""

import re
import sys
from pathlib import Path
from typing import NamedTuple

SUFFIXES = (".cpp", ".hpp")

_RAW_STRING = re.compile(r'(?:u8|[uUL])?R"([^()\\\s]{0,16})\(')
_TOKEN = re.compile(r"[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|'?[\w.])*|::|->|&&|\|\||<<=?|\.\.\.|\"\"|''|\S")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)


class Token(NamedTuple):
    text: str
    line: int


class Include(NamedTuple):
    path: str
    angled: bool
    line: int


class Finding(NamedTuple):
    """One broken rule; sorts and prints by place."""

    file: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.rule}: {self.text}"


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def _literal_end(text, start):
    """One past the closing quote of the literal that opens at `start`; the end of the line when it never closes."""
    quote, i = text[start], start + 1
    while i < len(text) and text[i] not in (quote, "\n"):
        i += 2 if text[i] == "\\" else 1
    return min(i + 1, len(text))


def split_text(text):
    """(code, comments), both as long as `text` and with its line ends.

    In `code` every comment is blank and every literal is an empty pair of quotes and blanks; in `comments` all but the
    comments is blank.
    """
    code, comments, i = [], [], 0

    def take(end, to_code, to_comments):
        nonlocal i
        code.append(to_code)
        comments.append(to_comments)
        i = end

    while i < len(text):
        c = text[i]
        if text.startswith(("//", "/*"), i):
            if text[i + 1] == "/":
                end = text.find("\n", i)
                end = len(text) if end < 0 else end
            else:
                end = text.find("*/", i + 2)
                end = len(text) if end < 0 else end + 2
            take(end, _blank(text[i:end]), text[i:end])
            continue
        raw = _RAW_STRING.match(text, i) if c in "uULR" and not _in_word(text, i) else None
        if raw:
            end = text.find(")" + raw.group(1) + '"', raw.end())
            end = len(text) if end < 0 else end + len(raw.group(1)) + 2
            take(end, '""' + _blank(text[i + 2:end]), _blank(text[i:end]))
        elif c in "\"'" and not (c == "'" and _in_word(text, i)):  # 1'000 is a number
            end = _literal_end(text, i)
            take(end, c + c + _blank(text[i + 2:end]) if end - i > 1 else c, _blank(text[i:end]))
        else:
            take(i + 1, c, c if c == "\n" else " ")
    return "".join(code), "".join(comments)


def _in_word(text, i):
    """Is the character at `i` inside a number or a name? (A quote behind a literal's prefix is not.)"""
    before = re.search(r"[\w']*\Z", text[max(0, i - 40):i]).group()
    return bool(before) and before not in ("u8", "u", "U", "L")


def without_directives(code):
    """Blanks preprocessor lines, continued ones too."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: _blank(m.group()), code, flags=re.MULTILINE)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def tokens(code):
    line, at, out = 1, 0, []
    for match in _TOKEN.finditer(code):
        line += code.count("\n", at, match.start())
        at = match.start()
        out.append(Token(match.group(), line))
    return out


def includes(text):
    """The includes of a source, but not the ones in its comments."""
    code, _ = split_text(text)
    out = []
    for match in _INCLUDE.finditer(text):
        if "#" in code[match.start():match.end()]:
            line = line_of(text, match.start(1) if match.group(1) else match.start(2))
            out.append(Include(match.group(1) or match.group(2), match.group(1) is None, line))
    return out


def sources(root, folders=("include", "src")):
    """Every C++ file in these folders of `root`, as (path relative to root, text), sorted."""
    root = Path(root)
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def report(name, findings, files):
    """Prints what was found and returns the exit status. No file at all is a failure: a lint that reads nothing is green
    for the wrong reason."""
    for finding in sorted(findings):
        print(finding)
    if not files:
        print(f"{name}: no file was read", file=sys.stderr)
        return 2
    print(f"{name}: {files} files, {len(findings)} findings")
    return 1 if findings else 0
