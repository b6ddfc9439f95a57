#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/units.hpp"
#include "support/peer.hpp"

namespace postern::test {

struct ImapMessage {
  std::uint32_t uid = 0;
  std::string text;           ///< the octets of its literal; may hold bare LF, NUL, anything
  std::optional<Bytes> size;  ///< RFC822.SIZE where it differs from the text's
  std::string size_as;        ///< how RFC822.SIZE is written, where it is no number: "9.3736e+06"
  bool has_size = true;       ///< otherwise RFC822.SIZE is left out
  bool fetchable = true;      ///< otherwise SEARCH knows it, and FETCH says nothing of it
  /// Of the text, beyond which every FETCH ends the connection: a file that is shorter than it was.
  std::optional<std::size_t> breaks_at;
  std::set<std::string> flags;
  std::string internal_date = "01-Jan-2026";  ///< dd-Mon-yyyy
  std::string email_id;                       ///< EMAILID; empty: NIL
  std::string guid;                           ///< X-GUID
  std::uint64_t gm_msgid = 0;                 ///< X-GM-MSGID
};

struct ImapMailbox {
  const ImapMessage* find(std::uint32_t uid) const noexcept;
  ImapMessage* find(std::uint32_t uid) noexcept;

  std::uint32_t uidvalidity = 1;
  std::uint32_t uidnext = 1;
  std::vector<ImapMessage> messages;  ///< their UIDs ascend and are below uidnext
  bool read_only = false;
  bool keeps_keywords = true;  ///< otherwise PERMANENTFLAGS has no "\*", and STORE forgets them silently
  bool uid_not_sticky = false;
  std::string special_use;  ///< "\Trash"
  std::string mailbox_id;   ///< MAILBOXID; empty: not told
};

/// How a server speaks. The profiles of ImapStore begin with what stands here.
struct ImapManner {
  enum class Gone : std::uint8_t {
    nothing,      ///< no FETCH of a message that is gone
    nil,          ///< Dovecot: BODY[] NIL, EXPUNGEISSUED
    once_more,    ///< Cyrus: it is delivered once more
    placeholder,  ///< Courier: a message is invented, every time
  };
  enum class Order : std::uint8_t { as_asked, uid_first, uid_last };
  enum class Partial : std::uint8_t {
    right,
    whole,    ///< Exchange: everything, and no origin
    unknown,  ///< BAD
  };
  /// When a UID FETCH tells what happened to the mailbox.
  enum class Updates : std::uint8_t {
    after,   ///< behind all messages
    before,  ///< EXISTS before all messages, EXPUNGE behind
    inside,  ///< behind the first message
  };

  std::string greeting_text = "ready";
  std::vector<std::string> capabilities = {"IMAP4rev1", "LITERAL+", "SASL-IR", "AUTH=PLAIN", "ID"};
  std::vector<std::string> capabilities_after = {"IMAP4rev1", "LITERAL+", "ID",       "UIDPLUS",
                                                 "MOVE",      "ESEARCH",  "UNSELECT", "SPECIAL-USE"};
  bool capabilities_in_greeting = true;
  bool capabilities_in_login_ok = true;
  bool capabilities_before_login_ok = false;  ///< untagged
  std::string login_refusal = "NO [AUTHENTICATIONFAILED] Authentication failed.";
  std::string bad = "BAD";  ///< "NO": what Courier says instead
  bool select_sends_uidnext = true;
  bool select_sends_uidvalidity = true;
  std::string select_refusal = "NO [NONEXISTENT] Mailbox doesn't exist";
  bool has_status = true;
  bool list_shows_special_use = true;  ///< also where nobody asked (RFC 6154 §2 lets it)
  bool trycreate = true;               ///< the code of a COPY to what does not exist
  Gone gone = Gone::nothing;
  Order order = Order::as_asked;
  Partial partial = Partial::right;
  Updates updates = Updates::after;
  bool always_flags = false;    ///< FETCH tells FLAGS first, asked or not
  std::string extra_attribute;  ///< in every FETCH: "X-FOO (a (b \"c)\"))"
  std::string body_name = "BODY[]";
  std::size_t quoted_below = 0;         ///< plain texts that are shorter are quoted
  bool literal8 = false;                ///< "~{3}"
  bool descending = false;              ///< the messages of a FETCH come in the opposite order
  bool swaps_fetches = false;           ///< of two UID FETCH that wait, the second is answered first
  bool doubles_expunge = false;         ///< Courier
  bool sends_vanished = false;          ///< instead of EXPUNGE
  bool knows_guid = false;              ///< X-GUID
  bool read_only_says_ok = false;       ///< STORE and EXPUNGE that do nothing succeed (Dovecot)
  bool takes_initial_response = false;  ///< without SASL-IR (Courier)
};

/// An IMAP4rev1 server (RFC 3501) with the mailboxes of one user, for as many connections as come. As strict
/// as any real one, and stricter: what a gateway must never send fails the peer, so the test. Says what it is
/// told to say where a test wants another answer. Outlives the connections. Other users' stores may stand
/// beside it: a login decides which one a connection is with from then on.
class ImapStore : public ImapManner {
 public:
  using Message = ImapMessage;
  using Mailbox = ImapMailbox;

