#include "postern/base/failure.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace postern {
namespace {

/// A reply text, cut down to what a client acts on: its response code, "-ERR" where it has none, "" where
/// nothing is said.
std::string code(std::string_view text) {
  if (text.empty()) return "";
  if (text.front() != '[') return "-ERR";
  return std::string(text.substr(0, text.find(']') + 1));
}

std::string told(std::string_view what, bool closes) {
  if (what.empty()) return closes ? "close" : "-";
  return std::string(what) + (closes ? ", close" : "");
}

const FailureRow& row_at(std::size_t index) {
  return failure_row(static_cast<FailureKind>(index));
}

struct Expected {
  std::string_view label, login, transaction;
  bool other_server;
  std::string_view level;
  bool limited;
  std::string_view result;  ///< "-": a login does not end with it
};

// What was decided, row by row; written down here once more so that nobody changes it by the way.
constexpr std::array<Expected, kFailureKinds> kExpected = {{
    // clang-format off: a row is a line
    {"dns",                 "[SYS/TEMP]",        "[SYS/TEMP], close", true,  "warn",  false, "unavailable"},
    {"connect",             "[SYS/TEMP]",        "[SYS/TEMP], close", true,  "warn",  false, "unavailable"},
    {"backend_tls",         "[SYS/TEMP]",        "[SYS/TEMP], close", true,  "warn",  false, "unavailable"},
    {"greeting",            "[SYS/TEMP]",        "[SYS/TEMP], close", true,  "warn",  false, "unavailable"},
    {"no_server",           "[SYS/TEMP]",        "[SYS/TEMP], close", false, "error", true,  "unavailable"},
    {"saturated",           "[SYS/TEMP]",        "-",                 true,  "warn",  true,  "temp"},
    {"route_failed",        "[SYS/TEMP]",        "-",                 false, "error", true,  "temp"},
    {"no_route",            "[AUTH]",            "-",                 false, "info",  false, "auth_failed"},
    {"unknown_user",        "[AUTH]",            "-",                 false, "info",  false, "auth_failed"},
    {"auth_refused",        "[AUTH]",            "-",                 false, "info",  false, "auth_failed"},
    {"gateway_credentials", "[SYS/TEMP]",        "[SYS/TEMP], close", false, "error", false, "temp"},
    {"auth_unavailable",    "[SYS/TEMP]",        "[SYS/TEMP]",        false, "warn",  false, "temp"},
    {"backend_policy",      "[SYS/PERM]",        "[SYS/PERM]",        false, "error", false, "temp"},
    {"in_use",              "[IN-USE]",          "-",                 false, "info",  false, "in_use"},
    {"backend_limit",       "[IN-USE]",          "-",                 false, "info",  false, "in_use"},
    {"login_delay",         "[LOGIN-DELAY]",     "-",                 false, "info",  false, "login_delay"},
    {"throttled",           "[SYS/TEMP]",        "-",                 false, "info",  false, "throttled"},
    {"session_limit",       "[IN-USE]",          "-",                 false, "info",  false, "in_use"},
    {"overload",            "[SYS/TEMP], close", "[SYS/TEMP], close", false, "warn",  true,  "temp"},
    {"draining",            "[SYS/TEMP], close", "[SYS/TEMP], close", false, "warn",  true,  "temp"},
    {"backend_timeout",     "[SYS/TEMP]",        "[SYS/TEMP], close", false, "warn",  false, "timeout"},
    {"backend_protocol",    "[SYS/TEMP]",        "[SYS/TEMP], close", false, "error", false, "protocol"},
    {"mailbox",             "[SYS/TEMP]",        "-",                 false, "warn",  false, "temp"},
    {"mailbox_too_large",   "[SYS/PERM]",        "-",                 false, "warn",  false, "temp"},
    {"backend_lost",        "[SYS/TEMP]",        "[SYS/TEMP], close", false, "warn",  false, "unavailable"},
    {"no_message",          "-",                 "-ERR",              false, "debug", false, "-"},
    {"command_refused",     "-",                 "-ERR",              false, "info",  false, "-"},
    {"message_gone",        "-",                 "-ERR",              false, "info",  false, "-"},
    {"message_unreadable",  "-",                 "[SYS/PERM]",        false, "warn",  false, "-"},
    {"update_failed",       "-",                 "-ERR, close",       false, "error", false, "-"},
    {"message_unavailable", "-",                 "[SYS/TEMP]",        false, "warn",  false, "-"},
    {"read_only",           "-",                 "[SYS/PERM]",        false, "info",  false, "-"},
    {"no_folder",           "[SYS/PERM]",        "-",                 false, "info",  false, "temp"},
    {"client_tls",          "close",             "close",             false, "info",  false, "-"},
    {"proxy_header",        "close",             "close",             false, "info",  false, "-"},
    {"wrong_protocol",      "close",             "close",             false, "info",  false, "-"},
    {"client_stalled",      "close",             "close",             false, "info",  false, "-"},
    {"plaintext_forbidden", "[SYS/PERM]",        "-",                 false, "info",  false, "refused"},
    {"client_protocol",     "-ERR",              "-ERR",              false, "debug", false, "refused"},
    {"login_timeout",       "close",             "close",             false, "info",  false, "-"},
    {"idle_timeout",        "close",             "close",             false, "info",  false, "-"},
    {"client_eof",          "close",             "close",             false, "info",  false, "-"},
    {"client_reset",        "close",             "close",             false, "info",  false, "-"},
    {"kicked",              "close",             "close",             false, "info",  false, "-"},
    {"internal",            "[SYS/TEMP], close", "[SYS/TEMP], close", false, "error", false, "temp"},
    // clang-format on
}};

TEST(FailureTable, IsAsDecided) {
  for (std::size_t i = 0; i < kFailureKinds; ++i) {
    const FailureRow& row = row_at(i);
    const Expected& expected = kExpected[i];
    SCOPED_TRACE(expected.label);
    EXPECT_EQ(row.kind, static_cast<FailureKind>(i));
    EXPECT_EQ(row.label, expected.label);
    EXPECT_EQ(told(code(row.at_login), row.closes_login), expected.login);
    EXPECT_EQ(told(code(row.in_transaction), row.closes_transaction), expected.transaction);
    EXPECT_EQ(row.try_other_server, expected.other_server);
    EXPECT_EQ(label(row.level), expected.level);
    EXPECT_EQ(row.rate_limited, expected.limited);
    if (expected.result != "-") {
      EXPECT_EQ(label(row.login_result), expected.result);
    }
  }
}

TEST(FailureTable, SaysTheSameToWhoeverHasNoAccess) {
  // Else the text would tell which users exist.
  const std::string_view text = failure_row(FailureKind::auth_refused).at_login;
  EXPECT_EQ(failure_row(FailureKind::unknown_user).at_login, text);
  EXPECT_EQ(failure_row(FailureKind::no_route).at_login, text);
}

TEST(FailureTable, TextsNameTheirAffair) {
  EXPECT_EQ(failure_row(FailureKind::plaintext_forbidden).at_login,
            "[SYS/PERM] use STLS or the TLS port first");
  EXPECT_EQ(failure_row(FailureKind::message_gone).in_transaction, "no such message (it was removed)");
  EXPECT_EQ(failure_row(FailureKind::update_failed).in_transaction, "some deleted messages not removed");
}

TEST(FailureTable, TextsFitIntoAReplyLine) {
  constexpr std::size_t kLongest = 512 - 5 - 2;  // RFC 2449 §4: 512 octets with "-ERR " and CRLF
  for (std::size_t i = 0; i < kFailureKinds; ++i) {
    for (const std::string_view text : {row_at(i).at_login, row_at(i).in_transaction}) {
      EXPECT_LE(text.size(), kLongest) << row_at(i).label;
      EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; })) << row_at(i).label;
    }
  }
}

