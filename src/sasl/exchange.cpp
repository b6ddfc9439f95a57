#include <algorithm>
#include <array>

#include "postern/base/ascii.hpp"
#include "postern/base/assert.hpp"
#include "postern/sasl/sasl.hpp"

namespace postern::sasl {
namespace {

constexpr std::array<std::string_view, kMechanisms> kNames = {"PLAIN", "LOGIN"};

// LOGIN was never more than a draft; clients look at these very words.
constexpr std::string_view kUserChallenge = "VXNlcm5hbWU6";      // "Username:"
constexpr std::string_view kPasswordChallenge = "UGFzc3dvcmQ6";  // "Password:"

constexpr std::string_view kCancel = "*";
constexpr std::string_view kEmptyInitial = "=";
constexpr std::string_view kNotInPassword{"\0\r\n", 3};

bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

std::string_view name(Mechanism mechanism) noexcept {
  return kNames[static_cast<std::size_t>(mechanism)];
}

std::optional<Mechanism> find_mechanism(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kMechanisms; ++i) {
    if (ascii::equal(kNames[i], name)) return static_cast<Mechanism>(i);
  }
  return std::nullopt;
}

Exchange::Step Exchange::begin(std::optional<std::string_view> initial) {
  if (initial) return respond(*initial == kEmptyInitial ? std::string_view() : *initial);
  if (mechanism_ == Mechanism::login) challenge_ = kUserChallenge;
  return Step::challenge;
}

Exchange::Step Exchange::feed(std::string_view line) {
  if (line == kCancel) return Step::cancelled;
  return respond(line);
}

Exchange::Step Exchange::respond(std::string_view base64) {
  auto message = decode_base64(base64);
  if (!message) return Step::malformed;
  if (mechanism_ == Mechanism::plain) return plain(message->view());
  return login(std::move(*message));
}

/// [authzid] NUL authcid NUL passwd (RFC 4616 §2).
Exchange::Step Exchange::plain(std::string_view message) {
  if (std::count(message.begin(), message.end(), '\0') != 2) return Step::malformed;
  const auto first = message.find('\0');
  const auto second = message.find('\0', first + 1);
  const auto authorization = message.substr(0, first);
  const auto user = message.substr(first + 1, second - first - 1);
  if (!authorization.empty() && authorization != user) return Step::refused;
  return finish(user, Secret(message.substr(second + 1)));
}

/// The user name first, then the password. A bad name is told only behind the password, as in every other way
/// to log in.
Exchange::Step Exchange::login(Secret message) {
  if (user_) return finish(*user_, std::move(message));
  user_.emplace(message.view());
  challenge_ = kPasswordChallenge;
  return Step::challenge;
}

Exchange::Step Exchange::finish(std::string_view user, Secret password) {
  if (!is_acceptable(user, password.view())) return Step::refused;
  credentials_.emplace(std::string(user), std::move(password));
  return Step::done;
}

Credentials Exchange::take_credentials() {
  POSTERN_ASSERT(credentials_.has_value());
  Credentials taken = std::move(*credentials_);
  credentials_.reset();
  return taken;
}

bool is_acceptable(std::string_view user, std::string_view password) noexcept {
  if (user.empty() || user.size() > kMaxUser || password.size() > kMaxPassword) return false;
  if (std::any_of(user.begin(), user.end(), is_control)) return false;
  return password.find_first_of(kNotInPassword) == std::string_view::npos;
}

Secret plain_initial_response(std::string_view user, std::string_view password) {
  std::string message;
  message.reserve(user.size() + password.size() + 2);
  message += '\0';
  message += user;
  message += '\0';
  message += password;
  auto encoded = encode_base64(message);
  wipe(message);
  return encoded;
}

}  // namespace postern::sasl
