#pragma once

#include <string>
#include <string_view>

#include "postern/config/loader.hpp"

namespace postern::config {

/// A folder of a test's own, with the files that the texts below name: cert.pem, key.pem, ca.pem. Goes with
/// the object.
class Workspace {
 public:
  Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();

  const std::string& folder() const { return folder_; }
  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }
  void write(std::string_view name, std::string_view content) const;

  /// Reads a text as if it stood in postern.yaml of the folder.
  Result<Config, Problems> load(std::string_view text) const {
    return load_text(text, "postern.yaml", folder_);
  }
  /// The problems of a text, one a line; "" when it has none.
  std::string problems(std::string_view text) const;
  /// The same with FOLDER for the folder, which has another name each time, and without "postern.yaml:".
  std::string told(std::string_view text) const;

 private:
  std::string folder_;
};

/// The least that a file needs. The tests of mistakes put theirs into it: its lines and columns are theirs.
inline constexpr std::string_view kMinimal = R"(version: 1
tls:
  profiles:
    default:
      certificates:
        - cert: cert.pem
          key: key.pem
listeners:
  - name: pop3s
    bind: "[::]:995"
    profile: default
backends:
  - name: store
    servers:
      - host: pop.example.net
routes:
  - match: any
    backend: store
)";

/// The same with a backend that speaks IMAP.
inline constexpr std::string_view kImapMinimal = R"(version: 1
tls:
  profiles:
    default:
      certificates:
        - cert: cert.pem
          key: key.pem
listeners:
  - name: pop3s
    bind: "[::]:995"
    profile: default
backends:
  - name: store
    protocol: imap
    servers:
      - host: imap.example.net
routes:
  - match: any
    backend: store
)";

/// `text` with its one `old_part` replaced.
std::string replaced(std::string_view text, std::string_view old_part, std::string_view new_part);

std::string read_whole_file(const std::string& path);

}  // namespace postern::config
