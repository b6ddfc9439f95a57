#pragma once

namespace postern::app {

// sysexits.h, so that service managers and scripts can tell them apart.
inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 64;
inline constexpr int kExitUnavailable = 69;  ///< an address cannot be listened on
inline constexpr int kExitConfig = 78;

}  // namespace postern::app
