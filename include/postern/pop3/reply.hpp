#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "postern/base/failure.hpp"

namespace postern::pop3 {

/// Longest status line that is taken from a server, without its line end. RFC 1939 §3 allows 512 octets.
inline constexpr std::size_t kMaxStatusLine = 2048;

enum class Status : std::uint8_t { ok, err, challenge };

/// A server's status line. `text` is what follows, without the space; `code` is the text between brackets at
/// its start, in the case it came in, empty if there is none (RFC 2449 §8).
struct Reply {
  Status status;
  std::string_view code;
  std::string_view text;
};

/// Parses a line without its line end: `+OK[ text]`, `-ERR[ text]` in any case, `+ base64` or `+`. Anything
/// else is nothing.
std::optional<Reply> parse_reply(std::string_view line) noexcept;

/// The failure that a server's `-ERR` to PASS or AUTH means. `knows_codes`: the server announced RESP-CODES;
/// otherwise its bracket is not believed and is text like any other (RFC 2449 §6.4). Codes are hierarchical:
/// an unknown one below a known one means the known one (RFC 2449 §8). Without a code that is known,
/// well-known texts are recognised.
FailureKind login_failure(const Reply& reply, bool knows_codes) noexcept;

/// What CAPA of a server said. Everything false is also what an unknown server is taken for, except `top` and
/// `uidl`.
struct Capabilities {
  bool top = true;
  bool uidl = true;
  bool user = true;
  bool pipelining = false;
  bool resp_codes = false;
  bool auth_resp_code = false;
  bool stls = false;
  bool sasl_plain = false;
};

/// Collects the lines of a CAPA answer; begins with everything false.
class CapabilityParser {
 public:
  void line(std::string_view line) noexcept;
  const Capabilities& result() const noexcept { return result_; }

 private:
  Capabilities result_{false, false, false, false, false, false, false, false};
};

/// The number of octets in `+OK 120 octets` (or bytes), if there is one. For comparisons only: servers
/// estimate.
std::optional<std::uint64_t> announced_octets(const Reply& reply) noexcept;

}  // namespace postern::pop3
