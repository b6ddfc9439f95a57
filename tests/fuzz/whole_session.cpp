#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "support/world.hpp"

namespace {

using namespace postern;

/// What clients say.
constexpr std::array kCommands = {
    "CAPA",        "USER alice",
    "PASS secret", "STAT",
    "LIST",        "LIST 1",
    "UIDL",        "UIDL 2",
    "RETR 1",      "RETR 2",
    "TOP 1 0",     "TOP 2 5",
    "DELE 1",      "DELE 2",
    "RSET",        "NOOP",
    "QUIT",        "STLS",
    "AUTH",        "AUTH PLAIN",
    "AUTH LOGIN",  "AUTH PLAIN AGFsaWNlAHNlY3JldA==",
    "*",           "LANG",
    "UTF8",
};

/// What servers say, of both protocols.
constexpr std::array kAnswers = {
    "+OK",
    "-ERR no",
    "-ERR [AUTH] no",
    "-ERR [IN-USE] locked",
    "+OK 2 320",
    "+OK\r\n1 120\r\n2 200\r\n.",
    "+OK\r\n1 a\r\n2 b\r\n.",
    "+OK\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN\r\nPIPELINING\r\n.",
    "+OK\r\nSubject: a\r\n\r\n..b",
    ".",
    "+ ",
    "* OK [CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS MOVE ESEARCH] ready",
    "* CAPABILITY IMAP4rev1 UIDPLUS",
    "$TAG OK done",
    "$TAG NO no",
    "$TAG BAD what",
    "$TAG NO [AUTHENTICATIONFAILED] no",
    "$TAG NO [UNAVAILABLE] later",
    "$TAG OK [COPYUID 1 1 1] done",
    "* 2 EXISTS",
    "* OK [UIDVALIDITY 7] ok",
    "* OK [UIDNEXT 3] ok",
    "* FLAGS (\\Seen \\Deleted)",
    "* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 7)",
    "* 1 FETCH (UID 1 RFC822.SIZE 14 FLAGS ())",
    "* 2 FETCH (UID 2 RFC822.SIZE 14 FLAGS (\\Deleted))",
    "* 1 FETCH (UID 1 BODY[] {14}\r\nSubject: a\r\n\r\n)",
    "* 1 FETCH (UID 1 BODY[] {14}",
    "* 1 FETCH (UID 1 BODY[]<0> \"\")",
    "* 1 EXPUNGE",
    "* ESEARCH (TAG \"$TAG\") UID ALL 1:2",
    "* SEARCH 1 2",
    "* BYE going",
    "* LIST (\\Trash) \"/\" Trash",
};

std::string with_tag(std::string text, test::Peer& server) {
  std::string_view heard = server.received();
  while (heard.ends_with("\r\n")) heard.remove_suffix(2);
  heard.remove_prefix(heard.rfind('\n') + 1);  // npos + 1 is 0
  const std::string_view tag = heard.substr(0, heard.find(' '));
  for (std::size_t at = text.find("$TAG"); at != std::string::npos; at = text.find("$TAG", at + 1)) {
    text.replace(at, 4, tag);
  }
  return text;
}

/// A session that the input writes: both ends of it, and the time.
class Play {
 public:
  explicit Play(unsigned options) : speaks_imap_((options & 1U) != 0), knows_((options & 2U) == 0) {
    if (speaks_imap_) world_.use_imap();
    if (!knows_) server().serve = [](test::Peer& peer) { peer.close_when_ended(); };
    world_.store.messages = {kMessage, kMessage};
    world_.imap.deliver(kMessage);
    world_.imap.deliver(kMessage);
    client_ = &world_.arrive((options & 4U) != 0 ? test::World::kStls : test::World::kPlain).peer();
  }

  void act(fuzz::Input& input) {
    const std::uint8_t what = input.choice();
    switch (what % 10) {
      case 0:
        client_->send(std::string(kCommands[input.choice() % kCommands.size()]) + "\r\n");
        break;
      case 1:
        client_->send(std::string(input.line()) + "\r\n");
        break;
      case 2:
        client_->send(input.take(input.choice()));
        break;
      case 3:
        tell(std::string(kAnswers[input.choice() % kAnswers.size()]) + "\r\n");
        break;
      case 4:
        tell(std::string(input.line()) + "\r\n");
        break;
      case 5:
        tell(std::string(input.take(input.choice())));
        break;
      case 6:
        world_.pass(std::chrono::seconds(input.choice()));
        break;
      case 7:
        end(*client_, input.choice());
        break;
      case 8:
        if (!server().connections.empty()) end(*server().connections.back(), input.choice());
        break;
      default:
        (what & 0x80U) != 0 ? client_->stop_reading() : client_->read_on();
    }
    world_.settle();
  }

  /// What has to hold whatever was said.
  void check() {
    client_->read_on();
    client_->close();
    const std::string left = world_.leftovers();
    if (!left.empty()) std::fputs(left.c_str(), stderr);
    POSTERN_ASSERT(left.empty());
    POSTERN_ASSERT(client_->received().empty() || client_->received().starts_with("+OK ") ||
                   client_->received().starts_with("-ERR "));
    for (const std::string& line : world_.log().lines()) {
      for (const char c : line) POSTERN_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    }
  }

 private:
  test::Host& server() { return speaks_imap_ ? world_.imap_server() : world_.server(); }

  void tell(const std::string& text) {
    if (knows_ || server().connections.empty()) return;
    test::Peer& peer = *server().connections.back();
    peer.send(with_tag(text, peer));
  }

  static void end(test::Peer& peer, std::uint8_t how) { how % 2 == 0 ? peer.close() : peer.reset(); }

  static constexpr const char* kMessage = "Subject: a\r\n\r\n.b\r\n";

  bool speaks_imap_;
  bool knows_;  ///< the server knows what it does, and is strict; otherwise the input speaks for it
  test::World world_;
  test::Peer* client_;
};

constexpr std::size_t kMostActs = 200;

}  // namespace

/// The first octet chooses the protocol of the server, whether it answers by itself, and the listener; then
/// each octet chooses what happens next, by what follows it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Play play(input.choice());
  for (std::size_t i = 0; i < kMostActs && !input.empty(); ++i) play.act(input);
  play.check();
  return 0;
}
