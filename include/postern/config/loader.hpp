#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postern/base/result.hpp"
#include "postern/config/config.hpp"

namespace postern::config {

/// One mistake of the operator.
struct Problem {
  Mark mark;
  std::string message;  ///< what is wrong, what was expected, and "did you mean" where something is near

  std::string to_string() const;  ///< "postern.yaml:12:7: message"
};

/// All mistakes found in one reading, in the order of the file.
using Problems = std::vector<Problem>;

/// Reads and checks a configuration file: syntax, keys, types, ranges, references between its parts, and that
/// the files it names can be read. Does not look into certificates (postern::tls does) and opens no socket.
/// Blocks on the file system; never on the network. Relative paths in it are relative to the file's folder.
Result<Config, Problems> load_file(const std::string& path);

/// The same from text; `name` stands for the file in problems, `folder` for where relative paths start.
Result<Config, Problems> load_text(std::string_view text, const std::string& name, const std::string& folder);

}  // namespace postern::config
