// The cuts of cuts_test.cpp, before an IMAP server: whoever dies, at whichever octet, nothing is lost and
// nothing is invented. A lost server may be found again, so that more is heard than one connection gave.
#include "unit/session/cuts.hpp"

namespace postern::session {
namespace {

using Uids = std::vector<std::uint32_t>;

void fill(World& world) {
  world.use_imap();
  world.imap.deliver("Subject: first\r\n\r\nhello\r\n.dot\r\n");
  world.imap.deliver("Subject: second\r\n\r\n");
}

/// Each command behind the whole answer to the one before, until there is none; the answers.
std::vector<std::string> converse(World& world, Client& client) {
  std::vector<std::string> answers;
  client.hear();
  for (const std::string& command : kConversation) {
    std::string answer = client.say(command);
    if (answer.empty() && client.end().empty()) {
      world.pass(2min);
      answer = client.hear();
    }
    answers.push_back(answer);
    if (!client.end().empty()) break;
  }
  world.pass(1min);
  return answers;
}

std::vector<std::string> undisturbed() {
  World world;
  fill(world);
  Client client = world.connect();
  return converse(world, client);
}

const ClientCuts kCuts{fill, converse, [](World& world, bool quit) {
                         EXPECT_EQ(world.imap.removed(), quit ? Uids{1} : Uids());
                       }};

TEST(TranslationClientCut, ClosedAtAnyOctet) {
  kCuts.at_every_octet(World::kPlain, Ending::eof);
}
TEST(TranslationClientCut, ResetAtAnyOctet) {
  kCuts.at_every_octet(World::kPlain, Ending::reset);
}
TEST(TranslationClientCut, ClosedAtAnyOctetUnderTls) {
  kCuts.at_every_octet(World::kImplicit, Ending::eof);
}
TEST(TranslationClientCut, ResetAtAnyOctetUnderTls) {
  kCuts.at_every_octet(World::kImplicit, Ending::reset);
}

/// Each answer is the whole truth, or a failure that says so, or the connection broke off inside it.
void expect_truth(const std::vector<std::string>& heard, std::size_t octets) {
  static const std::vector<std::string> whole = undisturbed();
  for (std::size_t i = 0; i < heard.size(); ++i) {
    const std::string& answer = heard[i];
    const bool failed = answer.starts_with("-ERR [SYS/TEMP]") ||
                        answer == in_transaction(FailureKind::update_failed) || answer.starts_with("-ERR ");
    const bool is_last = i + 1 == heard.size();
    if (failed || answer == whole[i]) continue;
    EXPECT_TRUE(is_last && whole[i].starts_with(answer)) << octets << ": " << kConversation[i] << answer;
  }
}

enum class ServerTls : std::uint8_t { no, yes };

/// The first connection to the server is cut, later ones are not. Where it has TLS the octets are those of
/// its records.
void cut_everywhere(const std::string& listener, Side side, Ending ending,
                    ServerTls server_tls = ServerTls::no) {
  const test::Filter tls = test::server_tls();
  const auto prepare = [&](World& world, std::uint64_t octets) {
    fill(world);
    if (server_tls == ServerTls::yes) world.use_backend_tls();
    world.imap_server().serve = [&, octets](Peer& peer) {
      if (world.imap.connections == 0) peer.link().from(side).cut_after(octets, ending);
      if (server_tls == ServerTls::yes) peer.secure(tls);
      world.imap.serve(peer);
    };
  };
  World intact;
  prepare(intact, Direction::kEverything);
  Client undisturbed = intact.connect(listener);
  converse(intact, undisturbed);
  const std::size_t length = intact.imap_server().connections.at(0)->link().from(side).sent().size();
  for (std::size_t octets = 0; octets <= length; ++octets) {
    World world;
    prepare(world, octets);
    Client client = world.connect(listener);
    const std::vector<std::string> heard = converse(world, client);
    expect_truth(heard, octets);
    const Uids removed = world.imap.removed();
    const bool promised = heard.size() == kConversation.size() && heard.back().starts_with("+OK");
    const bool dele = heard.size() >= 10 && heard[9].starts_with("+OK");
    EXPECT_TRUE(removed.empty() || (removed == Uids{1} && heard.size() == kConversation.size())) << octets;
    EXPECT_TRUE(!promised || !dele || removed == Uids{1}) << octets;
    ASSERT_EQ(world.leftovers(), "") << octets;
  }
}

TEST(TranslationServerCut, ClosedAtAnyOctet) {
  cut_everywhere(World::kPlain, Side::b, Ending::eof);
}
TEST(TranslationServerCut, ResetAtAnyOctet) {
  cut_everywhere(World::kPlain, Side::b, Ending::reset);
}
TEST(TranslationServerCut, ClosedAtAnyOctetUnderTls) {
  cut_everywhere(World::kImplicit, Side::b, Ending::eof);
}
TEST(TranslationServerCut, ClosedAtAnyOctetOfItsTls) {
  cut_everywhere(World::kPlain, Side::b, Ending::eof, ServerTls::yes);
}
TEST(TranslationServerCut, DeafFromAnyOctetOn) {
  cut_everywhere(World::kPlain, Side::a, Ending::reset);
}

}  // namespace
}  // namespace postern::session
