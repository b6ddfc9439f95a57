// A million messages (protocol SNAP-13, test bench 7).
#include <chrono>
#include <cstdio>

#include "unit/maildrop/snapshot_fixture.hpp"

namespace postern::maildrop {
namespace {

constexpr std::uint32_t kMany = 1'000'000;
/// Protocol: what a session may take for them.
constexpr Bytes kMostMemory = 16_MiB;

/// Answers as Dovecot does, without holding the messages.
class ManyMessages {
 public:
  explicit ManyMessages(bool descends) : descends_(descends) {}

  void serve(Peer& peer) {
    peer.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ESEARCH] ready\r\n");
    peer.answer_lines([this](Peer& to, std::string_view line) { answer(to, line); });
  }

 private:
  void answer(Peer& peer, std::string_view line) {
    const std::string tag(line.substr(0, line.find(' ')));
    const std::string_view command = line.substr(tag.size() + 1);
    if (command.starts_with("SELECT")) {
      peer.send("* " + std::to_string(kMany) +
                " EXISTS\r\n* OK [UIDVALIDITY 16] x\r\n* OK [UIDNEXT 3000001] x\r\n");
    }
    if (command.starts_with("UID FETCH")) peer.send(list());
    const bool logs_in = command.starts_with("AUTHENTICATE");
    peer.send(tag + (logs_in ? " OK [CAPABILITY IMAP4rev1 ESEARCH] x\r\n" : " OK [READ-WRITE] x\r\n"));
  }

  std::string list() const {
    std::string all;
    all.reserve(50 * std::size_t{kMany});
    for (std::uint32_t i = 1; i <= kMany; ++i) {
      const std::uint32_t number = descends_ ? kMany + 1 - i : i;
      all += "* " + std::to_string(number) + " FETCH (UID " + std::to_string(3 * number) + " RFC822.SIZE " +
             std::to_string(1000 + number % 50'000) + ")\r\n";
    }
    return all;
  }

  bool descends_;
};

class SnapshotScaleTest : public SnapshotTest {
 protected:
  double timed_open() {
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(open(), "") << detail;
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  }
  void expect_all() {
    EXPECT_EQ(run(maildrop->stat()).value().messages, kMany);
    EXPECT_EQ(run(maildrop->list(kMany)).value(), 1000U);
    EXPECT_EQ(run(maildrop->uidl(1)).value(), "0000000300000010");
    EXPECT_LT(remembered()->memory(), kMostMemory);
  }
};

TEST_F(SnapshotScaleTest, MillionMessagesInAnyOrderTakeLittleMemory) {
  for (const bool descends : {false, true}) {
    ManyMessages many(descends);
    network.host("192.0.2.20", 143).serve = [&many](Peer& peer) { many.serve(peer); };
    snapshots.snapshots.clear();
    const double first = timed_open();
    expect_all();
    const double second = timed_open();
    expect_all();
    EXPECT_LT(maildrop->bytes_from_backend(), 1024U);
    RecordProperty(descends ? "descending_ms" : "ascending_ms", static_cast<int>(first * 1000));
    std::printf("%s: %.2f s with the server's part, %.3f s again, %.1f MB\n",
                descends ? "descending" : "ascending", first, second,
                static_cast<double>(remembered()->memory()) / 1e6);
  }
}

}  // namespace
}  // namespace postern::maildrop
