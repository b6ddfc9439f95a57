#include "postern/pop3/dot_stuffer.hpp"

#include <algorithm>
#include <cstring>

#include "postern/base/assert.hpp"

namespace postern::pop3 {
namespace {

constexpr char kInsteadOfNul = '\x80';

const char* find(const char* at, const char* end, char octet) noexcept {
  return static_cast<const char*>(std::memchr(at, octet, static_cast<std::size_t>(end - at)));
}

}  // namespace

DotStuffer::Fed DotStuffer::feed(std::string_view literal, std::span<char> out) noexcept {
  POSTERN_ASSERT(out.size() >= kLeastRoom);
  const char* at = literal.data();
  const char* const end = at + literal.size();
  char* to = out.data();
  char* const to_end = to + out.size();
  while (at != end && !complete_ && static_cast<std::size_t>(to_end - to) >= kLeastRoom) {
    if (release_held(at, to)) continue;
    if (at_line_start_ && *at == '.') *to++ = '.';
    const auto run = find_run(at, at + std::min(end - at, to_end - to));
    to = copy(at, run.copied, to);
    at = run.next;
  }
  return {static_cast<std::size_t>(at - literal.data()), static_cast<std::size_t>(to - out.data())};
}

/// There is another octet: what was held is no longer the end. True: the octet was the LF of a CR and is
/// consumed.
bool DotStuffer::release_held(const char*& at, char*& to) noexcept {
  if (held_ == Held::nothing) return false;
  if (held_ == Held::cr && *at == '\n') {
    ++at;
    held_ = Held::line_end;
    end_line(at_line_start_);
    return true;
  }
  *to++ = '\r';
  if (held_ == Held::line_end) *to++ = '\n';
  at_line_start_ = held_ == Held::line_end;
  held_ = Held::nothing;
  return false;
}

/// The octets from `at` that go out as they are: up to a line end that something has to be done about (it is
/// bare, or the last one so far, or a dot follows), or to the limit. Nothing is held when it begins, and *at
/// is not the LF of a CR before it. One memchr for each line, one copy for many:
/// measured at 10 GB/s with 74 octets a line.
DotStuffer::Run DotStuffer::find_run(const char* const at, const char* const limit) noexcept {
  const char* line = at_line_start_ ? at : nullptr;  // where the line begins, if that is in this run
  at_line_start_ = false;
  const char* from = at;
  while (const char* const lf = find(from, limit, '\n')) {
    const bool after_cr = lf != at && lf[-1] == '\r';
    const char* const text_end = after_cr ? lf - 1 : lf;
    from = lf + 1;
    if (counts_) end_line(line == text_end);
    line = from;
    if (!after_cr || from == limit || complete_) {
      held_ = Held::line_end;
      return {text_end, from};
    }
    if (*from == '.') {
      at_line_start_ = true;
      return {from, from};
    }
  }
  const bool ends_in_cr = limit[-1] == '\r';
  if (!ends_in_cr) return {limit, limit};
  held_ = Held::cr;
  at_line_start_ = line == limit - 1;
  return {limit - 1, limit};
}

void DotStuffer::end_line(bool is_empty) noexcept {
  if (!counts_) return;
  if (!in_header_) {
    complete_ = --lines_ == 0;
  } else if (is_empty) {
    in_header_ = false;
    complete_ = lines_ == 0;
  }
}

char* DotStuffer::copy(const char* from, const char* end, char* to) const noexcept {
  const auto size = static_cast<std::size_t>(end - from);
  if (size == 0) return to;
  std::memcpy(to, from, size);
  char* const to_end = to + size;
  if (nul_ == Nul::pass) return to_end;
  while (auto* const nul = static_cast<char*>(std::memchr(to, '\0', static_cast<std::size_t>(to_end - to)))) {
    *nul = kInsteadOfNul;
    to = nul + 1;
    if (to == to_end) break;
  }
  return to_end;
}

}  // namespace postern::pop3
