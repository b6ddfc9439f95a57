// What every Maildrop keeps to, whatever stands behind it. Parameterised by how one is opened; a new kind
// adds a line at the end.
#include <set>

#include "unit/maildrop/relay_fixture.hpp"
#include "unit/maildrop/translation_fixture.hpp"

namespace postern::maildrop {
namespace {

const char kFirst[] = "Subject: first\r\n\r\nhello\r\n.dot\r\n..dots\r\n";
const char kSecond[] = "Subject: second\r\n\r\nworld\r\n";
const char kThird[] = "\r\n";

/// A mailbox with these three messages behind a new maildrop.
class World {
 public:
  virtual ~World() = default;
  virtual Maildrop& maildrop() = 0;
  virtual test::TestScheduler& scheduler() = 0;
  /// Which messages are gone for good.
  virtual std::set<unsigned> removed() = 0;
  virtual void forget_maildrop() = 0;
};

class RelayWorld final : public World, public RelayTest {
 public:
  RelayWorld() {
    store.messages = {kFirst, kSecond, kThird};
    EXPECT_EQ(open(), "");
  }
  Maildrop& maildrop() override { return *RelayTest::maildrop; }
  test::TestScheduler& scheduler() override { return RelayTest::scheduler; }
  std::set<unsigned> removed() override {
    return store.committed.empty() ? std::set<unsigned>() : store.committed.back();
  }
  void forget_maildrop() override {
    RelayTest::maildrop.reset();
    RelayTest::scheduler.run_until_idle();
  }

 private:
  void TestBody() override {}
};

class TranslationWorld final : public World, public TranslationTest {
 public:
  TranslationWorld() {
    deliver({kFirst, kSecond, kThird});
    EXPECT_EQ(open(), "");
  }
  Maildrop& maildrop() override { return *TranslationTest::maildrop; }
  test::TestScheduler& scheduler() override { return TranslationTest::scheduler; }
  std::set<unsigned> removed() override {
    const std::vector<std::uint32_t> uids = imap.removed();
    return {uids.begin(), uids.end()};
  }
  void forget_maildrop() override {
    TranslationTest::maildrop.reset();
    TranslationTest::scheduler.run_until_idle();
  }

 private:
  void TestBody() override {}
};

using Maker = std::unique_ptr<World> (*)();

class ContractTest : public testing::TestWithParam<Maker> {
 protected:
  Maildrop& maildrop() { return world->maildrop(); }
  template <class T>
  T run(coro::Task<T> task) {
    return world->scheduler().run(std::move(task));
  }
  template <class T>
  static std::string failure(const Result<T>& result) {
    return result ? "" : std::string(label(result.error().kind()));
  }
  std::string commit() {
    const coro::Deadline deadline(world->scheduler().now() + 10min);
    const Result<void> done = run(maildrop().commit(deadline));
    return failure(done);
  }

