#include <string>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "postern/pop3/command.hpp"

namespace {

using namespace postern;
using pop3::Verb;

/// The line as it would be sent to a server.
std::string canonical(const pop3::Command& command) {
  std::string line(pop3::name(command.verb));
  if (command.message) line += ' ' + std::to_string(*command.message);
  if (command.verb == Verb::top) line += ' ' + std::to_string(command.lines);
  if (command.verb == Verb::pass || !command.argument.empty()) line += ' ' + std::string(command.argument);
  if (command.initial) line += ' ' + std::string(*command.initial);
  return line;
}

void check_good(const pop3::Command& command, std::string_view line) {
  POSTERN_ASSERT(line.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos);
  POSTERN_ASSERT(fuzz::lies_in(command.argument, line));
  POSTERN_ASSERT(!command.initial || fuzz::lies_in(*command.initial, line));
  POSTERN_ASSERT(!command.message || *command.message > 0);
  const auto text = canonical(command);
  const auto again = pop3::parse(text);
  POSTERN_ASSERT(again.error == pop3::ParseError::none);
  POSTERN_ASSERT(again.command.verb == command.verb);
  POSTERN_ASSERT(again.command.message == command.message);
  POSTERN_ASSERT(again.command.lines == command.lines);
  POSTERN_ASSERT(again.command.argument == command.argument);
  POSTERN_ASSERT(again.command.initial == command.initial);
}

}  // namespace

/// One line. What was understood means the same when it is written anew; QUIT is nothing but QUIT.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto line = fuzz::Input(data, size).rest();
  const auto parsed = pop3::parse(line);
  if (parsed.error != pop3::ParseError::none) return 0;
  check_good(parsed.command, line);
  if (parsed.command.verb == Verb::quit) {
    POSTERN_ASSERT(line.find_first_not_of(' ', pop3::name(Verb::quit).size()) == std::string_view::npos);
  }
  return 0;
}
