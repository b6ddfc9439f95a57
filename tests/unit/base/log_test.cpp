#include "postern/base/log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace postern {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

class FixedClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return TimePoint(monotonic); }
  WallTime wall_now() const noexcept override { return WallTime(std::chrono::milliseconds(wall_ms)); }

  Duration monotonic{0};
  std::int64_t wall_ms = 1'709'210'096'007;  // 2024-02-29T12:34:56.007Z
};

class KeepingSink final : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) noexcept override {
    levels.push_back(level);
    lines.emplace_back(line);
  }
  std::uint64_t dropped() const noexcept override { return 0; }

  std::vector<LogLevel> levels;
  std::vector<std::string> lines;
};

class LogTest : public testing::Test {
 protected:
  /// The value of `field` as it stands in the line, quotes and all.
  std::string written(std::string_view value, LogFormat format = LogFormat::logfmt) {
    Log log(sink_, clock_, format, LogLevel::debug);
    LogLine(log, LogLevel::info, "e", "m").field("key", value);
    const std::string& line = sink_.lines.back();
    const std::string before = format == LogFormat::json ? R"(,"key":)" : " key=";
    const std::size_t at = line.find(before);
    if (at == std::string::npos) return "no key: " + line;
    const std::string rest = line.substr(at + before.size());
    return format == LogFormat::json ? rest.substr(0, rest.size() - 1) : rest;
  }

  KeepingSink sink_;
  FixedClock clock_;
};

TEST_F(LogTest, WritesLogfmt) {
  Log log(sink_, clock_, LogFormat::logfmt, LogLevel::info);
  LogLine(log, LogLevel::warn, "session_end", "session ended")
      .field("session", "01h")
      .field("port", std::uint32_t{995})
      .field("bytes", std::uint64_t{1} << 63)
      .field("tls", true)
      .field("resumed", false)
      .field("duration_ms", 1'234'567us)
      .field("user", std::string_view("alice@example.net"));
  ASSERT_EQ(sink_.lines.size(), 1u);
  EXPECT_EQ(sink_.levels[0], LogLevel::warn);
  EXPECT_EQ(
      sink_.lines[0],
      "ts=2024-02-29T12:34:56.007Z level=warn msg=\"session ended\" event=session_end session=01h port=995 "
      "bytes=9223372036854775808 tls=true resumed=false duration_ms=1234.567 user=alice@example.net");
}

TEST_F(LogTest, WritesJson) {
  Log log(sink_, clock_, LogFormat::json, LogLevel::info);
  LogLine(log, LogLevel::error, "start", "started")
      .field("port", std::uint32_t{995})
      .field("tls", true)
      .field("duration_ms", 5us)
      .field("user", "al\"ice");
  ASSERT_EQ(sink_.lines.size(), 1u);
  EXPECT_EQ(sink_.lines[0],
            R"({"ts":"2024-02-29T12:34:56.007Z","level":"error","msg":"started","event":"start","port":995,)"
            R"("tls":true,"duration_ms":0.005,"user":"al\"ice"})");
}

TEST_F(LogTest, QuotesWhatCouldBeMisread) {
  struct Row {
    std::string value, logfmt;
  };
  for (const Row& row : {
           Row{"plain-1.2:3/x", "plain-1.2:3/x"},
           Row{"", R"("")"},
           Row{"two words", R"("two words")"},
           Row{"a=b", R"("a=b")"},
           Row{R"(say "hi")", R"("say \"hi\"")"},
           Row{R"(back\slash)", R"("back\\slash")"},
           Row{"caf\u00e9", "\"caf\u00e9\""},
           Row{"\u20ac \U0001F4E7", "\"\u20ac \U0001F4E7\""},
       }) {
    EXPECT_EQ(written(row.value), row.logfmt);
  }
}

