#pragma once

#include <http_parser.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::http {

/// Reads the head of one request, in whatever pieces it comes, and says whether it can be answered. What
/// stands behind the head (a second request, a body) is not looked at.
class RequestParser {
 public:
  /// A scrape has a head of some hundred octets; this is what web servers commonly take.
  static constexpr std::size_t kMaxHead = 8 * 1024;

  RequestParser();
  RequestParser(const RequestParser&) = delete;  // the codec's callbacks know its address
  RequestParser& operator=(const RequestParser&) = delete;

  void feed(std::string_view octets);
  bool is_done() const noexcept { return status_ != 0; }

  /// Once it is done: 200, or the status the request is refused with.
  int status() const noexcept { return status_; }
  /// Whether the answer goes without its body. Known as soon as the method was read.
  bool is_head() const noexcept { return codec_.method == HTTP_HEAD && !target_.empty(); }
  /// Only with status 200.
  std::string method() const;
  const std::string& path() const noexcept { return path_; }

 private:
  struct Callbacks;

  void end_field_name();
  int judge();
  bool take_path();

  http_parser codec_;
  std::size_t seen_ = 0;
  int status_ = 0;
  std::string target_;
  std::string path_;
  std::string field_name_;
  bool in_field_name_ = false;
  unsigned hosts_ = 0;
};

}  // namespace postern::http