  ImapStore();
  /// With these messages in INBOX, UIDs from 1.
  explicit ImapStore(const std::vector<std::string>& texts);
  ImapStore(const ImapStore&) = delete;
  ImapStore& operator=(const ImapStore&) = delete;

  /// Begins a session.
  void serve(Peer& peer);

  // What happens to the mailboxes meanwhile. Sessions hear of it with their next command.

  std::uint32_t deliver(std::string text, const std::string& mailbox = "INBOX");
  /// It is there.
  void expunge(std::uint32_t uid, const std::string& mailbox = "INBOX");

  // What it is.

  /// By the name on the wire.
  std::map<std::string, Mailbox, std::less<>> mailboxes = {{"INBOX", {}}};
  std::string user = "alice";
  std::string password = "secret";
  /// Those of the other users of the server whose door this is.
  std::vector<ImapStore*> neighbours;
  /// What is done instead of greeting.
  Script greeting;
  /// What STARTTLS puts over the connection; empty: it is refused.
  Filter tls;

  // What is said and done otherwise, by the text of a command without its tag, strings of literals in quotes
  // ("UID FETCH 3 (UID BODY.PEEK[])"), or by its name ("SELECT", "UID STORE"). In step::send, "$TAG" stands
  // for the tag.

  using Scripts = std::map<std::string, Script, std::less<>>;
  Scripts instead;                                    ///< the command is not executed
  Scripts instead_answer;                             ///< it is executed, but this is the answer
  Scripts ahead;                                      ///< before it is executed
  std::map<std::string, Duration, std::less<>> late;  ///< how long it takes before anything else
  /// `instead`, for the next time only.
  void once(const std::string& command, Script script);

  // What it is strict about.

  std::size_t max_line = 8000;  ///< octets of a command without its literals (RFC 7162 §4)
  std::size_t max_queued = 4;   ///< commands that came, the one that runs included (Dovecot)
  bool allows_examine = false;

  // The manner of known servers (protocol.md, tables A and B): all of ImapManner is set, nothing else.

  void like_dovecot();
  void like_cyrus();
  void like_courier();
  void like_exchange();
  void like_gmail();
  void like_hmailserver();

  // What happened, on all connections together.

  struct Removal {
    std::string mailbox;
    std::uint32_t uid;
    std::string command;  ///< what asked for it; empty: the test did
    std::string text;     ///< of the message
  };
  std::vector<std::string> commands;  ///< without their tags, passwords included
  unsigned connections = 0;
  unsigned logins = 0;  ///< credentials that were shown, right or wrong
  std::vector<Removal> removals;

  /// How often a command came, by its text or by its name.
  std::size_t count(std::string_view command) const;
  /// The UIDs that commands removed, in that order.
  std::vector<std::uint32_t> removed(std::string_view mailbox = "INBOX") const;
  /// The UIDs that are there.
  std::vector<std::uint32_t> uids(std::string_view mailbox = "INBOX") const;
  /// Those that carry a flag.
  std::vector<std::uint32_t> flagged(const std::string& flag, std::string_view mailbox = "INBOX") const;

  Mailbox& inbox() { return mailboxes["INBOX"]; }
  Message& message(std::uint32_t uid, std::string_view mailbox = "INBOX");
  /// "{3}\r\nabc", for those who write an answer.
  static std::string literal(std::string_view text);
  /// "UID FETCH" of "UID FETCH 1 (UID)".
  static std::string_view name_of(std::string_view command);

 private:
  friend class ImapConversation;
  /// `uids` ascend.
  void remove(const std::vector<std::uint32_t>& uids, const std::string& mailbox, const std::string& command);
  std::uint32_t add(Message message, const std::string& mailbox);

  /// What was removed, for the sessions that do not know yet.
  std::map<std::pair<std::string, std::uint32_t>, Message> gone_;
};

}  // namespace postern::test
