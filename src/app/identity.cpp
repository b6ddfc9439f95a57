#include "app/identity.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::app {
namespace {

/// The largest number means "leave it as it is" to setresuid(2).
constexpr std::uint32_t kNobodyAtAll = std::numeric_limits<std::uint32_t>::max();
/// Room for an entry of the user database; sysconf(3) may not know.
constexpr std::size_t kEntry = 16 * 1024;

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == kNobodyAtAll) return std::nullopt;
  return value;
}

/// The entry that `get` finds, nothing where there is none.
template <typename Get>
std::optional<Identity> look_up(Get get) {
  std::vector<char> room(kEntry);
  passwd entry{};
  passwd* found = nullptr;
  if (get(entry, room, found) != 0 || found == nullptr) return std::nullopt;
  Identity identity;
  identity.user = entry.pw_uid;
  identity.group = entry.pw_gid;
  identity.name = entry.pw_name;
  return identity;
}

bool set_groups(const Identity& identity) {
  if (identity.name.empty()) return setgroups(0, nullptr) == 0;
  return initgroups(identity.name.c_str(), identity.group) == 0;
}

/// Capabilities that did not go with the user, because a service manager gave them to it.
bool drop_capabilities() {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  return syscall(SYS_capset, &header, none) == 0;
}

}  // namespace

Result<Identity, std::string> Identity::find(const std::string& user) {
  const std::size_t colon = user.find(':');
  const auto uid = number(std::string_view(user).substr(0, colon));
  if (colon != std::string::npos) {
    const auto gid = number(std::string_view(user).substr(colon + 1));
    if (!uid || !gid) return "found \"" + user + "\", expected a user, or two numbers as in 1000:1000";
    Identity identity;
    identity.user = *uid;
    identity.group = *gid;
    return identity;
  }
  if (uid) {
    auto found = look_up([&](passwd& entry, std::vector<char>& room, passwd*& result) {
      return getpwuid_r(*uid, &entry, room.data(), room.size(), &result);
    });
    if (found) return *found;
    Identity identity;
    identity.user = *uid;
    identity.group = *uid;
    return identity;
  }
  auto found = look_up([&](passwd& entry, std::vector<char>& room, passwd*& result) {
    return getpwnam_r(user.c_str(), &entry, room.data(), room.size(), &result);
  });
  if (!found) return "no user \"" + user + "\" on this machine";
  return *found;
}

bool Identity::assume() const {
  if (geteuid() == 0) {
    if (!set_groups(*this) || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0)
      return false;
  }
  if (user == 0) return true;
  if (!drop_capabilities()) return false;
  errno = EPERM;
  return setresuid(0, 0, 0) != 0 && seteuid(0) != 0;
}

BorrowedIdentity::BorrowedIdentity(const Identity& identity)
    : held_(set_groups(identity) && setegid(identity.group) == 0 && seteuid(identity.user) == 0) {}

BorrowedIdentity::~BorrowedIdentity() {
  if (seteuid(0) != 0 || setegid(0) != 0 || setgroups(0, nullptr) != 0) std::abort();  // rights lost for good
}

}  // namespace postern::app
