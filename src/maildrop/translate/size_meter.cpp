#include "maildrop/translate/size_meter.hpp"

#include <algorithm>

namespace postern::maildrop {

void SizeMeter::on_body(const imap::Body& body) {
  const bool has_octets = body.form == imap::BodyForm::literal || body.form == imap::BodyForm::quoted;
  counts_ = has_octets && body.section == imap::Section::message && !body.origin;
  reading_ = body.uid;
  octets_ = 0;
  unmatched_ = placeholder_;
  is_placeholder_ = !placeholder_.empty();
  last_ = '\0';
}

void SizeMeter::on_octets(std::string_view octets) {
  octets_ += octets.size();
  const std::string_view beginning = octets.substr(0, std::min(octets.size(), unmatched_.size()));
  is_placeholder_ = is_placeholder_ && unmatched_.starts_with(beginning);
  unmatched_.remove_prefix(beginning.size());
  for (std::size_t lf = octets.find('\n'); lf != std::string_view::npos; lf = octets.find('\n', lf + 1)) {
    const char before = lf == 0 ? last_ : octets[lf - 1];
    if (before != '\r') ++octets_;
  }
  if (!octets.empty()) last_ = octets.back();
}

void SizeMeter::on_response(const imap::Response& response) {
  if (response.kind != imap::ResponseKind::fetch) return;
  const bool was_invented = is_placeholder_ && unmatched_.empty();
  if (counts_ && !was_invented && response.fetch.uid)
    sizes_[*response.fetch.uid] = octets_ + (last_ == '\n' ? 0 : 2);
  counts_ = false;
  reading_.reset();
}

}  // namespace postern::maildrop
