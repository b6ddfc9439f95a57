#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "postern/base/transport.hpp"
#include "tls/openssl.hpp"
#include "tls/stage.hpp"

namespace postern::tls {

/// What stands between OpenSSL and the transport below: a BIO whose writes go to a stage and never block, and
/// whose reads come from the transport directly. Stays where it is while a BIO of it exists.
class CiphertextChannel {
 public:
  explicit CiphertextChannel(std::unique_ptr<Transport> lower) : lower_(std::move(lower)) {}
  CiphertextChannel(const CiphertextChannel&) = delete;
  CiphertextChannel& operator=(const CiphertextChannel&) = delete;

  BioPtr make_bio();

  /// Sends what is staged until the transport below says would-block, then lets that one flush what it holds.
  IoResult flush();

  Transport& lower() noexcept { return *lower_; }
  const Transport& lower() const noexcept { return *lower_; }
  Stage& stage() noexcept { return stage_; }
  std::size_t unsent() const noexcept { return stage_.size() + lower_->unsent(); }

  /// Whether the transport below said would-block and something is still staged.
  bool is_blocked() const noexcept { return blocked_; }
  /// Whether OpenSSL wrote more than the stage may hold; what it wrote is lost, the session with it.
  bool has_overflowed() const noexcept { return overflowed_; }
  /// How the directions of the transport below ended; ok while they did not.
  IoStatus read_status() const noexcept { return read_status_; }
  IoStatus write_status() const noexcept { return write_status_; }

  /// Makes every later read of OpenSSL fail: the session is refused from inside one of its callbacks.
  void stop_reading() noexcept { stopped_ = true; }

 private:
  int on_write(const char* octets, int count);
  int on_read(BIO* bio, char* into, int count);
  static const BIO_METHOD* method();

  std::unique_ptr<Transport> lower_;
  Stage stage_;
  IoStatus read_status_ = IoStatus::ok;
  IoStatus write_status_ = IoStatus::ok;
  bool blocked_ = false;
  bool overflowed_ = false;
  bool stopped_ = false;
};

}  // namespace postern::tls