  std::unique_ptr<World> world = GetParam()();
};

TEST_P(ContractTest, CountsAndLists) {
  const Result<Stat> stat = run(maildrop().stat());
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->messages, 3U);
  EXPECT_EQ(stat->octets, sizeof kFirst + sizeof kSecond + sizeof kThird - 3);
  EXPECT_EQ(*run(maildrop().list(2)), sizeof kSecond - 1);
  Kept sink;
  EXPECT_EQ(failure(run(maildrop().list(sink))), "");
  EXPECT_TRUE(sink.ended);
  EXPECT_EQ(sink.text, "1 39\r\n2 26\r\n3 2\r\n");
  EXPECT_FALSE(sink.size.has_value());
}

TEST_P(ContractTest, UniqueIdsAreTheSameAloneAndInTheList) {
  std::string expected;
  for (std::uint32_t message = 1; message <= 3; ++message) {
    expected += std::to_string(message) + " " + *run(maildrop().uidl(message)) + "\r\n";
  }
  Kept sink;
  EXPECT_EQ(failure(run(maildrop().uidl(sink))), "");
  EXPECT_EQ(sink.text, expected);
}

TEST_P(ContractTest, MessagesComeInWireFormWithoutTerminator) {
  const std::pair<std::uint32_t, const char*> messages[] = {{1, kFirst}, {2, kSecond}, {3, kThird}};
  for (const auto& [message, text] : messages) {
    Kept sink;
    EXPECT_EQ(failure(run(maildrop().retrieve(message, sink))), "");
    EXPECT_TRUE(sink.ended);
    EXPECT_EQ(sink.text + ".\r\n", Store::on_wire(text));
    EXPECT_EQ(sink.size, std::string(text).size());
  }
}

TEST_P(ContractTest, TopShowsTheHeaderAndSoManyLines) {
  Kept none, one, all;
  EXPECT_EQ(failure(run(maildrop().top(1, 0, none))), "");
  EXPECT_EQ(none.text, "Subject: first\r\n\r\n");
  EXPECT_EQ(failure(run(maildrop().top(1, 2, one))), "");
  EXPECT_EQ(one.text, "Subject: first\r\n\r\nhello\r\n..dot\r\n");
  EXPECT_EQ(failure(run(maildrop().top(1, 99'999'999, all))), "");
  EXPECT_EQ(all.text + ".\r\n", Store::on_wire(kFirst));
}

TEST_P(ContractTest, UnknownMessageIsToldBeforeAnythingBegins) {
  Kept sink;
  EXPECT_EQ(failure(run(maildrop().retrieve(4, sink))), "no_message");
  EXPECT_EQ(failure(run(maildrop().top(4, 0, sink))), "no_message");
  EXPECT_FALSE(sink.begun);
  EXPECT_EQ(failure(run(maildrop().list(4))), "no_message");
  EXPECT_EQ(failure(run(maildrop().uidl(4))), "no_message");
  EXPECT_EQ(failure(run(maildrop().mark_deleted(4))), "no_message");
  EXPECT_EQ(failure(run(maildrop().noop())), "");
}

TEST_P(ContractTest, MarkedMessageIsOutOfSight) {
  EXPECT_EQ(failure(run(maildrop().mark_deleted(2))), "");
  EXPECT_EQ(failure(run(maildrop().mark_deleted(2))), "no_message");
  Kept sink, list;
  EXPECT_EQ(failure(run(maildrop().retrieve(2, sink))), "no_message");
  EXPECT_EQ(run(maildrop().stat())->messages, 2U);
  EXPECT_EQ(failure(run(maildrop().list(list))), "");
  EXPECT_EQ(list.text, "1 39\r\n3 2\r\n");
  EXPECT_EQ(failure(run(maildrop().reset())), "");
  EXPECT_EQ(run(maildrop().stat())->messages, 3U);
}

TEST_P(ContractTest, CommitRemovesWhatIsMarkedAndNothingElse) {
  EXPECT_EQ(failure(run(maildrop().mark_deleted(1))), "");
  EXPECT_EQ(failure(run(maildrop().reset())), "");
  EXPECT_EQ(failure(run(maildrop().mark_deleted(3))), "");
  EXPECT_EQ(commit(), "");
  EXPECT_EQ(world->removed(), (std::set<unsigned>{3}));
}

TEST_P(ContractTest, WithoutCommitNothingIsRemoved) {
  EXPECT_EQ(failure(run(maildrop().mark_deleted(1))), "");
  world->forget_maildrop();
  EXPECT_TRUE(world->removed().empty());
}

TEST_P(ContractTest, AnnouncingChangesNoAnswer) {
  const auto announced = [](std::uint64_t sequence, pop3::Verb verb, std::uint32_t message) {
    QueuedCommand command;
    command.sequence = sequence;
    command.verb = verb;
    command.message = message;
    return command;
  };
  const std::vector<QueuedCommand> commands = {
      announced(1, pop3::Verb::retr, 1), announced(2, pop3::Verb::dele, 1), announced(3, pop3::Verb::retr, 9),
      announced(4, pop3::Verb::retr, 2)};
  Kept first, unknown, second;
  maildrop().expect(commands);
  maildrop().expect(commands);  // the same ones
  EXPECT_EQ(failure(run(maildrop().retrieve(1, first))), "");
  maildrop().expect(std::span(commands).subspan(1));
  EXPECT_EQ(failure(run(maildrop().mark_deleted(1))), "");
  EXPECT_EQ(failure(run(maildrop().retrieve(9, unknown))), "no_message");
  EXPECT_EQ(failure(run(maildrop().retrieve(2, second))), "");
  EXPECT_EQ(first.text + ".\r\n", Store::on_wire(kFirst));
  EXPECT_EQ(second.text + ".\r\n", Store::on_wire(kSecond));
  EXPECT_EQ(commit(), "");
  EXPECT_EQ(world->removed(), (std::set<unsigned>{1}));
}

TEST_P(ContractTest, FailureOfTheSinkIsTheResult) {
  Kept refuses;
  refuses.refuses_begin = true;
  EXPECT_EQ(failure(run(maildrop().retrieve(1, refuses))), "client_reset");
  EXPECT_FALSE(refuses.ended);
}

template <class Kind>
std::unique_ptr<World> make() {
  return std::make_unique<Kind>();
}

INSTANTIATE_TEST_SUITE_P(Maildrops, ContractTest, testing::Values(&make<RelayWorld>, &make<TranslationWorld>),
                         [](const auto& kind) {
                           return std::string(kind.param == &make<RelayWorld> ? "Relay" : "Translation");
                         });

}  // namespace
}  // namespace postern::maildrop
