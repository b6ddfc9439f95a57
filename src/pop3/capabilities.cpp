#include "postern/base/ascii.hpp"
#include "postern/pop3/reply.hpp"

namespace postern::pop3 {

void CapabilityParser::line(std::string_view line) noexcept {
  auto rest = line;
  const auto keyword = ascii::take_word(rest);
  if (ascii::equal(keyword, "TOP")) {
    result_.top = true;
  } else if (ascii::equal(keyword, "UIDL")) {
    result_.uidl = true;
  } else if (ascii::equal(keyword, "USER")) {
    result_.user = true;
  } else if (ascii::equal(keyword, "PIPELINING")) {
    result_.pipelining = true;
  } else if (ascii::equal(keyword, "RESP-CODES")) {
    result_.resp_codes = true;
  } else if (ascii::equal(keyword, "AUTH-RESP-CODE")) {
    result_.auth_resp_code = true;
  } else if (ascii::equal(keyword, "STLS")) {
    result_.stls = true;
  } else if (ascii::equal(keyword, "SASL")) {
    for (auto word = ascii::take_word(rest); !word.empty(); word = ascii::take_word(rest)) {
      if (ascii::equal(word, "PLAIN")) result_.sasl_plain = true;
    }
  }
}

}  // namespace postern::pop3