TEST_F(LogTest, EscapesControlsAndInvalidUtf8InBothFormats) {
  struct Row {
    std::string value, quoted;
  };
  for (const Row& row : {
           Row{"a\r\nb", R"("a\u000d\u000ab")"}, Row{"\0\t\x1b[2J"s, R"("\u0000\u0009\u001b[2J")"},
           Row{"\x7f", R"("\u007f")"},
           Row{"\u0080\u009b\u00a0", "\"\\u0080\\u009b\u00a0\""},  // C1: a terminal takes U+009B for ESC [
           Row{"\u2028x\u2029", R"("\u2028x\u2029")"},             // some programs take them for line ends
           Row{"\u202e\u2066\u200f\u061c", R"("\u202e\u2066\u200f\u061c")"},  // shown from right to left
           Row{"\u2027\u202f\u2065\u206a", "\"\u2027\u202f\u2065\u206a\""},
           Row{"\xff\xfe", R"("\u00ff\u00fe")"},                      // never in UTF-8
           Row{"\xc0\xaf", R"("\u00c0\u00af")"},                      // overlong '/'
           Row{"\xe0\x80\xaf", R"("\u00e0\u0080\u00af")"},            // overlong
           Row{"\xed\xa0\x80", R"("\u00ed\u00a0\u0080")"},            // a surrogate
           Row{"\xf4\x90\x80\x80", R"("\u00f4\u0090\u0080\u0080")"},  // above U+10FFFF
           Row{"\xf0\x8f\xbf\xbf", R"("\u00f0\u008f\u00bf\u00bf")"},  // overlong
           Row{"\xe2\x82", R"("\u00e2\u0082")"},                      // cut off
           Row{"\x80x", R"("\u0080x")"},                              // a tail without a lead
       }) {
    EXPECT_EQ(written(row.value), row.quoted);
    EXPECT_EQ(written(row.value, LogFormat::json), row.quoted);
  }
}

TEST_F(LogTest, CutsLongValuesAt256Octets) {
  EXPECT_EQ(written(std::string(256, 'x')), std::string(256, 'x'));
  EXPECT_EQ(written(std::string(257, 'x')), "\"" + std::string(256, 'x') + "...\"");
  EXPECT_EQ(written(std::string(100'000, 'x'), LogFormat::json), "\"" + std::string(256, 'x') + "...\"");
}

TEST_F(LogTest, CutsBetweenCharacters) {
  for (const std::string character : {"\u00e9", "\u20ac", "\U0001F4E7"}) {
    std::string value(255, 'x');
    value += character;
    EXPECT_EQ(written(value), "\"" + std::string(255, 'x') + "...\"") << character;
  }
  EXPECT_EQ(written(std::string(254, 'x') + "\u00e9"), "\"" + std::string(254, 'x') + "\u00e9\"");
}

TEST_F(LogTest, APeerCannotAddKeysOrLines) {
  const std::string hostile = "x\" client=203.0.113.9 level=error\nts=1 event=login_failed \\";
  Log log(sink_, clock_, LogFormat::logfmt, LogLevel::info);
  LogLine(log, LogLevel::info, "login_failed", "login failed")
      .field("client", "192.0.2.1")
      .field("user", hostile);
  const std::string& line = sink_.lines.back();
  EXPECT_EQ(line.find('\n'), std::string::npos);
  // All that is outside quotes is ours.
  std::string outside;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      outside += line[i];
    }
  }
  EXPECT_FALSE(quoted);
  EXPECT_EQ(outside, "ts=2024-02-29T12:34:56.007Z level=info msg= event=login_failed client=192.0.2.1 user=");
}

TEST_F(LogTest, MessageIsEscapedToo) {
  Log log(sink_, clock_, LogFormat::logfmt, LogLevel::info);
  {
    LogLine line(log, LogLevel::info, "e", "a\nb");
  }
  EXPECT_NE(sink_.lines.back().find(R"(msg="a\u000ab")"), std::string::npos);
}

TEST_F(LogTest, LevelDecidesWhatIsWritten) {
  Log log(sink_, clock_, LogFormat::logfmt, LogLevel::warn);
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
    LogLine(log, level, "e", "m").field("k", "v");
  }
  EXPECT_EQ(sink_.levels, (std::vector{LogLevel::warn, LogLevel::error}));
  log.set_level(LogLevel::debug);
  LogLine(log, LogLevel::debug, "e", "m").field("k", "v");
  EXPECT_EQ(sink_.lines.size(), 3u);
}

TEST_F(LogTest, ALineBelowTheLevelBuildsNothing) {
  /// Building begins with the time.
  class Counting final : public Clock {
   public:
    TimePoint now() const noexcept override { return {}; }
    WallTime wall_now() const noexcept override {
      ++asked;
      return {};
    }
    mutable int asked = 0;
  } clock;
  Log log(sink_, clock, LogFormat::json, LogLevel::error);
  LogLine(log, LogLevel::warn, "e", "m")
      .field("a", "b")
      .field("c", std::uint64_t{1})
      .field("d", true)
      .field("e", 1ms);
  EXPECT_EQ(clock.asked, 0);
  EXPECT_TRUE(sink_.lines.empty());
}

TEST_F(LogTest, LevelMayRiseWhileALineIsBuilt) {
  Log log(sink_, clock_, LogFormat::json, LogLevel::error);
  {
    LogLine line(log, LogLevel::info, "e", "m");
    log.set_level(LogLevel::debug);
    line.field("k", "v");
  }
  EXPECT_TRUE(sink_.lines.empty());  // all of a line or nothing
}

TEST_F(LogTest, AdmitsOneALimitedKindASecond) {
  Log log(sink_, clock_, LogFormat::logfmt, LogLevel::info);
  EXPECT_TRUE(log.admits(FailureKind::overload));
  EXPECT_FALSE(log.admits(FailureKind::overload));
  clock_.monotonic = 999ms;
  EXPECT_FALSE(log.admits(FailureKind::overload));
  EXPECT_TRUE(log.admits(FailureKind::no_server));  // another kind has a second of its own
  clock_.monotonic = 1s;
  EXPECT_TRUE(log.admits(FailureKind::overload));
  EXPECT_FALSE(log.admits(FailureKind::overload));
}

TEST_F(LogTest, AdmitsAllOfAnUnlimitedKind) {
  Log log(sink_, clock_, LogFormat::logfmt, LogLevel::info);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(log.admits(FailureKind::connect));
}

TEST_F(LogTest, AdmitsOneOfManyThreads) {
  Log log(sink_, clock_, LogFormat::logfmt, LogLevel::info);
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) admitted += log.admits(FailureKind::draining) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admitted, 1);
}

}  // namespace
}  // namespace postern
