#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "postern/base/result.hpp"

namespace postern::config {

/// Why a file cannot be used, in the system's words.
struct FileError {
  std::string message;
};

/// Whether `path` is a regular file (or a link to one) that this process may read.
Result<void, FileError> check_readable(const std::string& path);

/// The file's octets; an error when there are more than `most`.
Result<std::string, FileError> read_file(const std::string& path, std::size_t most);

/// `path` as seen from `folder`, unless it is absolute.
std::string resolve(const std::string& folder, std::string_view path);

}  // namespace postern::config
