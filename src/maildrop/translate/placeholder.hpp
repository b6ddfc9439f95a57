#pragma once

#include <string_view>

#include "postern/base/units.hpp"

namespace postern::maildrop {

/// How the message begins that Courier sends for one that is gone, or whose file another session renames
/// because of a flag (SNAP-9).
inline constexpr std::string_view kPlaceholder =
    "From: System Administrator <root@localhost>\r\nSubject: message unavailable\r\n";
inline constexpr Bytes kPlaceholderSize = 129;  // with what follows

}  // namespace postern::maildrop
