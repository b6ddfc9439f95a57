#include "simulation/servers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "support/tls_filters.hpp"

namespace postern::sim {
namespace {

using config::Protocol;
using test::Ending;
using test::Host;
using test::ImapStore;
using test::Peer;
using test::Side;
using test::Store;
using test::World;
namespace step = test::step;
using namespace std::chrono_literals;

constexpr std::size_t index(Protocol protocol) {
  return protocol == Protocol::imap ? 1 : 0;
}

/// The unique-id that the gateway makes of an IMAP message.
std::string imap_id(std::uint32_t uid, std::uint32_t uidvalidity) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x%08x", uid, uidvalidity);
  return digits.data();
}

/// The number of a letter, which stands in its text.
std::size_t letter_of(const std::string& text) {
  std::size_t number = 0;
  const std::size_t at = text.find('/') + 1;
  std::from_chars(text.data() + at, text.data() + text.size(), number);
  return number;
}

}  // namespace

Servers::Servers(World& world, Weather& weather, Laws& laws, const Trace& trace, Dice dice,
                 std::list<Account>& accounts, const Options& options)
    : world_(world), weather_(weather), laws_(laws), trace_(trace), dice_(dice), options_(options) {
  world_.store.user = world_.imap.user = "somebody-else";
  world_.store.password = world_.imap.password = "another-password";
  choose_imap_manner();
  has_common_uidvalidity_ = dice_.chance(40);
  for (Account& account : accounts) build(account);
  for (const Protocol protocol : {Protocol::pop3, Protocol::imap}) {
    up_[index(protocol)] = weather_.choose(dice_, options_.is_small);
    down_[index(protocol)] = weather_.choose(dice_, options_.is_small);
    host(protocol).serve = [this, protocol](Peer& peer) { serve(peer, protocol); };
  }
  if (!options_.has_tls) return;
  for (config::Backend& backend : world_.config.backends) {
    const auto mode = dice_.pick(
        {config::BackendTlsMode::none, config::BackendTlsMode::starttls, config::BackendTlsMode::implicit});
    backend.tls.mode = mode;
    const test::Filter filter = test::server_tls();
    if (mode == config::BackendTlsMode::implicit) implicit_tls_[index(backend.protocol)] = filter;
    if (mode == config::BackendTlsMode::starttls && backend.protocol == Protocol::pop3) {
      world_.store.tls = filter;
      world_.store.capabilities->push_back("STLS");
    } else if (mode == config::BackendTlsMode::starttls) {
      world_.imap.tls = filter;
      world_.imap.capabilities.push_back("STARTTLS");
    }
  }
}

Host& Servers::host(Protocol protocol) {
  return protocol == Protocol::imap ? world_.imap_server() : world_.server();
}

void Servers::choose_imap_manner() {
  ImapStore& door = world_.imap;
  switch (dice_.below(9)) {
    case 0:
      door.like_dovecot();
      break;
    case 1:
      door.like_cyrus();
      break;
    case 2:
      door.like_courier();
      break;
    case 3:
      door.like_exchange();
      break;
    case 4:
      door.like_gmail();
      break;
    case 5:
      door.like_hmailserver();
      break;
    default:
      door.swaps_fetches = dice_.chance(30);
      door.descending = dice_.chance(30);
      door.order =
          dice_.pick({ImapStore::Order::as_asked, ImapStore::Order::uid_first, ImapStore::Order::uid_last});
      door.updates =
          dice_.pick({ImapStore::Updates::after, ImapStore::Updates::before, ImapStore::Updates::inside});
      door.gone = dice_.pick({ImapStore::Gone::nothing, ImapStore::Gone::nil, ImapStore::Gone::once_more});
      door.partial =
          dice_.pick({ImapStore::Partial::right, ImapStore::Partial::whole, ImapStore::Partial::unknown});
      door.quoted_below = dice_.pick<std::size_t>({0, 1, 200});
      door.sends_vanished = dice_.chance(10);
      door.always_flags = dice_.chance(20);
      if (dice_.chance(20)) std::erase(door.capabilities_after, "UIDPLUS");
  }
  config::Imap& settings = world_.imap_backend().imap;
  settings.sizes =
      dice_.pick({config::Sizes::learn, config::Sizes::learn, config::Sizes::trust, config::Sizes::exact});
  settings.prefetch = !dice_.chance(15);
  settings.mark_seen = dice_.chance(50) ? config::MarkSeen::quit : config::MarkSeen::never;
}

