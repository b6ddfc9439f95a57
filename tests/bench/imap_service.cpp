#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "bench/mailbox.hpp"
#include "bench/service.hpp"
#include "postern/base/ascii.hpp"

namespace postern::bench {
namespace {

constexpr std::string_view kCapabilities =
    "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN NAMESPACE UIDPLUS UNSELECT ESEARCH "
    "CHILDREN "
    "SPECIAL-USE";
constexpr std::string_view kFlags = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";

using Range = std::pair<std::uint32_t, std::uint32_t>;

class ImapService final : public Service {
 public:
  ImapService(Poller& poller, int socket, Ssl ssl, std::chrono::milliseconds distance)
      : Service(poller, socket, std::move(ssl), distance) {
    answer_now();
    put(fmt::format("* OK [CAPABILITY {}] ready\r\n", kCapabilities));
  }

 private:
  void on_line(std::string_view line) override {
    tag_ = take_word(line);
    std::string command = ascii::to_lower(take_word(line));
    by_uid_ = command == "uid";
    if (by_uid_) command = ascii::to_lower(take_word(line));
    if (command == "login") {
      log_in(unquoted(take_word(line)));
    } else if (command == "authenticate") {
      take_word(line);
      log_in(user_of_plain(line));
    } else if (command == "select" || command == "examine") {
      select();
    } else if (command == "fetch") {
      fetch(line);
    } else {
      answer(command, line);
    }
  }

  void answer(const std::string& command, std::string_view rest) {
    if (command == "capability") put(fmt::format("* CAPABILITY {}\r\n", kCapabilities));
    if (command == "id") put("* ID (\"name\" \"bench\")\r\n");
    if (command == "namespace") put("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    if (command == "list") put("* LIST () \"/\" INBOX\r\n");
    if (command == "status") {
      put(fmt::format("* STATUS INBOX (MESSAGES {} UIDNEXT {} UIDVALIDITY 1 UNSEEN 0 RECENT 0)\r\n",
                      mailbox_.messages, mailbox_.messages + 1));
    }
    if (command == "search") search(rest);
    if (command == "logout") put("* BYE bye\r\n");
    ok();
    if (command == "logout") end_after_output();
  }

  void log_in(std::string_view user) {
    const std::optional<Mailbox> mailbox = Mailbox::of_user(user);
    if (!mailbox) return put(fmt::format("{} NO [AUTHENTICATIONFAILED] no such user\r\n", tag_));
    mailbox_ = *mailbox;
    put(fmt::format("{} OK [CAPABILITY {}] welcome\r\n", tag_, kCapabilities));
  }

  void select() {
    put(
        fmt::format("* FLAGS ({0})\r\n* OK [PERMANENTFLAGS ({0} \\*)] ok\r\n* {1} EXISTS\r\n* 0 RECENT\r\n"
                    "* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT {2}] ok\r\n{3} OK [READ-WRITE] done\r\n",
                    kFlags, mailbox_.messages, mailbox_.messages + 1, tag_));
  }

  void search(std::string_view criteria) {
    Range found{1, mailbox_.messages};
    const std::size_t digit = criteria.find_first_of("0123456789");
    if (digit != std::string_view::npos) found = range_in(criteria.substr(digit));
    const bool extended = ascii::contains(criteria, "return");
    if (found.first > found.second) {
      put(extended ? fmt::format("* ESEARCH (TAG \"{}\") UID\r\n", tag_) : std::string("* SEARCH\r\n"));
    } else if (extended) {
      put(fmt::format("* ESEARCH (TAG \"{}\") UID ALL {}:{}\r\n", tag_, found.first, found.second));
    } else {
      std::string numbers = "* SEARCH";
      for (std::uint32_t number = found.first; number <= found.second; ++number)
        numbers += fmt::format(" {}", number);
      put(numbers + "\r\n");
    }
  }

  void fetch(std::string_view rest) {
    std::string_view set = take_word(rest);
    const std::string items = ascii::to_lower(rest);
    while (!set.empty()) {
      const std::string_view part = set.substr(0, set.find(','));
      set.remove_prefix(std::min(part.size() + 1, set.size()));
      const Range range = range_in(part);
      for (std::uint32_t number = range.first; number <= range.second; ++number) fetch_one(number, items);
    }
    put(std::move(gathered_));
    gathered_.clear();
    ok();
  }

  void fetch_one(std::uint32_t number, std::string_view items) {
    const auto asked = [&](std::string_view item) { return items.find(item) != std::string_view::npos; };
    gathered_ += fmt::format("* {} FETCH (", number);
    if (by_uid_ || asked("uid")) gathered_ += fmt::format("UID {} ", number);
    if (asked("rfc822.size")) gathered_ += fmt::format("RFC822.SIZE {} ", mailbox_.octets);
    if (asked("flags")) gathered_ += "FLAGS () ";
    if (asked("internaldate")) gathered_ += "INTERNALDATE \"01-Jan-2026 00:00:00 +0000\" ";
    const std::size_t body = items.find("body");
    if (body == std::string_view::npos) {
      gathered_.back() = ')';
    } else {
      fetch_body(number, items.substr(body));
    }
    gathered_ += "\r\n";
  }

  /// Of "body.peek[<section>]": the whole message, or its header whatever is asked of it.
  void fetch_body(std::uint32_t number, std::string_view item) {
    const std::size_t begin = item.find('[') + 1;
    const std::string_view section = item.substr(begin, item.find(']') - begin);
    const std::string header = header_of(mailbox_, number);
    const std::size_t octets = section.empty() ? mailbox_.octets : header.size();
    gathered_ += fmt::format("BODY[{}] {{{}}}\r\n{}", section, octets, header);
    if (section.empty()) {
      put(std::move(gathered_));
      put_shared(body_of(mailbox_.octets).plain);
      gathered_.clear();
    }
    gathered_ += ")";
  }

  /// "7", "1:7", "3:*", "*"; what is not there is left out, but for "*", which is the last message.
  Range range_in(std::string_view text) const {
    const std::size_t colon = text.find(':');
    std::uint32_t first = number_in(text);
    std::uint32_t last = colon == std::string_view::npos ? first : number_in(text.substr(colon + 1));
    if (first > last) std::swap(first, last);
    return {std::max(first, 1U), std::min(last, mailbox_.messages)};
  }

  std::uint32_t number_in(std::string_view text) const {
    if (text.starts_with('*')) return mailbox_.messages;
    std::uint32_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

  static std::string_view take_word(std::string_view& text) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    return word;
  }

  static std::string_view unquoted(std::string_view text) {
    return text.size() > 1 && text.front() == '"' ? text.substr(1, text.size() - 2) : text;
  }

  void ok() { put(fmt::format("{} OK done\r\n", tag_)); }

  std::string tag_;
  std::string gathered_;
  Mailbox mailbox_;
  bool by_uid_ = false;
};

}  // namespace

std::unique_ptr<Service> make_imap_service(Poller& poller, int socket, Ssl ssl,
                                           std::chrono::milliseconds distance) {
  return std::make_unique<ImapService>(poller, socket, std::move(ssl), distance);
}

}  // namespace postern::bench
