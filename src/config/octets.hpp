#pragma once

#include <string_view>

#include "config/report.hpp"

namespace postern::config {

/// Whether the text is UTF-8 without control characters, and not so full of brackets that yaml-cpp would need
/// gigabytes for it; if not, the first offence is reported. yaml-cpp would guess at UTF-16 and UTF-32
/// instead, and read a binary file as some text or other.
bool check_octets(std::string_view text, Report& report);

}  // namespace postern::config
