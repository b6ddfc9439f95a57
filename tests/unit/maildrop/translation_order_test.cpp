// Any way a client takes, in any order a server answers (RETR-8): every body is that of its number.
#include <random>

#include "unit/maildrop/fetch_fixture.hpp"
#include "unit/maildrop/wire_form.hpp"

namespace postern::maildrop {
namespace {

constexpr unsigned kSeeds = 100;
constexpr unsigned kSteps = 40;
constexpr std::uint32_t kMessages = 14;

class TranslationOrderTest : public FetchTest {
 protected:
  std::uint32_t dice(std::uint32_t sides) { return static_cast<std::uint32_t>(engine_() % sides); }
  bool maybe() { return dice(2) == 0; }
  std::uint32_t any() { return 1 + dice(kMessages); }

  /// A new mailbox, a server with new habits.
  void begin(unsigned seed) {
    engine_.seed(seed);
    imap.inbox() = ImapStore::Mailbox();
    imap.inbox().uidvalidity = 1 + seed;
    imap.inbox().uidnext = 1 + dice(100);
    texts_.clear();
    for (std::uint32_t i = 0; i < kMessages; ++i) texts_.push_back(any_text(i));
    for (const std::string& text : texts_) {
      imap.inbox().uidnext += dice(3);
      ImapStore::Message& message = imap.message(imap.deliver(text));
      if (dice(4) == 0) message.size = dice(3000);
    }
    imap.order = static_cast<ImapStore::Order>(dice(3));
    imap.updates = static_cast<ImapStore::Updates>(dice(3));
    imap.partial = static_cast<ImapStore::Partial>(dice(3));
    imap.descending = maybe();
    imap.swaps_fetches = maybe();
    imap.always_flags = maybe();
    imap.literal8 = maybe();
    imap.quoted_below = maybe() ? 100 : 0;
    imap.late["UID FETCH"] = 1ms * dice(3);
    imap.max_queued = 3;
  }

  std::string any_text(std::uint32_t number) {
    std::string text = "Subject: " + std::to_string(number) + "\r\n\r\n";
    const char* const pieces[] = {"line\r\n", ".\r\n", "..x\n", "\r\n", "a\rb\r\n", ".", "\n.\n"};
    for (std::uint32_t i = dice(8); i > 0; --i) text += pieces[dice(7)];
    if (dice(5) == 0) text += std::string(dice(40'000), 'x');
    if (dice(7) == 0) return "short" + std::to_string(number);
    return text;
  }

  void check_retr(std::uint32_t message) {
    const std::string wanted = marked_.contains(message) ? "no_message" : wire_form(texts_[message - 1]);
    ASSERT_EQ(text(message), wanted) << message;
  }
  void check_top(std::uint32_t message) {
    const std::uint64_t body_lines = dice(6) == 0 ? 99'999'999 : dice(4);
    const std::string wanted =
        marked_.contains(message) ? "no_message" : top_of(texts_[message - 1], body_lines);
    ASSERT_EQ(top(message, body_lines), wanted) << message;
  }
  void check_queue() {
    std::vector<QueuedCommand> queue;
    for (std::uint32_t i = 2 + dice(10); i > 0; --i) {
      queue.push_back(command(dice(4) == 0 ? pop3::Verb::top : pop3::Verb::retr, any(), dice(3)));
    }
    while (!queue.empty()) {
      maildrop->expect(queue);
      const QueuedCommand next = queue.front();
      queue.erase(queue.begin());
      next.verb == pop3::Verb::retr ? check_retr(*next.message) : check_top(*next.message);
      if (dice(8) == 0) queue.clear();  // the client is gone, or it was something else after all
    }
  }
  void check_walk() {
    const std::uint32_t first = any();
    for (std::uint32_t message = first; message <= std::min(kMessages, first + dice(kMessages)); ++message) {
      check_retr(message);
      if (dice(5) == 0 && !marked_.contains(message)) check_mark(message);
      if (dice(5) == 0) wait();
    }
  }
  void check_mark(std::uint32_t message) {
    ASSERT_EQ(mark(message), marked_.contains(message) ? "no_message" : "");
    marked_.insert(message);
  }
  void disturb() {
    switch (dice(6)) {
      case 0:
        return server().reset();
      case 1:
        memory_ = Reservation();
        if (maybe()) memory_.reserve(opener.budget(), Bytes{64} * 1024 * 1024 - opener.budget().used());
        return;
      case 2:
        marked_.clear();
        ASSERT_EQ(reset_marks(), "");
        return;
      case 3:
        scheduler.advance(6min);
        ASSERT_EQ(noop(), "");
        return;
      case 4:
        maildrop->rest();
        return wait();
      default:
        return settle();
    }
  }
  void step_once() {
    switch (dice(6)) {
      case 0:
        return check_retr(any());
      case 1:
        return check_top(any());
      case 2:
        return check_queue();
      case 3:
        return check_mark(any());
      case 4:
        return disturb();
      default:
        return check_walk();
    }
  }
  std::vector<std::uint32_t> marked_uids(const std::vector<std::uint32_t>& uids) const {
    std::vector<std::uint32_t> all;
    for (const std::uint32_t message : marked_) all.push_back(uids[message - 1]);
    return all;
  }

  std::mt19937 engine_;
  std::vector<std::string> texts_;
  std::set<std::uint32_t> marked_;
  Reservation memory_;
};

TEST_F(TranslationOrderTest, EveryBodyIsThatOfItsNumber) {
  for (unsigned seed = 1; seed <= kSeeds && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    begin(seed);
    ASSERT_EQ(open(), "");
    marked_.clear();
    for (unsigned i = 0; i < kSteps && !HasFatalFailure(); ++i) step_once();
    const std::vector<std::uint32_t> marked = marked_uids(imap.uids());
    imap.removals.clear();
    ASSERT_EQ(commit(), "");
    EXPECT_EQ(imap.removed(), marked);
    memory_ = Reservation();
  }
}

}  // namespace
}  // namespace postern::maildrop