void Servers::build(Account& account) {
  Box& box = boxes_.emplace_back();
  box.account = &account;
  if (account.is_pop3()) {
    box.pop3 = std::make_unique<Store>();
    Store& store = *box.pop3;
    store.user = account.name;
    store.password = account.password;
    store.uid_prefix = account.name + "-";
    store.removes = true;
    store.exclusive = account.is_exclusive = dice_.chance(40);
    store.capabilities = world_.store.capabilities;
    if (dice_.chance(25)) std::erase(*store.capabilities, "PIPELINING");
    world_.store.neighbours.push_back(&store);
    world_.store.capabilities = store.capabilities;
  } else {
    box.imap = std::make_unique<ImapStore>();
    ImapStore& store = *box.imap;
    static_cast<test::ImapManner&>(store) = world_.imap;
    store.user = account.name;
    store.password = account.password;
    // Exchange uses the same small numbers for everybody.
    store.inbox().uidvalidity =
        has_common_uidvalidity_ ? 14 : static_cast<std::uint32_t>(1000 * (account.index + 1));
    store.inbox().uidnext = static_cast<std::uint32_t>(dice_.between(1, 50));
    store.mailboxes["Trash"].special_use = "\\Trash";
    const auto& able = store.capabilities_after;
    account.has_uidplus = std::find(able.begin(), able.end(), "UIDPLUS") != able.end();
    account.lists_wire_sizes = world_.imap_backend().imap.sizes == config::Sizes::exact;
    world_.imap.neighbours.push_back(&store);
  }
  fill(box);
}

