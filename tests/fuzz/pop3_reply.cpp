#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "postern/pop3/reply.hpp"

namespace {

using namespace postern;

void check_failure(const pop3::Reply& reply, bool knows_codes) {
  const auto kind = pop3::login_failure(reply, knows_codes);
  const bool told_by_code = kind == FailureKind::login_delay || kind == FailureKind::backend_policy;
  const bool told_by_text = kind == FailureKind::auth_refused || kind == FailureKind::auth_unavailable ||
                            kind == FailureKind::in_use;
  POSTERN_ASSERT(told_by_text || told_by_code);
  POSTERN_ASSERT(!told_by_code || (knows_codes && !reply.code.empty()));
}

}  // namespace

/// Lines that end at LF: each a status line and a line of CAPA.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  pop3::CapabilityParser capabilities;
  while (!input.empty()) {
    const auto line = input.line();
    capabilities.line(line);
    const auto reply = pop3::parse_reply(line);
    if (!reply) continue;
    POSTERN_ASSERT(fuzz::lies_in(reply->text, line));
    POSTERN_ASSERT(fuzz::lies_in(reply->code, reply->text));
    POSTERN_ASSERT(line.ends_with(reply->text));
    check_failure(*reply, true);
    check_failure(*reply, false);
    const auto octets = pop3::announced_octets(*reply);
    POSTERN_ASSERT(!octets || reply->status == pop3::Status::ok);
  }
  POSTERN_ASSERT(!capabilities.result().sasl_plain || size >= std::string_view("SASL PLAIN").size());
  return 0;
}
