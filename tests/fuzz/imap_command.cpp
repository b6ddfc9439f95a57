#include "postern/imap/command.hpp"

#include <charconv>
#include <string>
#include <vector>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "postern/imap/mailbox_name.hpp"

namespace {

using namespace postern;

/// Reads a command as a server does (RFC 3501 §4.3), and nothing else of it: what its strings say.
class Server {
 public:
  explicit Server(const imap::Command& command) {
    for (const imap::Segment& segment : command.segments()) {
      wire_ += segment.octets();
      // A piece that waits ends with the head of a literal, and only such a piece.
      if (segment.waits()) POSTERN_ASSERT(wire_.ends_with("}\r\n") && !wire_.ends_with("+}\r\n"));
    }
    rest_ = wire_;
  }

  bool at_end() const { return rest_ == "\r\n"; }

  void skip(std::string_view text) {
    POSTERN_ASSERT(rest_.starts_with(text));
    rest_.remove_prefix(text.size());
  }

  std::string string() {
    skip(" ");
    return rest_.starts_with('"') ? quoted() : literal();
  }

 private:
  std::string quoted() {
    skip("\"");
    std::string text;
    while (!rest_.starts_with('"')) {
      POSTERN_ASSERT(!rest_.empty() && rest_[0] != '\r' && rest_[0] != '\n' && rest_[0] != '\0');
      POSTERN_ASSERT(static_cast<unsigned char>(rest_[0]) < 0x80);
      if (rest_[0] == '\\') {
        rest_.remove_prefix(1);
        POSTERN_ASSERT(!rest_.empty() && (rest_[0] == '"' || rest_[0] == '\\'));
      }
      text += rest_[0];
      rest_.remove_prefix(1);
    }
    skip("\"");
    return text;
  }

  std::string literal() {
    skip("{");
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
    POSTERN_ASSERT(error == std::errc());
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    if (rest_.starts_with('+')) rest_.remove_prefix(1);
    skip("}\r\n");
    POSTERN_ASSERT(rest_.size() >= size);
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }

  std::string wire_;
  std::string_view rest_;
};

constexpr imap::NonSyncLiterals kLiterals[] = {imap::NonSyncLiterals::none, imap::NonSyncLiterals::small,
                                               imap::NonSyncLiterals::all};

}  // namespace

/// One octet chooses the literals; then come lines, each a string, a secret or a mailbox by its first octet.
/// A server reads back what was put in, or the command says that it must not be sent.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  imap::Command command("A1", "DO", kLiterals[input.choice() % std::size(kLiterals)]);
  std::vector<std::string> expected;
  bool valid = true;
  while (!input.empty()) {
    const std::uint8_t kind = input.choice();
    // A length instead of a line's end: the strings may hold any octet.
    const std::string text(input.take(input.choice() + ((kind & 0x80U) != 0 ? 4096U : 0U)));
    if (text.find('\0') != std::string::npos) valid = false;
    switch (kind % 3) {
      case 0:
        command.string(text);
        expected.push_back(text);
        break;
      case 1:
        command.secret(text);
        expected.push_back(text);
        break;
      default: {
        command.mailbox(text);
        const auto name = imap::encode_mailbox_name(text);
        if (!name) valid = false;
        expected.push_back(name.value_or(""));
      }
    }
  }
  command.finish();
  POSTERN_ASSERT(command.is_valid() == valid);
  if (!valid) return 0;
  Server server(command);
  server.skip("A1 DO");
  for (const std::string& text : expected) POSTERN_ASSERT(server.string() == text);
  POSTERN_ASSERT(server.at_end());
  return 0;
}
