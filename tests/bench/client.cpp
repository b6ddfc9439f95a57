#include "bench/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace postern::bench {
namespace {

double milliseconds_since(Time begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

}  // namespace

Client::Client(Poller& poller, int socket, Ssl ssl, const Mailbox& mailbox, const Visit& visit, Judge& judge)
    : Connection(poller, socket, std::move(ssl)), mailbox_(mailbox), visit_(visit), judge_(judge) {
  asked_.push_back({Kind::greeting, 0});
}

void Client::go() {
  visit_.holds = false;
  send_more();
  flush();
}

void Client::send_more() {
  const bool is_fetching = !asked_.empty() && asked_.front().kind == Kind::message;
  if (is_fetching && asked_.size() > visit_.depth / 2) return;
  if (!is_fetching && !asked_.empty()) return;
  while (!over_ && send_next()) continue;
}

/// Sends a command; whether another one may follow at once.
bool Client::send_next() {
  switch (step_) {
    case Step::user:
      step_ = Step::pass;
      ask(Kind::line, "USER " + mailbox_.user_name());
      return false;
    case Step::pass:
      step_ = Step::stat;
      pass_ = Clock::now();
      ask(Kind::line, "PASS secret");
      return false;
    case Step::stat:
      step_ = Step::list;
      if (!visit_.stat) return true;
      ask(Kind::line, "STAT");
      return false;
    case Step::list:
      step_ = Step::uidl;
      if (!visit_.lists) return true;
      ask(Kind::list, "LIST");
      return false;
    case Step::uidl:
      step_ = Step::retr;
      if (!visit_.lists) return true;
      ask(Kind::uidl, "UIDL");
      return false;
    case Step::retr: {
      if (fetched_ == visit_.fetches || Clock::now() > visit_.fetches_until) {
        if (!asked_.empty()) return false;
        step_ = Step::quit;
        if (fetched_ > 0) times_.fetching = milliseconds_since(fetch_);
        return true;
      }
      if (fetched_ == 0) fetch_ = Clock::now();
      const std::uint32_t number = fetched_++ % mailbox_.messages + 1;
      ask(Kind::message, fmt::format("RETR {}", number), number);
      return asked_.size() < visit_.depth;
    }
    case Step::quit:
      if (visit_.holds) {
        judge_.on_holding(*this);
        return false;
      }
      step_ = Step::none;
      ask(Kind::quit, "QUIT");
      return false;
    case Step::none:
      return false;
  }
  return false;
}

void Client::ask(Kind kind, std::string text, std::uint32_t number) {
  asked_.push_back({kind, number});
  put(std::move(text) + "\r\n");
}

void Client::on_data(std::string_view octets) {
  while (!octets.empty() && !over_) {
    if (asked_.empty()) return fail("an answer to nothing");
    if (in_body_ && asked_.front().kind == Kind::message) {
      octets.remove_prefix(match_message(octets));
      continue;
    }
    const std::size_t end = octets.find('\n');
    line_ += octets.substr(0, end);
    if (end == std::string_view::npos) return;
    octets.remove_prefix(end + 1);
    if (!line_.ends_with('\r')) return fail("a line without CRLF");
    line_.pop_back();
    const std::string line = std::exchange(line_, {});
    in_body_ ? on_listed(line) : on_status(line);
  }
}

void Client::on_status(std::string_view line) {
  if (!line.starts_with("+OK")) return fail(std::string(line));
  const Command& command = asked_.front();
  switch (command.kind) {
    case Kind::list:
    case Kind::uidl:
      in_body_ = true;
      position_ = 0;
      return;
    case Kind::message:
      in_body_ = true;
      position_ = 0;
      header_ = header_of(mailbox_, command.number);
      return;
    case Kind::quit:
      return finish();
    default:
      return answered();
  }
}

/// Sizes are the store's; unique-ids are whatever the gateway makes of them.
void Client::on_listed(std::string_view line) {
  const bool sizes = asked_.front().kind == Kind::list;
  if (line == ".") {
    if (position_ != mailbox_.messages) return fail("a listing that is too short");
    if (!sizes) times_.listing = milliseconds_since(pass_);
    return answered();
  }
  const std::string number = std::to_string(++position_) + " ";
  const bool expected = sizes ? line == number + std::to_string(mailbox_.octets)
                              : line.starts_with(number) && line.size() > number.size();
  if (!expected) fail("listed: " + std::string(line));
}

std::size_t Client::match_message(std::string_view octets) {
  const std::string_view body = body_of(mailbox_.octets).stuffed;
  const bool in_header = position_ < header_.size();
  const std::string_view expected =
      in_header ? std::string_view(header_).substr(position_) : body.substr(position_ - header_.size());
  const std::size_t size = std::min(octets.size(), expected.size());
  if (std::memcmp(octets.data(), expected.data(), size) != 0) {
    fail(fmt::format("message {} differs behind octet {}", asked_.front().number, position_));
    return size;
  }
  position_ += size;
  if (position_ == header_.size() + body.size()) {
    judge_.on_message(position_);
    answered();
  }
  return size;
}

void Client::answered() {
  asked_.pop_front();
  in_body_ = false;
  send_more();
}

void Client::finish() {
  over_ = true;
  times_.whole = milliseconds_since(begin_);
  judge_.on_done(*this, times_);
  end();
}

void Client::fail(const std::string& why) {
  over_ = true;
  judge_.on_failure(*this, why);
  end();
}

void Client::on_end() {
  if (!over_) judge_.on_failure(*this, "the connection ended");
}

}  // namespace postern::bench
