#pragma once

#include <utility>

#include "postern/base/units.hpp"

namespace postern::maildrop {

/// Memory that the sessions of one loop may use for bodies that came before they were wanted.
class Budget {
 public:
  explicit Budget(Bytes limit) noexcept : limit_(limit) {}
  Bytes used() const noexcept { return used_; }

 private:
  friend class Reservation;
  Bytes limit_;
  Bytes used_ = 0;
};

/// A piece of a budget, given back when it goes. Outlived by the budget.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), size_(other.size_) {}
  Reservation& operator=(Reservation&& other) noexcept {
    if (this != &other) {
      release();
      budget_ = std::exchange(other.budget_, nullptr);
      size_ = other.size_;
    }
    return *this;
  }
  ~Reservation() { release(); }

  /// False if there is not so much left.
  bool reserve(Budget& budget, Bytes size) noexcept {
    release();
    if (size > budget.limit_ - budget.used_) return false;
    budget.used_ += size;
    budget_ = &budget;
    size_ = size;
    return true;
  }

 private:
  void release() noexcept {
    if (budget_ != nullptr) budget_->used_ -= size_;
    budget_ = nullptr;
  }

  Budget* budget_ = nullptr;
  Bytes size_ = 0;
};

}  // namespace postern::maildrop