TEST(FailureTable, CodesAreKnownAndStandFirst) {
  // RFC 3206 §4-5, RFC 2449 §8.1.
  const std::set<std::string_view> known = {"",       "-ERR",     "[SYS/TEMP]",   "[SYS/PERM]",
                                            "[AUTH]", "[IN-USE]", "[LOGIN-DELAY]"};
  for (std::size_t i = 0; i < kFailureKinds; ++i) {
    for (const std::string_view text : {row_at(i).at_login, row_at(i).in_transaction}) {
      EXPECT_TRUE(known.contains(code(text))) << text;
      EXPECT_EQ(text.find('[', 1), std::string_view::npos) << text;
    }
  }
}

TEST(FailureTable, WordsAreLabels) {
  std::set<std::string_view> words;
  const auto take = [&](std::string_view word) {
    EXPECT_TRUE(!word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == word.npos) << word;
    return words.insert(word).second;
  };
  for (std::size_t i = 0; i < kFailureKinds; ++i) EXPECT_TRUE(take(row_at(i).label)) << row_at(i).label;
  words.clear();
  for (std::size_t i = 0; i < kLoginResults; ++i) EXPECT_TRUE(take(label(static_cast<LoginResult>(i))));
  EXPECT_EQ(label(LoginResult::refused), "refused");
  EXPECT_EQ(label(Phase::accept), "accept");
  EXPECT_EQ(label(Phase::backend_login), "backend_login");
  EXPECT_EQ(label(Phase::update), "update");
}

// docs/failures.md

std::string document() {
  std::ifstream file(POSTERN_SOURCE_DIR "/docs/failures.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string cell(std::string_view text, bool closes) {
  if (text.empty()) return closes ? "close" : "–";
  return "`-ERR " + std::string(text) + "`" + (closes ? ", close" : "");
}

std::string table() {
  std::string out =
      "| `reason` | at login | in TRANSACTION | other server | log level | login `result` |\n"
      "|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < kFailureKinds; ++i) {
    const FailureRow& row = row_at(i);
    out += "| `" + std::string(row.label) + "` | " + cell(row.at_login, row.closes_login) + " | " +
           cell(row.in_transaction, row.closes_transaction) + " | " + (row.try_other_server ? "yes" : "no") +
           " | " + std::string(label(row.level)) + (row.rate_limited ? ", limited" : "") + " | " +
           (row.at_login.empty() ? "–" : "`" + std::string(label(row.login_result)) + "`") + " |\n";
  }
  return out;
}

TEST(FailureDocument, HoldsTheTable) {
  EXPECT_NE(document().find("\n\n" + table() + "\n"), std::string::npos) << "docs/failures.md should hold:\n"
                                                                         << table();
}

TEST(FailureDocument, ExplainsEveryWordOnce) {
  const std::string text = document();
  for (std::size_t i = 0; i < kFailureKinds; ++i) {
    const std::string item = "\n- `" + std::string(row_at(i).label) + "`: ";
    const std::size_t first = text.find(item);
    ASSERT_NE(first, std::string::npos) << row_at(i).label;
    EXPECT_EQ(text.find(item, first + 1), std::string::npos) << row_at(i).label;
  }
}

TEST(FailureDocument, NamesPhasesInOrder) {
  std::string phases;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(Phase::update); ++i) {
    phases += (i == 0 ? "`" : " → `") + std::string(label(static_cast<Phase>(i))) + "`";
  }
  EXPECT_NE(document().find(phases), std::string::npos) << "docs/failures.md should hold: " << phases;
}

}  // namespace
}  // namespace postern
