#pragma once

#include <string>

#include "config/document.hpp"
#include "config/settings_table.hpp"

/// How messages speak of values. One voice for all of them: "found ..., expected ...; hint".
namespace postern::config {

/// What was found: "the number 600", "'abc'", "a list", "nothing".
std::string describe(const Node& node);

/// What may have gone wrong with a value that was not expected; begins with "; " unless it is empty.
std::string hint_for(const Node& node, const Setting& setting);

/// Whether a number in quotes could be a right value of this kind of text.
bool may_be_number(Type type);

}  // namespace postern::config
