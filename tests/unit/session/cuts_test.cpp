// Whoever dies, at whichever octet: nothing is lost, nothing is invented.
#include "unit/session/cuts.hpp"

namespace postern::session {
namespace {

using Committed = std::vector<std::set<unsigned>>;

const std::vector<std::string> kMessages = {"Subject: first\r\n\r\nhello\r\n.dot\r\n",
                                            "Subject: second\r\n\r\n"};

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

/// The conversation, each command behind the answer to the one before, until an answer is a failure or there
/// is none.
void converse(World& world, Client& client) {
  client.hear();
  for (const std::string& command : kConversation) {
    const std::string answer = client.say(command);
    if (!answer.starts_with("+OK") || !client.end().empty()) break;
  }
  world.pass(1min);
}

const ClientCuts kCuts{[](World& world) { world.store.messages = kMessages; }, converse,
                       [](World& world, bool quit) {
                         EXPECT_EQ(world.store.count("QUIT"), quit ? 1U : 0U);
                         EXPECT_EQ(world.store.committed, quit ? Committed{{1}} : Committed());
                       }};

TEST(ClientCut, ClosedAtAnyOctet) {
  kCuts.at_every_octet(World::kPlain, Ending::eof);
}
TEST(ClientCut, ResetAtAnyOctet) {
  kCuts.at_every_octet(World::kPlain, Ending::reset);
}
TEST(ClientCut, ClosedAtAnyOctetUnderTls) {
  kCuts.at_every_octet(World::kImplicit, Ending::eof);
}
TEST(ClientCut, ResetAtAnyOctetUnderTls) {
  kCuts.at_every_octet(World::kImplicit, Ending::reset);
}

TEST(ClientCut, RemovesOnlyWhenQuitWasReadThoughAllCameInOnePacket) {
  const std::string all = joined(kConversation);
  for (std::size_t octets = 0; octets <= all.size(); ++octets) {
    World world;
    world.store.messages = kMessages;
    Client client = world.connect();
    client.peer().link().from(Side::b).cut_after(octets, Ending::eof);
    client.say(all);
    EXPECT_EQ(world.store.committed, octets == all.size() ? Committed{{1}} : Committed()) << octets;
    ASSERT_EQ(world.leftovers(), "") << octets;
  }
}

/// What a client may hear of a server that was lost: the beginning of what it hears otherwise, and at most
/// one line more.
void expect_truth(const std::string& heard, const std::string& whole, std::size_t octets) {
  std::string told = heard;
  const std::size_t last = told.rfind("-ERR ");
  if (last != std::string::npos) {
    const std::string line = told.substr(last);
    EXPECT_TRUE(line.starts_with("-ERR [SYS/TEMP]") || line == in_transaction(FailureKind::update_failed))
        << octets << ": " << line;
    told.resize(last);
    EXPECT_TRUE(told.ends_with("\r\n")) << octets;
  }
  EXPECT_EQ(told, whole.substr(0, told.size())) << octets;
}

void cut_server_everywhere(const std::string& listener, Ending ending) {
  World intact;
  intact.store.messages = kMessages;
  Client undisturbed = intact.connect(listener);
  converse(intact, undisturbed);
  const std::string whole = undisturbed.peer().received();
  const std::string wire = intact.server().connections.at(0)->link().from(Side::b).sent();
  ASSERT_EQ(count(whole, "\r\n.\r\n"), 5U);
  for (std::size_t octets = 0; octets <= wire.size(); ++octets) {
    World world;
    world.store.messages = kMessages;
    world.server().serve = [&](Peer& peer) {
      peer.link().from(Side::b).cut_after(octets, ending);
      world.store.serve(peer);
    };
    Client client = world.connect(listener);
    converse(world, client);
    const std::string& heard = client.peer().received();
    expect_truth(heard, whole, octets);
    // CAPA has a terminator too.
    const std::size_t complete = count(wire.substr(0, octets), "\r\n.\r\n");
    EXPECT_LE(count(heard, "\r\n.\r\n"), complete == 0 ? 0 : complete - 1) << octets;
    EXPECT_EQ(heard.ends_with("bye\r\n"), octets == wire.size()) << octets;
    ASSERT_EQ(world.leftovers(), "") << octets;
  }
}

TEST(ServerCut, ClosedAtAnyOctet) {
  cut_server_everywhere(World::kPlain, Ending::eof);
}
TEST(ServerCut, ResetAtAnyOctet) {
  cut_server_everywhere(World::kPlain, Ending::reset);
}
TEST(ServerCut, ClosedAtAnyOctetUnderTls) {
  cut_server_everywhere(World::kImplicit, Ending::eof);
}

/// What is cut are the records of TLS between gateway and server. Their number differs by some octets from
/// one handshake to the next, so the last cuts are behind everything.
TEST(ServerCut, ClosedAtAnyOctetOfItsTls) {
  const test::Filter tls = test::server_tls();
  std::string whole;
  const auto run = [&](std::uint64_t octets) {
    World world;
    world.store.messages = kMessages;
    world.use_backend_tls();
    world.server().serve = [&](Peer& peer) {
      peer.link().from(Side::b).cut_after(octets, Ending::eof);
      peer.secure(tls);
      world.store.serve(peer);
    };
    Client client = world.connect();
    converse(world, client);
    const std::string heard = client.peer().received();
    const bool said_bye = heard.ends_with("bye\r\n");
    if (whole.empty()) whole = heard;
    expect_truth(heard, whole, octets);
    EXPECT_TRUE(world.store.committed == Committed{{1}} || (world.store.committed.empty() && !said_bye))
        << octets;
    EXPECT_EQ(world.leftovers(), "") << octets;
    const auto& connections = world.server().connections;
    const std::uint64_t length = connections.empty() ? 0 : connections[0]->link().from(Side::b).sent().size();
    return std::pair(length, said_bye);
  };
  const auto [sent, intact] = run(Direction::kEverything);
  const std::uint64_t length = sent - kCloseNotify;
  ASSERT_TRUE(intact);
  constexpr std::uint64_t kVariance = 16;
  for (std::uint64_t octets = 0; octets <= length + kVariance; ++octets) {
    const bool said_bye = run(octets).second;
    const bool may_differ = octets + kVariance >= length && octets < length + kVariance;
    EXPECT_TRUE(may_differ || said_bye == (octets > length)) << octets;
  }
}

TEST(ServerCut, MessageThatBrokeOffIsNeverComplete) {
  for (const char* part : {"", "\r", "\r\n", "\r\n.", "\r\n.\r", "\r\n.\n", "\n.\r\n", "\r\n..\r\n"}) {
    World world;
    world.store.messages = kMessages;
    world.store.instead["RETR 1"] = {step::send("+OK 100 octets\r\nfirst line" + std::string(part)),
                                     step::pause(1s), step::close()};
    Client client = world.logged_in();
    std::string heard = client.say("RETR 1\r\n");
    world.pass(1s);
    heard += client.hear();
    EXPECT_TRUE(heard.starts_with("+OK 100 octets\r\nfirst line")) << part;
    EXPECT_EQ(heard.find("\r\n.\r\n"), std::string::npos) << part;
    EXPECT_EQ(client.end(), "reset") << part;
    EXPECT_EQ(world.backend_metrics().truncated.value(), 1U);
    ASSERT_EQ(world.leftovers(), "");
  }
}

}  // namespace
}  // namespace postern::session
