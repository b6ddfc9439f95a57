#include "config/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "postern/base/units.hpp"

namespace postern::config {
namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const noexcept { return number_; }

 private:
  int number_;
};

FileError system_error() {
  return {std::generic_category().message(errno)};
}

FileError not_regular(const struct stat& status) {
  return {S_ISDIR(status.st_mode) ? "Is a directory" : "Not a regular file"};
}

/// As open() would decide, for the effective user.
bool may(const std::string& path, int mode) {
  return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

}  // namespace

Result<void, FileError> check_readable(const std::string& path) {
  if (path.find('\0') != std::string::npos) return FileError{"the path has a NUL in it"};
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);
  struct stat status{};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return system_error();
  if (!S_ISREG(status.st_mode)) return not_regular(status);
  return {};
}

Result<void, FileError> check_writable(const std::string& path) {
  if (path.find('\0') != std::string::npos) return FileError{"the path has a NUL in it"};
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) return not_regular(status);
    if (!may(path, R_OK | W_OK)) return system_error();
  } else if (errno != ENOENT) {
    return system_error();
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (may(folder.empty() ? "." : folder, W_OK | X_OK)) return {};
  return FileError{"its folder: " + system_error().message};
}

Result<std::string, FileError> read_file(const std::string& path, std::size_t most) {
  // A pipe is fine here (`-c <(generate)`), so this may wait for its writer.
  const Descriptor file(path, O_RDONLY);
  if (file.number() < 0) return system_error();
  std::string octets;
  std::array<char, 64_KiB> chunk{};
  while (true) {
    const ssize_t got = ::read(file.number(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error();
    if (got == 0) return octets;
    octets.append(chunk.data(), static_cast<std::size_t>(got));
    if (octets.size() > most) return FileError{"more than " + std::to_string(most) + " octets"};
  }
}

std::string resolve(const std::string& folder, std::string_view path) {
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

}  // namespace postern::config
