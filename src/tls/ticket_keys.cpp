#include <algorithm>
#include <cstddef>
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
