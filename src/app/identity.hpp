#pragma once

#include <sys/types.h>

#include <string>

#include "postern/base/result.hpp"

namespace postern::app {

/// Whom a process that was started as root becomes (`runtime.user`).
class Identity {
 public:
  /// `user` is a name, a user's number or `number:number` of user and group. A name, and a number without a
  /// group, are looked up (getpwnam(3)); a number that nobody has is its own group. The error says what is
  /// wrong with it. Blocks on the system's user database.
  static Result<Identity, std::string> find(const std::string& user);

  uid_t user = 0;
  gid_t group = 0;
  std::string name;  ///< whose further groups are taken along; empty: none are

  /// For this process and all its threads to come, without return: nothing of the old rights is left
  /// (capabilities(7)). False, with errno: some are, and the process must end.
  bool assume() const;
};

/// The rights of another for as long as it lives, to see what he sees. Only before there are threads, and
/// only as root; held() is false where they could not be had.
class BorrowedIdentity {
 public:
  explicit BorrowedIdentity(const Identity& identity);
  BorrowedIdentity(const BorrowedIdentity&) = delete;
  BorrowedIdentity& operator=(const BorrowedIdentity&) = delete;
  ~BorrowedIdentity();

  bool held() const noexcept { return held_; }

 private:
  bool held_;
};

}  // namespace postern::app