std::size_t Servers::size() {
  if (options_.is_small || dice_.chance(60)) return dice_.somewhere(3000);
  return dice_.somewhere(500'000);
}

void Servers::fill(Box& box) {
  const std::size_t count = dice_.below(options_.is_small ? 12 : 8);
  for (std::size_t i = 0; i < count; ++i) {
    if (box.imap) box.imap->inbox().uidnext += static_cast<std::uint32_t>(dice_.below(3));
    put(box);
  }
  if (box.imap && dice_.chance(30)) {  // somebody's other program has flagged it: it stays
    for (auto& message : box.imap->inbox().messages) {
      if (dice_.chance(30)) message.flags.insert("\\Deleted");
    }
  }
}

void Servers::put(Box& box) {
  Account& account = *box.account;
  Letter letter;
  const std::size_t number = account.letters.size();
  letter.text = write_letter(dice_, account.name, number, size(), account.protocol);
  letter.came = world_.scheduler().now();
  std::string id;
  if (box.pop3) {
    box.pop3->messages.push_back(letter.text);
    id = box.pop3->uid_prefix + std::to_string(box.pop3->messages.size());
  } else {
    const std::uint32_t uid = box.imap->deliver(letter.text);
    id = imap_id(uid, box.imap->inbox().uidvalidity);
    if (options_.lies_about_sizes && dice_.chance(30)) {
      account.has_honest_sizes = false;
      box.imap->message(uid).size = dice_.somewhere(letter.text.size() * 2);
    }
  }
  account.ids.emplace(id, UniqueId{number, letter.came});
  account.letters.push_back(std::move(letter));
}

void Servers::serve(Peer& peer, Protocol protocol) {
  peer.close_when_ended();
  weather_.apply(peer.link().from(Side::a), up_[index(protocol)]);
  Climate down = down_[index(protocol)];
  if (dice_.chance(faults(protocol).vanishes)) {
    down.vanishes_after = dice_.somewhere(options_.is_small ? 16384 : 512 * 1024);
    trace_.line("network", "nothing of the server's arrives behind " + std::to_string(down.vanishes_after));
  }
  weather_.apply(peer.link().from(Side::b), down);
  if (dice_.chance(faults(protocol).cuts)) spoil_link(peer);
  if (implicit_tls_[index(protocol)]) peer.secure(implicit_tls_[index(protocol)]);
  if (protocol == Protocol::imap) {
    world_.imap.serve(peer);
  } else {
    world_.store.serve(peer);
  }
}

void Servers::spoil_link(Peer& peer) {
  const Side side = dice_.chance(70) ? Side::b : Side::a;
  const std::size_t most = side == Side::a ? 1024 : (options_.is_small ? 16384 : 512 * 1024);
  const std::size_t octets = dice_.somewhere(most);
  const Ending ending = dice_.chance(50) ? Ending::eof : Ending::reset;
  peer.link().from(side).cut_after(octets, ending);
  trace_.line("network", std::string(side == Side::a ? "to" : "from") +
                             " the server: " + (ending == Ending::eof ? "closed" : "reset") + " behind " +
                             std::to_string(octets));
}

void Servers::spoil(Protocol protocol) {
  for (const Box& box : boxes_) {
    if (box.account->protocol == protocol) box.account->is_calm = false;
  }
  faults(protocol).cuts = dice_.pick({0U, 20U, 50U});
  faults(protocol).vanishes = dice_.pick({0U, 0U, 20U});
}

Servers::Box& Servers::box_of(const Account& account) {
  return *std::find_if(boxes_.begin(), boxes_.end(), [&](const Box& box) { return box.account == &account; });
}

void Servers::deliver(Account& account) {
  trace_.line("delivery", account.name + "/" + std::to_string(account.letters.size()));
  put(box_of(account));
}

void Servers::expunge_one(Account& account) {
  Box& box = box_of(account);
  if (!box.imap || box.imap->inbox().messages.empty()) return;
  const auto& messages = box.imap->inbox().messages;
  const std::uint32_t uid = messages[dice_.below(messages.size())].uid;
  trace_.line("another", account.name + ": expunges UID " + std::to_string(uid));
  box.imap->expunge(uid);
  watch();
}

void Servers::trouble(Protocol protocol) {
  const auto now = dice_.below(8);
  Host& server = host(protocol);
  if (now == 0) {
    server.way = dice_.chance(50) ? Host::Way::refuses : Host::Way::silent;
    trace_.line("trouble", "the server takes no connections");
  } else if (now == 1) {
    restart(protocol);
  } else if (now == 2 && protocol == Protocol::imap) {
    renumber();
  } else {
    std::vector<Box*> hit;
    for (Box& box : boxes_) {
      if (box.account->protocol == protocol) hit.push_back(&box);
    }
    if (hit.empty()) return;
    Box& box = *hit[dice_.below(hit.size())];
    trace_.line("trouble", "with the mailbox of " + box.account->name);
    if (box.pop3) {
      trouble_pop3(*box.pop3);
    } else {
      trouble_imap(box);
    }
  }
}

void Servers::trouble_pop3(Store& store) {
  const std::string keyword = dice_.pick({"RETR", "UIDL", "STAT", "DELE", "TOP", "LIST", "QUIT", "RSET"});
  const bool is_command = keyword != "QUIT";
  switch (dice_.below(5)) {
    case 0:
      store.late[keyword] = std::chrono::milliseconds(dice_.somewhere(131'072));
      break;
    case 1:
      store.instead[keyword] = {
          step::send(is_command ? "-ERR [SYS/TEMP] try later\r\n" : "-ERR [SYS/TEMP] not all\r\n")};
      break;
    case 2:
      store.instead[keyword] = {step::reset()};
      break;
    case 3:
      store.instead[keyword] = {step::pause(2min), step::close()};
      break;
    default:
      store.instead[keyword] = {step::send("* no answer at all\r\n")};
  }
}

void Servers::trouble_imap(Box& box) {
  ImapStore& store = *box.imap;
  const std::string command = dice_.pick(
      {"SELECT", "UID FETCH", "UID STORE", "UID EXPUNGE", "UID SEARCH", "UID MOVE", "EXPUNGE", "NOOP"});
  switch (dice_.below(7)) {
    case 0:
      store.late[command] = std::chrono::milliseconds(dice_.somewhere(131'072));
      break;
    case 1:
      store.instead[command] = {step::send("$TAG NO [UNAVAILABLE] try later\r\n")};
      break;
    case 2:
      store.instead[command] = {step::reset()};
      break;
    case 3:
      store.once(command, {step::send("* BYE going down\r\n"), step::close()});
      break;
    case 4:
      store.instead_answer[command] = {step::reset()};  // it is done, and nobody hears of it
      break;
    case 5:
      store.once(command, {step::send("$TAG BAD what?\r\n")});
      break;
    default:
      if (store.inbox().messages.empty()) return;
      auto& message = store.inbox().messages[dice_.below(store.inbox().messages.size())];
      message.breaks_at = dice_.below(message.text.size());
  }
}

void Servers::recover(Protocol protocol) {
  trace_.line("trouble", "is over");
  host(protocol).way = Host::Way::accepts;
  for (Box& box : boxes_) {
    if (box.pop3 && protocol == Protocol::pop3) {
      box.pop3->instead.clear();
      box.pop3->late.clear();
    } else if (box.imap && protocol == Protocol::imap) {
      box.imap->instead.clear();
      box.imap->instead_answer.clear();
      box.imap->late.clear();
      for (auto& message : box.imap->inbox().messages) message.breaks_at.reset();
    }
  }
}

void Servers::restart(Protocol protocol) {
  trace_.line("trouble", "the server restarts");
  for (Peer* peer : host(protocol).connections) peer->reset();
}

/// A mailbox that was rebuilt: the same messages with the UIDs of their neighbours, and another UIDVALIDITY.
void Servers::renumber() {
  restart(Protocol::imap);
  trace_.line("trouble", "UIDVALIDITY changes");
  const TimePoint now = world_.scheduler().now();
  for (Box& box : boxes_) {
    if (!box.imap) continue;
    for (auto& [id, unique] : box.account->ids) unique.to = std::min(unique.to, now);
    test::ImapMailbox& inbox = box.imap->inbox();
    ++inbox.uidvalidity;
    std::uint32_t uid = inbox.messages.empty() ? 1 : inbox.messages.front().uid + 1;
    for (test::ImapMessage& message : inbox.messages) {
      const std::size_t letter = letter_of(message.text);
      message.uid = uid++;
      box.account->ids.insert_or_assign(imap_id(message.uid, inbox.uidvalidity), UniqueId{letter, now});
    }
    inbox.uidnext = std::max(inbox.uidnext, uid);
  }
}

void Servers::watch() {
  for (Box& box : boxes_) {
    if (box.pop3) {
      for (; box.removals_seen < box.pop3->committed.size(); ++box.removals_seen) {
        for (const unsigned id : box.pop3->committed[box.removals_seen]) removed(box, id - 1, true);
      }
    } else {
      for (; box.removals_seen < box.imap->removals.size(); ++box.removals_seen) {
        const ImapStore::Removal& removal = box.imap->removals[box.removals_seen];
        if (removal.mailbox == "INBOX") removed(box, letter_of(removal.text), !removal.command.empty());
      }
    }
    if (!trace_.wanted()) continue;
    const auto& commands = box.pop3 ? box.pop3->commands : box.imap->commands;
    for (; box.commands_seen < commands.size(); ++box.commands_seen) {
      trace_.line(box.account->name + "'s", shown(commands[box.commands_seen]));
    }
  }
}

void Servers::removed(Box& box, std::size_t letter, bool by_gateway) {
  Letter& it = box.account->letters.at(letter);
  const std::string name = box.account->name + "/" + std::to_string(letter);
  trace_.line(box.account->name + "'s", "removes " + name);
  if (it.removed) laws_.broken("L2", name, "was removed twice");
  it.removed = world_.scheduler().now();
  it.by_gateway = by_gateway;
}

}  // namespace postern::sim
