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

/// Whether a regular file can stand at `path` and be written: one that may be read and written, or none yet;
/// in both cases in a folder that may be written, because databases keep a journal beside their file.
Result<void, FileError> check_writable(const std::string& path);

/// The file's octets; an error when there are more than `most`.
Result<std::string, FileError> read_file(const std::string& path, std::size_t most);

/// `path` as seen from `folder`, unless it is absolute.
std::string resolve(const std::string& folder, std::string_view path);

}  // namespace postern::config
