#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "postern/base/assert.hpp"
#include "postern/base/failure.hpp"

namespace postern {

/// A failure with the word of the failure table that it is, and what to write into the log. `detail` is ours
/// or has been sanitised; it never holds a secret and never goes to a client.
class Error {
 public:
  Error(FailureKind kind, std::string detail) : kind_(kind), detail_(std::move(detail)) {}

  FailureKind kind() const noexcept { return kind_; }
  const std::string& detail() const noexcept { return detail_; }

 private:
  FailureKind kind_;
  std::string detail_;
};

/// A value or the reason why there is none; spelled like std::expected so that it can become an alias for it.
/// It is a class with constructors, never an aggregate (g++ 12 destroys aggregates twice in statements that
/// await). Looking at the side that is not there is a bug and ends the process.
template <class T, class E = Error>
class [[nodiscard]] Result {
  static_assert(!std::is_same_v<T, E>, "a value and its error need two types");

 public:
  using value_type = T;
  using error_type = E;

  // Implicit, as those of std::expected are.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & {
    POSTERN_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    POSTERN_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && { return std::move(value()); }

  E& error() & {
    POSTERN_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  const E& error() const& {
    POSTERN_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  E&& error() && { return std::move(error()); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, E> state_;
};

/// Done, or the reason why not.
template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(E error) : error_(std::move(error)) {}

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  E& error() & {
    POSTERN_ASSERT(!has_value());
    return *error_;
  }
  const E& error() const& {
    POSTERN_ASSERT(!has_value());
    return *error_;
  }
  E&& error() && { return std::move(error()); }

 private:
  std::optional<E> error_;
};

}  // namespace postern
