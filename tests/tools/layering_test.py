"""What layering.py must refuse, and what it must let pass. Run: python3 layering_test.py"""

import unittest

import layering


def rules(name, *includes):
    text = "#pragma once\n" + "".join(f"#include {include}\n" for include in includes)
    return [finding.rule for finding in layering.check_source(name, text)]


def cmake(module, text):
    return [finding.rule for finding in layering.check_cmake("CMakeLists.txt", module, text)]


class Order(unittest.TestCase):
    def test_leaves_use_base_alone(self):
        for leaf in layering.LEAVES:
            for other in layering.MODULES:
                with self.subTest(leaf=leaf, other=other):
                    self.assertEqual(layering.may_use(leaf, other), other in (leaf, "base"))

    def test_spine_uses_leaves_and_what_is_left_of_it(self):
        self.assertTrue(layering.may_use("session", "maildrop"))
        self.assertTrue(layering.may_use("coro", "metrics"))
        self.assertFalse(layering.may_use("net", "http"))
        self.assertFalse(layering.may_use("maildrop", "auth"))

    def test_auth_does_not_use_maildrop(self):
        self.assertEqual(rules("src/auth/a.cpp", '"postern/maildrop/maildrop.hpp"'), ["order"])
        self.assertEqual(rules("src/auth/a.cpp", '"postern/backend/grant.hpp"'), [])

    def test_main_uses_all(self):
        self.assertEqual(rules("src/main.cpp", '"postern/app/run.hpp"', "<CLI/CLI.hpp>"), [])

    def test_holds_for_public_headers(self):
        self.assertEqual(rules("include/postern/pop3/a.hpp", '"postern/base/result.hpp"', '"postern/coro/task.hpp"'), ["order"])


class Headers(unittest.TestCase):
    def test_private_headers_stay_private(self):
        self.assertEqual(rules("src/net/a.cpp", '"net/chunk_pool.hpp"'), [])
        self.assertEqual(rules("src/net/a.cpp", '"loop/uv_box.hpp"'), ["private"])
        self.assertEqual(rules("include/postern/net/a.hpp", '"net/chunk_pool.hpp"'), ["private"])

    def test_paths_begin_with_a_module(self):
        for path in ("a.hpp", "../net/a.hpp", "postern/a.hpp", "postern/unknown/a.hpp", "net/../loop/a.hpp", "uv.h"):
            with self.subTest(path):
                self.assertEqual(rules("src/net/a.cpp", f'"{path}"'), ["path"])

    def test_public_headers_show_no_library(self):
        self.assertEqual(rules("include/postern/net/a.hpp", "<span>", "<sys/socket.h>", "<netinet/in.h>"), [])
        for path in ("uv.h", "openssl/evp.h", "fmt/format.h", "linux/seccomp.h"):
            with self.subTest(path):
                self.assertEqual(rules("include/postern/loop/a.hpp", f"<{path}>"), ["public"])

    def test_libraries_have_their_module(self):
        homes = {"uv.h": "loop", "ares.h": "loop", "openssl/ssl.h": "tls", "yaml-cpp/yaml.h": "config", "prometheus/counter.h": "metrics",
                 "http_parser.h": "http", "spdlog/spdlog.h": "app", "CLI/CLI.hpp": "app"}
        for path, home in homes.items():
            for module in layering.MODULES:
                with self.subTest(path=path, module=module):
                    self.assertEqual(rules(f"src/{module}/a.cpp", f"<{path}>"), [] if module == home else ["library"])

    def test_some_are_for_all(self):
        self.assertEqual(rules("src/session/a.cpp", "<openssl/evp.h>", "<openssl/crypto.h>", "<fmt/format.h>", "<unistd.h>"), [])

    def test_unknown_libraries_are_refused(self):
        self.assertEqual(rules("src/session/a.cpp", "<boost/asio.hpp>"), ["unknown"])

    def test_comments_do_not_count(self):
        self.assertEqual(layering.check_source("src/base/a.cpp", "// #include <uv.h>\n/*\n#include <uv.h>\n*/\n"), [])

    def test_names_file_and_line(self):
        finding, = layering.check_source("src/net/a.cpp", "#include <span>\n\n#  include <uv.h>\n")
        self.assertEqual(str(finding), "src/net/a.cpp:3: library: <uv.h> is seen only in loop")

    def test_every_file_has_a_module(self):
        self.assertEqual(rules("src/util/a.cpp"), ["place"])
        self.assertEqual(rules("include/postern/a.hpp"), ["place"])


class Links(unittest.TestCase):
    def test_order_of_targets(self):
        self.assertEqual(cmake("net", "postern_module(net SOURCES a.cpp\n  DEPENDS postern::loop postern::tls)"), [])
        self.assertEqual(cmake("net", "postern_module(net SOURCES a.cpp\n  DEPENDS postern::http)"), ["order"])
        self.assertEqual(cmake("net", "target_link_libraries(postern_net PRIVATE postern_app)"), ["order"])
        self.assertEqual(cmake("net", "# postern::app\ntarget_link_libraries(postern_net PRIVATE postern_options)"), [])

    def test_libraries(self):
        self.assertEqual(cmake("loop", "postern_module(loop SOURCES a.cpp PRIVATE PkgConfig::LIBUV PkgConfig::CARES)"), [])
        self.assertEqual(cmake("net", "postern_module(net SOURCES a.cpp PRIVATE PkgConfig::LIBUV)"), ["library"])
        self.assertEqual(cmake("net", "postern_module(net SOURCES a.cpp PRIVATE Boost::asio)"), ["unknown"])
        self.assertEqual(cmake("net", "postern_module(net SOURCES a.cpp PRIVATE yaml-cpp)"), ["library"])

    def test_name_is_the_folder(self):
        self.assertEqual(cmake("net", "postern_module(loop SOURCES a.cpp)"), ["place"])

    def test_what_is_included_is_linked(self):
        source = [("src/net/a.cpp", '#include "postern/loop/loop.hpp"\n#include "postern/coro/task.hpp"\n')]
        links = {"loop": {"coro"}, "coro": set(), "net": {"loop"}}
        self.assertEqual(layering.check_links(source, links), [])
        links["net"] = {"coro"}
        self.assertEqual([finding.rule for finding in layering.check_links(source, links)], ["unlinked"])


if __name__ == "__main__":
    unittest.main()
