#include "postern/pop3/dot.hpp"

namespace postern::pop3 {

void append_stuffed(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto lf = text.find('\n');
    auto line = text.substr(0, lf);
    text.remove_prefix(lf == std::string_view::npos ? text.size() : lf + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('.')) out += '.';
    out += line;
    out += "\r\n";
  }
}

}  // namespace postern::pop3
