#pragma once

#include <optional>

#include "postern/base/failure.hpp"

namespace postern::coro {

class CancelSource;

/// Something that a cancelled scope wakes: a stream, an event. Belongs to one source; leaves it when
/// destroyed.
class CancelTarget {
 public:
  explicit CancelTarget(CancelSource& source) noexcept;
  CancelTarget(const CancelTarget&) = delete;
  CancelTarget& operator=(const CancelTarget&) = delete;

  /// Why the scope was cancelled, if it was.
  std::optional<FailureKind> cancelled() const noexcept;

 protected:
  virtual ~CancelTarget();
  /// Wakes whoever waits, by enqueueing, never in place. Must not destroy a target.
  virtual void on_cancel(FailureKind reason) = 0;

 private:
  friend class CancelSource;
  CancelSource& source_;
  CancelTarget* previous_ = nullptr;
  CancelTarget* next_ = nullptr;
};

/// A scope that can be ended from outside: whatever waits in it wakes with the reason, and whatever it tries
/// later fails with it at once. Outlives its targets. One loop only; the first reason stays.
class CancelSource {
 public:
  CancelSource() = default;
  CancelSource(const CancelSource&) = delete;
  CancelSource& operator=(const CancelSource&) = delete;
  ~CancelSource();

  void cancel(FailureKind reason);
  std::optional<FailureKind> reason() const noexcept { return reason_; }

 private:
  friend class CancelTarget;
  std::optional<FailureKind> reason_;
  CancelTarget* first_ = nullptr;
};

}  // namespace postern::coro
