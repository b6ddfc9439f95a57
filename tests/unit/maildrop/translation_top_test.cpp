// TOP (TOP-1, TOP-2): from the front of the message, in parts.
#include "unit/maildrop/fetch_fixture.hpp"
#include "unit/maildrop/wire_form.hpp"

namespace postern::maildrop {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Bytes kWindow = 16 * 1024;
constexpr Bytes kNext = 1024 * 1024;

/// A header of so many octets, without the empty line.
std::string header_of(std::size_t octets) {
  std::string header;
  while (header.size() + 100 < octets) header += "X-Field: " + std::string(60, 'h') + "\r\n";
  return header + "X-Last: " + std::string(octets - header.size() - 10, 'l') + "\r\n";
}

std::string body_of(std::size_t lines) {
  std::string body;
  for (std::size_t i = 0; i < lines; ++i)
    body += "." + std::to_string(i) + " some text on a line of mail\r\n";
  return body;
}

const std::string& large() {
  static const std::string text = header_of(500) + "\r\n" + body_of(5000);
  return text;
}

std::vector<std::string> corpus() {
  return {"Subject: x\r\n\r\nbody\r\n",
          "Subject: x\r\n\r\nno end",
          "Subject: x\n\nbare\nlf\n.\n",
          "Subject: x\r\n\r\na\rb\r\r\n\r\n",
          std::string("Subject: x\r\n\r\nn\0l\r\n", 19),
          "",
          "Subject: only\r\n\r\n",
          "Subject: no blank line\r\n",
          "Subject: no line end",
          "\r\nno header\r\n",
          ".\r\n..\r\n\r\n...\r\n.\r\n",
          "Subject: long\r\n\r\n" + std::string(20'000, 'x') + "\r\nafter\r\n",
          "Subject: \xc3\xa4\r\n\r\n\xff\xfe\r\n",
          "Subject: blank tail\r\n\r\n\r\n\r\n\r\n",
          "From nobody Thu Jan  1 00:00:00 1970\r\nSubject: x\r\n\r\nmbox\r\n",
          "Subject: final CR\r\n\r\nend\r",
          "\r",
          "\n",
          header_of(40'000) + "\r\n" + body_of(10),
          header_of(50'000),
          large()};
}

class TranslationTopTest : public FetchTest {
 protected:
  void begin() {
    ASSERT_EQ(open(), "");
    imap.commands.clear();
  }
  std::vector<std::string> sent() {
    wait();
    std::vector<std::string> all = asked();
    imap.commands.clear();
    return all;
  }
  /// TOP of everything, with all numbers of lines that matter.
  void check_all() {
    const std::vector<std::string> texts = corpus();
    for (std::uint32_t message = 1; message <= texts.size(); ++message) {
      const std::string whole_text = text(message);
      for (const std::uint64_t body_lines : {0U, 1U, 2U, 3U, 4U, 9U, 10U, 4999U, 5000U, 99'999'999U}) {
        const std::string shown = top(message, body_lines);
        ASSERT_EQ(shown, top_of(texts[message - 1], body_lines)) << message << ", " << body_lines;
        ASSERT_TRUE(whole_text.starts_with(shown));
      }
    }
  }
};

TEST_F(TranslationTopTest, IsWhatRetrBeginsWith) {
  for (const std::string& text : corpus()) imap.deliver(text);
  for (const std::size_t quoted_below : {0U, 1000U}) {
    imap.quoted_below = quoted_below;
    for (const auto partial :
         {ImapStore::Partial::right, ImapStore::Partial::whole, ImapStore::Partial::unknown}) {
      imap.partial = partial;
      ASSERT_EQ(open(), "");
      check_all();
    }
  }
  EXPECT_EQ(imap.connections, 6U);
}

TEST_F(TranslationTopTest, IsWhatRetrBeginsWithAtServersWithoutParts) {
  settings.imap.profile = config::ImapProfile::hmailserver;
  imap.partial = ImapStore::Partial::unknown;
  for (const std::string& text : corpus()) imap.deliver(text);
  ASSERT_EQ(open(), "");
  check_all();
}

TEST_F(TranslationTopTest, AsksForAWindow) {
  imap.deliver(large());
  begin();
  EXPECT_EQ(top(1, 0), top_of(large(), 0));
  EXPECT_EQ(top(1, 100), top_of(large(), 100));
  EXPECT_THAT(sent(), ElementsAre(part(1, 0, kWindow), part(1, 0, kWindow + 12'800)));
}

TEST_F(TranslationTopTest, AsksForMoreWhenTheHeaderIsLong) {
  imap.deliver(header_of(40'000) + "\r\n" + body_of(10));
  begin();
  EXPECT_EQ(top(1, 1), top_of(imap.message(1).text, 1));
  EXPECT_THAT(sent(), ElementsAre(part(1, 0, kWindow + 128), part(1, kWindow + 128, kNext)));
}

TEST_F(TranslationTopTest, AsksForTheWholeMessageWhereThatIsAsGood) {
  imap.deliver("Subject: x\r\n\r\nbody\r\n");
  imap.deliver(large());
  begin();
  top(1, 0);
  EXPECT_EQ(top(2, 99'999'999), wire_form(large()));
  EXPECT_THAT(sent(), ElementsAre(whole("1"), whole("2")));
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.flagged("\\Seen"), IsEmpty());
}

TEST_F(TranslationTopTest, WholeMessageInsteadOfAPartIsCut) {
  imap.deliver(large());
  imap.deliver("Subject: next\r\n\r\n");
  for (const char* name : {"BODY[]", "BODY[]<0>"}) {
    begin();
    imap.instead["UID FETCH"] = {step::send(std::string("* 1 FETCH (UID 1 ") + name + " " +
                                            ImapStore::literal(large()) + ")\r\n$TAG OK\r\n")};
    EXPECT_EQ(top(1, 3), top_of(large(), 3));
    EXPECT_EQ(sent().size(), 1U);
    imap.instead.clear();
    EXPECT_EQ(text(2), "Subject: next\r\n\r\n");
  }
  EXPECT_EQ(imap.connections, 2U);
}

TEST_F(TranslationTopTest, MessageThatEndsWithAWindowIsComplete) {
  for (const bool quotes : {false, true}) {
    imap.quoted_below = quotes ? 1 : 0;  // Cyrus says "" beyond the end
    if (imap.uids().empty()) imap.deliver(header_of(kWindow));
    imap.message(1).size = 3 * kWindow;  // an estimate
    begin();
    EXPECT_EQ(top(1, 0), imap.message(1).text);
    EXPECT_THAT(sent(), ElementsAre(part(1, 0, kWindow), part(1, kWindow, kNext)));
    EXPECT_EQ(imap.connections, quotes ? 2U : 1U);
  }
}

TEST_F(TranslationTopTest, LastPartMayBeQuoted) {
  imap.deliver(header_of(kWindow) + "X: last");
  imap.quoted_below = 100;
  begin();
  EXPECT_EQ(top(1, 0), imap.message(1).text + "\r\n");
  EXPECT_EQ(sent().size(), 2U);
}

TEST_F(TranslationTopTest, AnotherPartThanAskedForIsNoPart) {
  imap.deliver(header_of(40'000) + "\r\n" + body_of(10));
  const char* answers[] = {"BODY[]<0> {3}\r\nabc", "BODY[]<16385> {3}\r\nabc", "BODY[] {3}\r\nabc",
                           "BODY[]<16384> NIL"};
  for (const char* said : answers) {
    begin();
    snapshots.failed.clear();
    imap.instead[part(1, kWindow, kNext)] = {
        step::send(std::string("* 1 FETCH (UID 1 ") + said + ")\r\n$TAG OK\r\n")};
    Kept sink;
    EXPECT_EQ(failure(run(maildrop->top(1, 0, sink))), "backend_protocol") << said;
    EXPECT_TRUE(sink.begun);
    EXPECT_FALSE(sink.ended);
  }
}

TEST_F(TranslationTopTest, RefusalInsideIsNoEnd) {
  imap.deliver(header_of(40'000) + "\r\n" + body_of(10));
  begin();
  imap.instead[part(1, kWindow, kNext)] = {step::send("$TAG NO x\r\n")};
  Kept sink;
  EXPECT_EQ(failure(run(maildrop->top(1, 0, sink))), "message_unavailable");
  EXPECT_TRUE(sink.begun);
  EXPECT_FALSE(sink.ended);
}

TEST_F(TranslationTopTest, HeaderOnlyWhereThereAreNoParts) {
  settings.imap.profile = config::ImapProfile::exchange;
  imap.deliver(large());
  begin();
  EXPECT_EQ(top(1, 0), top_of(large(), 0));
  EXPECT_EQ(top(1, 1), top_of(large(), 1));
  EXPECT_THAT(sent(), ElementsAre("UID FETCH 1 (UID BODY.PEEK[HEADER])", whole("1")));
}

TEST_F(TranslationTopTest, GoneAndRefusedAreAsForRetr) {
  fill(3);
  imap.message(2).text = large();
  settings.imap.profile = config::ImapProfile::courier;
  for (const auto gone : {ImapStore::Gone::nothing, ImapStore::Gone::nil, ImapStore::Gone::placeholder}) {
    for (const std::uint32_t uid : {1U, 2U}) {
      const std::vector<ImapStore::Message> messages = imap.inbox().messages;
      imap.gone = gone;
      begin();
      imap.expunge(uid);
      EXPECT_EQ(top(uid, 1), "message_gone");
      EXPECT_EQ(top(3, 0), "Subject: 3\r\n\r\n");
      imap.inbox().messages = messages;
    }
  }
  begin();
  imap.instead["UID FETCH"] = {step::send("$TAG NO x\r\n")};
  for (const std::uint32_t message : {1U, 2U}) EXPECT_EQ(top(message, 1), "message_unavailable");
}

TEST_F(TranslationTopTest, BodyThatIsDueOrHeldServes) {
  fill(8);
  for (const bool settles : {false, true}) {
    begin();
    for (std::uint32_t message = 1; message <= 3; ++message) text(message);
    if (settles) settle();
    sent();
    EXPECT_EQ(top(4, 0), "Subject: 4\r\n\r\n");
    EXPECT_EQ(top(8, 0), "Subject: 8\r\n\r\n");
    EXPECT_THAT(sent(), ElementsAre(whole("8")));
    EXPECT_EQ(text(4), small(4));
    EXPECT_EQ(imap.count(whole("4")), settles ? 0U : 1U);  // what was held stays
    for (std::uint32_t message = 5; message <= 8; ++message) EXPECT_EQ(text(message), small(message));
  }
}

TEST_F(TranslationTopTest, PartsOfMessagesWhileBodiesAreDue) {
  fill(10);
  imap.message(9).text = large();
  imap.descending = imap.swaps_fetches = true;
  for (const auto order : {ImapStore::Order::uid_first, ImapStore::Order::uid_last}) {
    imap.order = order;
    begin();
    for (std::uint32_t message = 1; message <= 3; ++message) text(message);
    EXPECT_EQ(top(9, 2), top_of(large(), 2));
    for (std::uint32_t message = 4; message <= 8; ++message) EXPECT_EQ(text(message), small(message));
    EXPECT_EQ(text(9), wire_form(large()));
  }
  EXPECT_EQ(imap.connections, 2U);
}

TEST_F(TranslationTopTest, PartThatHasNoRoomIsAskedForAgain) {
  fill(10);
  imap.message(9).text = large();
  imap.order = ImapStore::Order::uid_last;
  imap.swaps_fetches = true;
  begin();
  for (std::uint32_t message = 1; message <= 3; ++message) text(message);
  Reservation all;
  ASSERT_TRUE(all.reserve(opener.budget(), Bytes{64} * 1024 * 1024 - opener.budget().used()));
  EXPECT_EQ(top(9, 2), top_of(large(), 2));
  EXPECT_EQ(imap.connections, 1U);
}

}  // namespace
}  // namespace postern::maildrop
