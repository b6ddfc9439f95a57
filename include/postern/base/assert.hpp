#pragma once

/// What must be impossible: prints file and line and ends the process, in every build. Never used on anything
/// that a peer or an operator can bring about; that is handled and tested.
namespace postern {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;
}  // namespace postern

#define POSTERN_ASSERT(expression) \
  (static_cast<bool>(expression) ? void(0) : ::postern::assertion_failed(#expression, __FILE__, __LINE__))
