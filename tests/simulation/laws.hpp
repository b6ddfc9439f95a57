#pragma once

#include <list>
#include <set>
#include <string>
#include <vector>

#include "postern/base/failure.hpp"
#include "simulation/trace.hpp"
#include "simulation/visit.hpp"

namespace postern::sim {

/// The promises of docs/architecture.md, as what can be seen of them from outside:
///
/// L1  a message is byte-exact and terminated, or the connection ended without a terminator
/// L2  exactly the messages that were DELEd before a QUIT that was read are gone
/// L3  no octet of one user reaches another
/// L4  nothing outlives its deadline
/// L5  a failure says what the failure table has for it, and only what can have happened
/// L6  numbers, unique-ids and counts are those of the mailbox, whatever the store says
class Laws {
 public:
  explicit Laws(const Trace& trace);

  void broken(const std::string& law, const std::string& who, const std::string& how);
  const std::vector<std::string>& breaches() const noexcept { return breaches_; }

  /// A client has heard an answer.
  void answered(Visit& visit, const Answer& answer);
  /// A client will hear no more.
  void ended(Visit& visit, const std::string& received);
  /// When all is over: what was removed, and why.
  void settle(const std::list<Account>& accounts, const std::list<Visit>& visits);

 private:
  // L5
  void refused(Visit& visit, const Answer& answer);
  std::set<std::string> may_say(const Visit& visit, const Answer& answer) const;
  void may_say_in_transaction(const Visit& visit, const Answer& answer, std::set<std::string>& texts) const;
  // L6
  void logged_in(Visit& visit, const Answer& answer);
  void stat(Visit& visit, const Answer& answer);
  void listed(Visit& visit, const Answer& answer);
  void listed_one(Visit& visit, const Answer& answer, std::string_view line);
  void learn(Visit& visit, const std::map<unsigned, std::size_t>& found, TimePoint came);
  // L1
  void body(Visit& visit, const Answer& answer);
  // L2
  bool is_justified(const Visit& visit, std::size_t letter) const;
  bool may_be_read(const Visit& visit, std::size_t quit) const;
  void promised(const Visit& visit);

  const Trace& trace_;
  std::vector<std::string> breaches_;
};

}  // namespace postern::sim
