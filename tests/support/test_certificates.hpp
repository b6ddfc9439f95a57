#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::test {

/// A certificate authority of its own and the certificates it signs, as PEM files in a temporary folder that
/// goes away with the object.
class TestCertificates {
 public:
  enum class KeyType : std::uint8_t { ecdsa, rsa };

  struct Request {
    std::vector<std::string> dns_names;  ///< subjectAltName
    std::vector<std::string> addresses;  ///< subjectAltName
    std::string common_name;
    KeyType key_type = KeyType::ecdsa;
    std::chrono::hours valid_from{-24};  ///< from now
    std::chrono::hours valid_for{30 * 24};
  };

  struct Files {
    std::string cert_file;  ///< the leaf alone
    std::string key_file;
    std::string spki_sha256;  ///< hex digits in lower case
  };

  TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;
  ~TestCertificates();

  const std::string& ca_file() const noexcept { return ca_file_; }
  Files issue(const Request& request);
  /// For the common case: an ECDSA certificate with these DNS names.
  Files issue(std::vector<std::string> dns_names);

  /// Writes a file into the folder; returns its path.
  std::string write(std::string_view name, std::string_view content) const;
  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  struct Authority;

  std::filesystem::path folder_;
  std::string ca_file_;
  std::unique_ptr<Authority> authority_;
  unsigned issued_ = 0;
};

}  // namespace postern::test
