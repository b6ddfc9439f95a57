#include "postern/coro/cancel.hpp"

#include "postern/base/assert.hpp"

namespace postern::coro {

CancelTarget::CancelTarget(CancelSource& source) noexcept : source_(source), next_(source.first_) {
  if (next_ != nullptr) next_->previous_ = this;
  source.first_ = this;
}

CancelTarget::~CancelTarget() {
  if (next_ != nullptr) next_->previous_ = previous_;
  if (previous_ != nullptr) {
    previous_->next_ = next_;
  } else {
    source_.first_ = next_;
  }
}

std::optional<FailureKind> CancelTarget::cancelled() const noexcept {
  return source_.reason();
}

CancelSource::~CancelSource() {
  POSTERN_ASSERT(first_ == nullptr);
}

void CancelSource::cancel(FailureKind reason) {
  if (reason_) return;
  reason_ = reason;
  for (CancelTarget* target = first_; target != nullptr; target = target->next_) target->on_cancel(reason);
}

}  // namespace postern::coro
