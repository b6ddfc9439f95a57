#include "maildrop/translate/size_meter.hpp"

namespace postern::maildrop {

void SizeMeter::on_body(const imap::Body& body) {
  const bool has_octets = body.form == imap::BodyForm::literal || body.form == imap::BodyForm::quoted;
  counts_ = has_octets && body.section == imap::Section::message && !body.origin;
  reading_ = body.uid;
  octets_ = 0;
  last_ = '\0';
}

void SizeMeter::on_octets(std::string_view octets) {
  octets_ += octets.size();
  for (std::size_t lf = octets.find('\n'); lf != std::string_view::npos; lf = octets.find('\n', lf + 1)) {
    const char before = lf == 0 ? last_ : octets[lf - 1];
    if (before != '\r') ++octets_;
  }
  if (!octets.empty()) last_ = octets.back();
}

void SizeMeter::on_response(const imap::Response& response) {
  if (response.kind != imap::ResponseKind::fetch) return;
  if (counts_ && response.fetch.uid) sizes_[*response.fetch.uid] = octets_ + (last_ == '\n' ? 0 : 2);
  counts_ = false;
  reading_.reset();
}

}  // namespace postern::maildrop
