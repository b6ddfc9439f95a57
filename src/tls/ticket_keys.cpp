#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "postern/base/secret.hpp"
#include "postern/tls/tls.hpp"

namespace postern::tls {
namespace {

template <std::size_t kSize>
std::span<char> chars(std::array<unsigned char, kSize>& octets) {
  return {reinterpret_cast<char*>(octets.data()), octets.size()};
}

TicketKeys::Key make_key(Random& random) {
  TicketKeys::Key key{};
  random.fill(std::as_writable_bytes(std::span(key.name)));
  random.fill(std::as_writable_bytes(std::span(key.aes)));
  random.fill(std::as_writable_bytes(std::span(key.hmac)));
  return key;
}

constexpr std::size_t kKeyOctets =
    sizeof(TicketKeys::Key::name) + sizeof(TicketKeys::Key::aes) + sizeof(TicketKeys::Key::hmac);

void append(std::string& octets, const TicketKeys::Key& key) {
  octets.append(reinterpret_cast<const char*>(key.name.data()), key.name.size());
  octets.append(reinterpret_cast<const char*>(key.aes.data()), key.aes.size());
  octets.append(reinterpret_cast<const char*>(key.hmac.data()), key.hmac.size());
}

TicketKeys::Key read_key(std::string_view octets) {
  TicketKeys::Key key{};
  std::memcpy(key.name.data(), octets.data(), key.name.size());
  std::memcpy(key.aes.data(), octets.data() + key.name.size(), key.aes.size());
  std::memcpy(key.hmac.data(), octets.data() + key.name.size() + key.aes.size(), key.hmac.size());
  return key;
}

bool is_named(const TicketKeys::Key& key, const unsigned char* name) {
  return std::equal(key.name.begin(), key.name.end(), name);
}

}  // namespace

TicketKeys::Key::~Key() {
  wipe(chars(aes));
  wipe(chars(hmac));
}

TicketKeys::TicketKeys(const Clock& clock, Random& random)
    : clock_(clock), random_(random), made_(clock.now()), current_(make_key(random)) {}

TicketKeys::Key TicketKeys::current() {
  const std::lock_guard lock(mutex_);
  rotate_if_due();
  return current_;
}

std::optional<TicketKeys::Found> TicketKeys::find(const unsigned char* name) {
  const std::lock_guard lock(mutex_);
  rotate_if_due();
  if (is_named(current_, name)) return Found{current_, true};
  if (previous_ && is_named(*previous_, name)) return Found{*previous_, false};
  return std::nullopt;
}

// When the current key was made, then the current key, then the previous one if there is one.

Secret TicketKeys::save() {
  const std::lock_guard lock(mutex_);
  std::string octets;
  octets.reserve(sizeof(Duration::rep) + 2 * kKeyOctets);  // so that no copy stays behind
  const Duration::rep made = made_.time_since_epoch().count();
  octets.append(reinterpret_cast<const char*>(&made), sizeof made);
  append(octets, current_);
  if (previous_) append(octets, *previous_);
  Secret saved(octets);
  wipe(octets);
  return saved;
}

bool TicketKeys::restore(std::string_view saved) {
  Duration::rep made = 0;
  const std::size_t one = sizeof made + kKeyOctets;
  if (saved.size() != one && saved.size() != one + kKeyOctets) return false;
  const std::lock_guard lock(mutex_);
  std::memcpy(&made, saved.data(), sizeof made);
  made_ = TimePoint(Duration(made));
  current_ = read_key(saved.substr(sizeof made));
  previous_.reset();
  if (saved.size() != one) previous_ = read_key(saved.substr(one));
  return true;
}

void TicketKeys::rotate_if_due() {
  const TimePoint now = clock_.now();
  const Duration age = now - made_;
  if (age < kRotation) return;
  // A process that was idle for two periods has no key left that is young enough to open tickets.
  if (age < 2 * kRotation) {
    previous_ = current_;
  } else {
    previous_.reset();
  }
  current_ = make_key(random_);
  made_ = now;
}

}  // namespace postern::tls
