#pragma once

#include <list>
#include <memory>
#include <string>

#include "simulation/dice.hpp"
#include "simulation/laws.hpp"
#include "simulation/truth.hpp"
#include "simulation/weather.hpp"
#include "support/world.hpp"

namespace postern::sim {

/// The mail servers of a world: one that speaks POP3, one that speaks IMAP, with the accounts' mailboxes.
/// What happens to the mailboxes is noted in the accounts.
class Servers {
 public:
  struct Options {
    bool is_small = true;  ///< no message is longer than a few KiB
    bool has_tls = false;  ///< the way to them may be encrypted
    bool lies_about_sizes = false;
  };
  Servers(test::World& world, Weather& weather, Laws& laws, const Trace& trace, Dice dice,
          std::list<Account>& accounts, const Options& options);

  /// From the first connection on things go wrong with the server and the way to it.
  void spoil(config::Protocol protocol);
  /// What was removed since the last time becomes truth. To be called in every turn.
  void watch();

  // What may happen meanwhile.
  void deliver(Account& account);
  void expunge_one(Account& account);       ///< by another program
  void trouble(config::Protocol protocol);  ///< something of what can go wrong, for a while
  void recover(config::Protocol protocol);

 private:
  struct Box {
    Account* account;
    std::unique_ptr<test::Store> pop3;
    std::unique_ptr<test::ImapStore> imap;
    std::size_t removals_seen = 0;
    std::size_t commands_seen = 0;
  };
  struct Faults {
    unsigned cuts = 0;  ///< percent of connections
    unsigned vanishes = 0;
  };

  void build(Account& account);
  void choose_imap_manner();
  void fill(Box& box);
  void put(Box& box);
  void serve(test::Peer& peer, config::Protocol protocol);
  void spoil_link(test::Peer& peer);
  void trouble_pop3(test::Store& store);
  void trouble_imap(Box& box);
  void renumber();
  void restart(config::Protocol protocol);
  void removed(Box& box, std::size_t letter, bool by_gateway);
  Box& box_of(const Account& account);
  test::Host& host(config::Protocol protocol);
  Faults& faults(config::Protocol protocol) { return faults_[protocol == config::Protocol::imap ? 1 : 0]; }
  std::size_t size();

  test::World& world_;
  Weather& weather_;
  Laws& laws_;
  const Trace& trace_;
  Dice dice_;
  Options options_;
  bool has_common_uidvalidity_ = false;
  std::list<Box> boxes_;
  Faults faults_[2];
  Climate up_[2], down_[2];
  test::Filter implicit_tls_[2];
};

}  // namespace postern::sim
