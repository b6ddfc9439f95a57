#include "simulation/visit.hpp"

#include <algorithm>
#include <utility>

#include "simulation/trace.hpp"

namespace postern::sim {
namespace {

constexpr std::string_view kTerminator = "\r\n.\r\n";
constexpr std::size_t kShown = 120;

}  // namespace

std::string shown(std::string_view octets) {
  std::string all;
  for (const char octet : octets) {
    if (octet == '\r') {
      all += "\\r";
    } else if (octet == '\n') {
      all += "\\n";
    } else {
      all += octet >= ' ' && octet <= '~' ? octet : '?';
    }
  }
  if (all.size() <= kShown) return all;
  return all.substr(0, kShown / 2) + " ... (" + std::to_string(octets.size()) + ") ... " +
         all.substr(all.size() - kShown / 2);
}

void Exchange::ask(Order order, TimePoint now, std::uint64_t sent_up_to) {
  Answer answer;
  answer.order = std::move(order);
  answer.asked = now;
  answer.sent_up_to = sent_up_to;
  answers.push_back(std::move(answer));
}

Answer* Exchange::hear(std::string& octets, TimePoint now) {
  if (octets.empty() || next_ == answers.size()) return nullptr;
  Answer& answer = answers[next_];
  if (answer.status.empty()) {
    const std::size_t end = octets.find("\r\n");
    if (end == std::string::npos) return nullptr;
    answer.status = octets.substr(0, end);
    octets.erase(0, end + 2);
    if (!answer.is_ok() || !answer.order.has_body()) {
      answer.is_complete = true;
    }
  }
  if (!answer.is_complete) {
    answer.body += std::exchange(octets, {});
    std::size_t end = std::string::npos;
    if (answer.body.starts_with(".\r\n")) {
      end = 3;
    } else {
      const std::size_t found = answer.body.find(kTerminator, scanned_);
      if (found != std::string::npos) end = found + kTerminator.size();
    }
    scanned_ = answer.body.size() - std::min(answer.body.size(), kTerminator.size());
    if (end == std::string::npos) return nullptr;
    octets = answer.body.substr(end);
    answer.body.resize(end);
    answer.is_complete = true;
  }
  scanned_ = 0;
  answer.came = now;
  ++next_;
  return &answer;
}

}  // namespace postern::sim
