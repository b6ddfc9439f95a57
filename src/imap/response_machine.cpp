#include "imap/response_machine.hpp"

#include <algorithm>
#include <utility>

#include "imap/data_line.hpp"
#include "imap/status_line.hpp"

namespace postern::imap {
namespace {

constexpr Fault kLongLine = "line too long";
/// Lines and literals of one response that are gathered.
constexpr std::size_t kMaxGathered = kMaxResponseLine + kMaxPlainLiteral;
/// Memory that is kept from one response to the next; what a long line needed beyond it is given back.
constexpr std::size_t kKeptCapacity = 4096;
/// Enough octets to tell a list of numbers ("* VANISHED ") from every other response.
constexpr std::size_t kProbe = 16;

void reuse(std::string& text) noexcept {
  if (text.capacity() > kKeptCapacity) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

std::string_view without_line_end(std::string_view line) noexcept {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

struct ListStart {
  ResponseKind kind;
  std::size_t length;  ///< up to the end of the keyword
};

/// Whether a line begins with a keyword behind which a list of numbers stands.
std::optional<ListStart> find_list(std::string_view line) noexcept {
  constexpr std::size_t kStar = 2;
  if (!line.starts_with("* ") || line.size() == kStar || ascii::is_digit(line[kStar])) return std::nullopt;
  const auto end = line.find_first_of(" \r\n", kStar);
  if (end == std::string_view::npos) return std::nullopt;
  const auto kind = find_number_list(line.substr(kStar, end - kStar));
  return kind ? std::optional(ListStart{*kind, end}) : std::nullopt;
}

}  // namespace

ResponseParser::Parsed ResponseParser::Machine::parse(std::string_view input) {
  const auto size = input.size();
  if (given_) start_over();
  if (std::exchange(numbers_given_, false)) numbers_.clear_batch();
  Outcome outcome;
  while (!outcome) outcome = advance(input);
  return {size - input.size(), *outcome};
}

void ResponseParser::Machine::start_over() noexcept {
  if (in_fetch_) fetch_.forget();
  given_ = false;
  in_fetch_ = false;
  line_complete_ = false;
  line_octets_ = 0;
  last_line_ = 0;
  position_ = 0;
  for (auto* text : {&line_, &kept_, &room_}) reuse(*text);
  response_ = Response();
  state_ = State::line;
}

ResponseParser::Machine::Outcome ResponseParser::Machine::advance(std::string_view& input) {
  switch (state_) {
    case State::line:
      return read_line(input);
    case State::list:
      return read_list(input);
    case State::list_end:
      return finish(response_.kind);
    case State::drop:
    case State::keep:
      return pass_literal(input);
    case State::failed:
      break;
  }
  return Step::error;
}

ResponseParser::Machine::Outcome ResponseParser::Machine::read_line(std::string_view& input) {
  if (line_complete_) return read_gathered_line();
  if (input.empty()) return Step::need_more;
  if (!line_.empty()) return gather_line(input);
  if (in_fetch_ && !fetch_.may_go_on_with(input.front()))
    return fail("no space or parenthesis behind a value");
  const auto lf = input.find('\n');
  return lf == std::string_view::npos ? gather_line(input) : read_input_line(input, lf + 1);
}

ResponseParser::Machine::Outcome ResponseParser::Machine::read_input_line(std::string_view& input,
                                                                          std::size_t length) {
  const auto whole = input.substr(0, length);
  const auto line = without_line_end(whole);
  Cursor cursor(line);
  if (!in_fetch_ && line.starts_with('*')) {
    if (const auto list = find_list(whole)) {
      input.remove_prefix(list->length);
      return begin_list(list->kind);
    }
  }
  if (line_octets_ + length > kMaxResponseLine) return fail(kLongLine);
  in_input_ = true;
  line_used_up_ = true;
  const auto outcome = in_fetch_ ? read_fetch(cursor) : read_response(line, line, cursor);
  const auto used = line_used_up_ ? length : cursor.used();
  if (state_ == State::keep) {
    line_ = whole;
    last_line_ = line_.size();
  }
  line_octets_ += used;
  input.remove_prefix(used);
  return outcome;
}

/// Gathers what there is of a line. A list of numbers is found out by the first octets, before the rest is
/// gathered.
ResponseParser::Machine::Outcome ResponseParser::Machine::gather_line(std::string_view& input) {
  const auto lf = input.find('\n');
  auto part = input.substr(0, lf == std::string_view::npos ? lf : lf + 1);
  if (!in_fetch_ && last_line_ == 0 && line_.size() < kProbe) {
    const auto probe = part.substr(0, kProbe - line_.size());
    line_ += probe;
    line_octets_ += probe.size();
    input.remove_prefix(probe.size());
    part.remove_prefix(probe.size());
    if (const auto list = find_list(line_)) {
      position_ = list->length;
      return begin_list(list->kind);
    }
  }
  if (line_octets_ + part.size() > kMaxResponseLine || line_.size() + part.size() > kMaxGathered) {
    return fail(kLongLine);
  }
  line_ += part;
  line_octets_ += part.size();
  input.remove_prefix(part.size());
  line_complete_ = lf != std::string_view::npos;
  return line_complete_ ? Outcome() : Step::need_more;
}

ResponseParser::Machine::Outcome ResponseParser::Machine::read_gathered_line() {
  in_input_ = false;
  line_used_up_ = true;
  const auto last_line =
      without_line_end(std::string_view(line_).substr(last_line_));  // a literal may end in a CR
  const auto line = std::string_view(line_).substr(0, last_line_ + last_line.size());
  Cursor cursor(line.substr(position_));
  const auto outcome = in_fetch_ ? read_fetch(cursor) : read_response(line, last_line, cursor);
  if (!line_used_up_) {
    position_ += cursor.used();
  } else if (in_fetch_) {
    line_.clear();
    position_ = 0;
    line_complete_ = false;
  } else if (state_ == State::keep) {
    last_line_ = line_.size();
    line_complete_ = false;
  }
  return outcome;
}

ResponseParser::Machine::Outcome ResponseParser::Machine::read_list(std::string_view& input) {
  auto stop = NumberReader::Stop::need_more;
  if (position_ < line_.size()) {
    auto rest = std::string_view(line_).substr(position_);
    stop = numbers_.read(rest);
    position_ = line_.size() - rest.size();
  } else {
    if (input.empty()) return Step::need_more;
    stop = numbers_.read(input);
  }
  response_.tag = numbers_.tag();
  switch (stop) {
    case NumberReader::Stop::need_more:
      return std::nullopt;
    case NumberReader::Stop::fault:
      return fail(numbers_.fault());
    case NumberReader::Stop::done:
      state_ = State::list_end;
      break;
    case NumberReader::Stop::batch:
      break;
  }
  if (numbers_.batch().empty()) return std::nullopt;
  numbers_given_ = true;
  return Step::numbers;
}

ResponseParser::Machine::Outcome ResponseParser::Machine::pass_literal(std::string_view& input) {
  const auto part =
      input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(literal_left_, input.size())));
  if (state_ == State::keep) line_ += part;
  input.remove_prefix(part.size());
  literal_left_ -= part.size();
  if (literal_left_ != 0) return Step::need_more;
  if (state_ == State::keep) last_line_ = line_.size();
  state_ = State::line;
  return std::nullopt;
}

ResponseParser::Machine::Outcome ResponseParser::Machine::fail(Fault fault) noexcept {
  error_ = fault;
  state_ = State::failed;
  return Step::error;
}

ResponseParser::Machine::Outcome ResponseParser::Machine::finish(ResponseKind kind) noexcept {
  response_.kind = kind;
  given_ = true;
  return Step::response;
}

ResponseParser::Machine::Outcome ResponseParser::Machine::begin_list(ResponseKind kind) noexcept {
  response_.kind = kind;
  numbers_.begin(kind, response_);
  state_ = State::list;
  return std::nullopt;
}

ResponseParser::ResponseParser(Bytes max_body)
    : machine_(std::make_unique<Machine>(std::min<Bytes>(max_body, kMaxNumber64))) {}
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser& ResponseParser::operator=(ResponseParser&&) noexcept = default;
ResponseParser::~ResponseParser() = default;

ResponseParser::Parsed ResponseParser::parse(std::string_view input) {
  return machine_->parse(input);
}
const Response& ResponseParser::response() const noexcept {
  return machine_->response();
}
const Body& ResponseParser::body() const noexcept {
  return machine_->body();
}
std::span<const NumberRange> ResponseParser::numbers() const noexcept {
  return machine_->numbers();
}
std::string_view ResponseParser::error() const noexcept {
  return machine_->error();
}

}  // namespace postern::imap
