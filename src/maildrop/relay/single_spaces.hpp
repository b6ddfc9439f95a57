#pragma once

#include <string>
#include <string_view>

namespace postern::maildrop {

/// A listing in which several spaces are one, for servers that align their columns: clients that cut a line
/// at its first space would take the others for part of a unique id, and `UIDL n` would show another one. The
/// state lives on across chunks.
class SingleSpaces {
 public:
  /// The octets themselves where nothing is to be done, otherwise what to send instead, kept in `room`.
  std::string_view apply(std::string_view octets, std::string& room) {
    const bool goes_on = behind_space_ && octets.starts_with(' ');
    if (!octets.empty()) behind_space_ = octets.back() == ' ';
    if (!goes_on && octets.find("  ") == std::string_view::npos) return octets;
    room.clear();
    char previous = goes_on ? ' ' : '\0';
    for (const char octet : octets) {
      if (octet != ' ' || previous != ' ') room += octet;
      previous = octet;
    }
    return room;
  }

 private:
  bool behind_space_ = false;
};

}  // namespace postern::maildrop
