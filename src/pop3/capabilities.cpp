#include "pop3/text.hpp"
#include "postern/pop3/reply.hpp"

namespace postern::pop3 {

void CapabilityParser::line(std::string_view line) noexcept {
  auto rest = line;
  const auto keyword = take_word(rest);
  if (equal(keyword, "TOP")) {
    result_.top = true;
  } else if (equal(keyword, "UIDL")) {
    result_.uidl = true;
  } else if (equal(keyword, "USER")) {
    result_.user = true;
  } else if (equal(keyword, "PIPELINING")) {
    result_.pipelining = true;
  } else if (equal(keyword, "RESP-CODES")) {
    result_.resp_codes = true;
  } else if (equal(keyword, "AUTH-RESP-CODE")) {
    result_.auth_resp_code = true;
  } else if (equal(keyword, "STLS")) {
    result_.stls = true;
  } else if (equal(keyword, "SASL")) {
    for (auto word = take_word(rest); !word.empty(); word = take_word(rest)) {
      if (equal(word, "PLAIN")) result_.sasl_plain = true;
    }
  }
}

}  // namespace postern::pop3
