#include "http/request_parser.hpp"

#include <algorithm>

namespace postern::http {

/// What the codec calls. A non-zero answer ends it with an error.
struct RequestParser::Callbacks {
  static RequestParser& parser(http_parser* codec) { return *static_cast<RequestParser*>(codec->data); }

  static int on_target(http_parser* codec, const char* at, std::size_t length) {
    parser(codec).target_.append(at, length);
    return 0;
  }

  static int on_field_name(http_parser* codec, const char* at, std::size_t length) {
    RequestParser& self = parser(codec);
    if (!self.in_field_name_) self.field_name_.clear();
    self.in_field_name_ = true;
    self.field_name_.append(at, length);
    return 0;
  }

  static int on_field_value(http_parser* codec, const char* at, std::size_t length) {
    parser(codec).end_field_name();
    // RFC 9110 §5.5 wants NUL refused, and the codec lets it pass.
    return std::string_view(at, length).find('\0') == std::string_view::npos ? 0 : 1;
  }

  static int on_head_complete(http_parser* codec) {
    RequestParser& self = parser(codec);
    self.status_ = self.judge();
    http_parser_pause(codec, 1);  // it would go on to a body or to the next request
    return 0;
  }

  static http_parser_settings settings() {
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_url = on_target;
    settings.on_header_field = on_field_name;
    settings.on_header_value = on_field_value;
    settings.on_headers_complete = on_head_complete;
    return settings;
  }
};

namespace {

/// Graphic ASCII, which is all that RFC 3986 allows. The system's codec is built lenient and passes octets
/// above 0x7f, tabs and form feeds.
bool is_uri_octet(char c) {
  return c > ' ' && c < '\x7f';
}

bool is_host(std::string_view name) {
  constexpr std::string_view kHost = "host";
  return std::equal(name.begin(), name.end(), kHost.begin(), kHost.end(),
                    [](char got, char lower) { return (got | 0x20) == lower; });
}

}  // namespace

RequestParser::RequestParser() {
  http_parser_init(&codec_, HTTP_REQUEST);
  codec_.data = this;
}

void RequestParser::feed(std::string_view octets) {
  if (is_done() || octets.empty()) return;  // to the codec, no octets are the end of the stream
  static const http_parser_settings settings = Callbacks::settings();
  octets = octets.substr(0, kMaxHead - seen_);
  seen_ += octets.size();
  http_parser_execute(&codec_, &settings, octets.data(), octets.size());
  if (is_done()) return;
  if (HTTP_PARSER_ERRNO(&codec_) != HPE_OK) {
    status_ = HTTP_STATUS_BAD_REQUEST;
  } else if (seen_ == kMaxHead) {
    status_ = HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE;
  }
}

std::string RequestParser::method() const {
  return http_method_str(static_cast<http_method>(codec_.method));
}

/// Values may come in pieces too: only the first piece ends a name.
void RequestParser::end_field_name() {
  if (in_field_name_ && is_host(field_name_)) ++hosts_;
  in_field_name_ = false;
}

int RequestParser::judge() {
  if (codec_.http_major != 1 || codec_.http_minor > 1) return HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED;
  if (codec_.method != HTTP_GET && codec_.method != HTTP_HEAD) return HTTP_STATUS_METHOD_NOT_ALLOWED;
  const bool has_length = (codec_.flags & F_CONTENTLENGTH) != 0 && codec_.content_length != 0;
  if (has_length || codec_.uses_transfer_encoding != 0) return HTTP_STATUS_PAYLOAD_TOO_LARGE;
  // RFC 9112 §3.2: exactly one Host; HTTP/1.0 does without.
  if (hosts_ > 1 || (hosts_ == 0 && codec_.http_minor == 1)) return HTTP_STATUS_BAD_REQUEST;
  return take_path() ? HTTP_STATUS_OK : HTTP_STATUS_BAD_REQUEST;
}

/// The path of the target, which is "/path?query" or "http://host/path?query" (RFC 9112 §3.2.1, §3.2.2).
/// Nothing is decoded: the paths that are served need no escapes, and two spellings of one path would be one
/// too many.
bool RequestParser::take_path() {
  if (!std::all_of(target_.begin(), target_.end(), is_uri_octet)) return false;
  http_parser_url url;
  http_parser_url_init(&url);
  if (http_parser_parse_url(target_.data(), target_.size(), 0, &url) != 0) return false;
  const auto& field = url.field_data[UF_PATH];
  const bool has_path = (url.field_set & (1U << UF_PATH)) != 0;
  path_ = has_path ? target_.substr(field.off, field.len) : std::string(1, '/');
  return path_.starts_with('/');
}

}  // namespace postern::http
