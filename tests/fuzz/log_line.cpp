#include <string>
#include <utility>
#include <vector>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "postern/base/clock.hpp"
#include "postern/base/log.hpp"

namespace {

using namespace postern;

class OneLine final : public LogSink {
 public:
  void write(LogLevel, std::string_view line) noexcept override {
    POSTERN_ASSERT(text.empty());
    text = line;
  }
  std::uint64_t dropped() const noexcept override { return 0; }
  std::string text;
};

/// A quoted string ends at the first quote without a backslash, in logfmt and in JSON alike.
std::size_t quoted_end(std::string_view text, std::size_t at) {
  POSTERN_ASSERT(text[at] == '"');
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] != '\\') continue;
    ++at;
    POSTERN_ASSERT(at < text.size());
    POSTERN_ASSERT(text[at] == '"' || text[at] == '\\' || text[at] == 'u');
    if (text[at] == 'u') POSTERN_ASSERT(at + 4 < text.size());
  }
  POSTERN_ASSERT(at < text.size());
  return at + 1;
}

/// The keys of a line, as grep, fail2ban and collectors see them.
std::vector<std::string> keys(std::string_view line, LogFormat format) {
  std::vector<std::string> found;
  std::size_t at = 0;
  if (format == LogFormat::json) {
    POSTERN_ASSERT(line.starts_with('{') && line.ends_with('}'));
    line = line.substr(1, line.size() - 2);
  }
  while (at < line.size()) {
    const std::size_t end = format == LogFormat::json ? quoted_end(line, at) : line.find('=', at);
    POSTERN_ASSERT(end < line.size());
    found.emplace_back(format == LogFormat::json ? line.substr(at + 1, end - at - 2)
                                                 : line.substr(at, end - at));
    at = end + 1;
    const char between = format == LogFormat::json ? ',' : ' ';
    at = at < line.size() && line[at] == '"' ? quoted_end(line, at)
                                             : std::min(line.find(between, at), line.size());
    POSTERN_ASSERT(at == line.size() || line[at] == between);
    ++at;
  }
  return found;
}

}  // namespace

/// The first octet chooses the format; lines are what peers said. The line of the log stays one, and no value
/// can pass for a field.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const LogFormat format = input.choice() % 2 == 0 ? LogFormat::logfmt : LogFormat::json;
  OneLine sink;
  std::vector<std::string> expected = {"ts", "level", "msg", "event"};
  {
    Log log(sink, system_clock(), format, LogLevel::debug);
    LogLine line(log, LogLevel::info, "fuzz", "a line");
    while (!input.empty() && expected.size() < 16) {
      const std::size_t length = input.choice() * 2U;
      line.field("user", input.take(length));
      expected.emplace_back("user");
    }
  }
  POSTERN_ASSERT(sink.text.size() < 16 * 1024 * 2);
  for (const char c : sink.text) POSTERN_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
  POSTERN_ASSERT(keys(sink.text, format) == expected);
  return 0;
}
