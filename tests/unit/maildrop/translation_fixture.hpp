#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "support/imap_store.hpp"
#include "unit/maildrop/maildrop_fixture.hpp"

namespace postern::maildrop {

using test::ImapStore;

/// The translation, before an IMAP server. The mailbox is empty until a test fills it.
class TranslationTest : public MaildropTest {
 protected:
  TranslationTest() {
    settings.protocol = config::Protocol::imap;
    settings.servers = {config::Server{"192.0.2.20", 143, {}}};
    network.host("192.0.2.20", 143).serve = [this](Peer& peer) { imap.serve(peer); };
  }

  ~TranslationTest() override {
    maildrop.reset();
    scheduler.run_until_idle();  // the server hears the goodbye
  }

  void deliver(std::initializer_list<const char*> texts) {
    for (const char* text : texts) imap.deliver(text);
  }
  Peer& server() { return *network.host("192.0.2.20", 143).connections.back(); }
  /// The commands behind the login, of all connections.
  std::vector<std::string> asked() const {
    std::vector<std::string> all;
    for (const std::string& command : imap.commands) {
      const std::string_view name = ImapStore::name_of(command);
      const bool before = name == "CAPABILITY" || name == "LOGIN" || name == "AUTHENTICATE" || name == "ID";
      if (!before) all.push_back(command);
    }
    return all;
  }
  std::string commit() {
    const coro::Deadline deadline(scheduler.now() + 10min);
    const Result<void> done = run(maildrop->commit(deadline));
    if (!done) detail = done.error().detail();
    return failure(done);
  }
  std::string mark(std::uint32_t message) { return failure(run(maildrop->mark_deleted(message))); }
  /// LIST or UIDL as one text; or the failure.
  std::string listing() { return text_of(&Maildrop::list); }
  std::string ids() { return text_of(&Maildrop::uidl); }
  /// RETR's text; or the failure.
  std::string text(std::uint32_t message) {
    Kept sink;
    const std::string failed = retrieve(sink, message);
    return failed.empty() ? sink.text : failed;
  }
  std::string top(std::uint32_t message, std::uint64_t body_lines) {
    Kept sink;
    const Result<void> done = run(maildrop->top(message, body_lines, sink));
    return done ? sink.text : failure(done);
  }

  ImapStore imap;

 private:
  std::string text_of(coro::Task<Result<void>> (Maildrop::*list)(Sink&)) {
    Kept sink;
    const Result<void> done = run(((*maildrop).*list)(sink));
    return done ? sink.text : failure(done);
  }
};

}  // namespace postern::maildrop
