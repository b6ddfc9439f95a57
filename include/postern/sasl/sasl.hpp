#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "postern/base/secret.hpp"

/// SASL as a server: pure state machines over lines, no I/O (RFC 4422, 4616; LOGIN as it is found in the
/// field).
namespace postern::sasl {

/// Longest user name and password, in octets: more than any store takes, and little enough to be kept for
/// each session.
inline constexpr std::size_t kMaxUser = 512;
inline constexpr std::size_t kMaxPassword = 4096;

/// Strict base64 (RFC 4648 §4): no white space, no missing or misplaced padding, no bits left over. An empty
/// text is an empty value.
std::optional<Secret> decode_base64(std::string_view text);
Secret encode_base64(std::string_view octets);

enum class Mechanism : std::uint8_t { plain, login };
inline constexpr std::size_t kMechanisms = 2;

std::string_view name(Mechanism mechanism) noexcept;                      ///< "PLAIN"
std::optional<Mechanism> find_mechanism(std::string_view name) noexcept;  ///< without regard to case

struct Credentials {
  Credentials(std::string u, Secret p) : user(std::move(u)), password(std::move(p)) {}
  std::string user;
  Secret password;
};

/// One exchange with a client. Feed what the client said; then look at the step. Anything but `challenge`
/// ends it, and nothing may be fed afterwards. Lines are bounded by whoever reads them.
class Exchange {
 public:
  enum class Step : std::uint8_t {
    challenge,  ///< send `challenge()` (already base64) behind "+ " and feed the next line
    done,       ///< credentials() may be taken
    cancelled,  ///< the client said "*" instead of a response (as an initial response it is malformed)
    malformed,  ///< not base64, or not what the mechanism says: a protocol error, no [AUTH]
    refused,    ///< well-formed, but cannot be anybody's: authzid of another user, NUL, CR or LF, or over the
                ///< limits
  };

  explicit Exchange(Mechanism mechanism) noexcept : mechanism_(mechanism) {}

  /// Begins, with the initial response of the AUTH line as it came ("=" is an empty one, RFC 5034 §4).
  Step begin(std::optional<std::string_view> initial);
  /// The client's next line, without its line end.
  Step feed(std::string_view line);

  std::string_view challenge() const noexcept { return challenge_; }
  /// Once, after `done` alone.
  Credentials take_credentials();

 private:
  Step respond(std::string_view base64);
  Step plain(std::string_view message);
  Step login(Secret message);
  Step finish(std::string_view user, Secret password);

  Mechanism mechanism_;
  std::string_view challenge_;       ///< of static storage
  std::optional<std::string> user_;  ///< LOGIN's first answer
  std::optional<Credentials> credentials_;
};

/// Whether a user name and a password may go to a provider or a backend at all: the user is not empty and has
/// no control octets, the password (which may be empty) has no NUL, CR or LF, and both are within the limits.
/// Behind one of those octets the rest could be read as a command by whoever it is passed to.
bool is_acceptable(std::string_view user, std::string_view password) noexcept;

/// The initial response of PLAIN (RFC 4616) for a backend, in base64. Both have to be acceptable.
Secret plain_initial_response(std::string_view user, std::string_view password);

}  // namespace postern::sasl
