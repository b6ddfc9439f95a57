"""What the lints take for code, comment and token. Run: python3 cpp_source_test.py"""

import unittest

import cpp_source


def texts(text):
    return [token.text for token in cpp_source.tokens(cpp_source.split_text(text)[0])]


class Split(unittest.TestCase):
    def test_keeps_the_shape(self):
        text = 'a = "x\\"//y"; // c "\n/* d\ne */ b = \'"\'; R"(//\n)" 1\'000 u8"z"\n'
        code, comments = cpp_source.split_text(text)
        for part in (code, comments):
            self.assertEqual([len(line) for line in part.split("\n")], [len(line) for line in text.split("\n")])
        self.assertEqual(comments.split(), ["//", "c", '"', "/*", "d", "e", "*/"])

    def test_literals_are_empty(self):
        self.assertEqual(texts('a = "x\\"//y"; // c "'), ["a", "=", '""', ";"])
        self.assertEqual(texts("'\"' L'x' '\\''"), ["''", "L", "''", "''"])
        self.assertEqual(texts('R"(//)" u8R"a(b)" )a" f'), ['""', '""', "f"])

    def test_quote_in_a_number_is_no_literal(self):
        self.assertEqual(texts("f(1'000, 0xff'ff, 'a')"), ["f", "(", "1'000", ",", "0xff'ff", ",", "''", ")"])

    def test_unclosed_ends_with_the_line_or_file(self):
        self.assertEqual(texts("f('x\nb"), ["f", "(", "''", "b"])
        self.assertEqual(texts("a /* b"), ["a"])


class Tokens(unittest.TestCase):
    def test_know_their_line(self):
        code, _ = cpp_source.split_text('/*\n\n*/ "a" b\n\nc')
        self.assertEqual([(token.text, token.line) for token in cpp_source.tokens(code)], [('""', 3), ("b", 3), ("c", 5)])

    def test_operators(self):
        self.assertEqual(texts("a::b->c&&d >> e << f..."), ["a", "::", "b", "->", "c", "&&", "d", ">", ">", "e", "<<", "f", "..."])

    def test_directives_are_blanked_with_their_continuation(self):
        code = "#define A \\\n  b\nc\n  # if d\ne"
        self.assertEqual([token.text for token in cpp_source.tokens(cpp_source.without_directives(code))], ["c", "e"])


class Includes(unittest.TestCase):
    def test_are_found_but_not_in_comments(self):
        text = '#include <a>\n// #include <b>\n/*\n#include <c>\n*/\n  #  include "d/e.hpp"\n'
        self.assertEqual([tuple(include) for include in cpp_source.includes(text)], [("a", True, 1), ("d/e.hpp", False, 6)])


if __name__ == "__main__":
    unittest.main()
