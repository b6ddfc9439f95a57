#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "postern/base/units.hpp"

/// The grammar of IMAP (RFC 3501, 9051) as a gateway needs it: what a server says, and how a command is
/// written. No I/O, no state of a session, bounded memory.
namespace postern::imap {

enum class ResponseKind : std::uint8_t {
  tagged,          ///< the end of a command: tag, condition, code, text
  status,          ///< untagged OK, NO, BAD, PREAUTH or BYE: condition, code, text
  continuation,    ///< "+": text
  capability,      ///< text, for Capabilities
  flags,           ///< flags
  exists,          ///< number
  recent,          ///< number
  expunge,         ///< number
  fetch,           ///< number, fetch
  search,          ///< its numbers came before
  esearch,         ///< esearch; its numbers came before
  vanished,        ///< vanished_earlier; its numbers came before
  mailbox_status,  ///< mailbox, items
  list,            ///< mailbox, list
  id,              ///< text: keys and values as they came
  other,           ///< was skipped
};

enum class Condition : std::uint8_t { ok, no, bad, preauth, bye };

/// Response codes (RFC 3501 §7.1, RFC 5530, and others).
enum class Code : std::uint8_t {
  none,
  unknown,
  alert,
  appenduid,
  authenticationfailed,
  authorizationfailed,
  capability,
  clientbug,
  closed,
  contactadmin,
  copyuid,
  corruption,
  expired,
  expungeissued,
  highestmodseq,
  inuse,
  limit,
  nomodseq,
  nonexistent,
  noperm,
  overquota,
  parse,
  permanentflags,
  privacyrequired,
  read_only,
  read_write,
  referral,
  serverbug,
  throttled,  ///< Gmail's; it stands at the end of the text
  trycreate,
  uidnext,
  uidnotsticky,
  uidvalidity,
  unavailable,
  unseen,
};

struct Flags {
  bool seen = false;
  bool answered = false;
  bool flagged = false;
  bool deleted = false;
  bool draft = false;
  bool recent = false;
  bool new_keywords = false;  ///< "\*": the server keeps keywords that it does not know yet
  std::string_view keywords;  ///< the rest, in the order they came, one space between them

  /// Whether a keyword is set; without regard to case (RFC 9051 §2.3.2).
  bool has(std::string_view keyword) const noexcept;
};

/// What a FETCH said of a message. What is not there was not said.
struct Fetch {
  std::optional<std::uint32_t> uid;
  std::optional<Bytes> size;    ///< RFC822.SIZE
  bool size_was_float = false;  ///< it was written like 9.3736e+06: an estimate
  bool has_body = false;        ///< there was a body step in this response
  bool has_flags = false;
  Flags flags;
  std::string_view internal_date;
  std::string_view email_id;   ///< RFC 8474
  std::string_view thread_id;  ///< RFC 8474; empty for NIL too
  std::string_view guid;       ///< Dovecot's X-GUID
  std::optional<std::uint64_t> gm_msgid;
  std::optional<std::uint64_t> modseq;
};

enum class BodyForm : std::uint8_t {
  literal,  ///< `size` octets stand behind what was consumed
  quoted,   ///< `text` is all of it, decoded
  nil,      ///< the message is gone, or has no such section
  absent,   ///< the server left the value out
};

enum class Section : std::uint8_t {
  message,  ///< BODY[], BINARY[], RFC822
  header,   ///< BODY[HEADER], RFC822.HEADER
  text,     ///< BODY[TEXT], RFC822.TEXT
  other,
};

/// The value of a body section, as it begins.
struct Body {
  BodyForm form = BodyForm::absent;
  Section section = Section::other;
  std::optional<Bytes> origin;       ///< BODY[]<origin>: a part that begins there
  Bytes size = 0;                    ///< literal, quoted
  std::string_view text;             ///< quoted
  std::optional<std::uint32_t> uid;  ///< if it stood before the body
};

/// What STATUS said of a mailbox.
struct StatusItems {
  std::optional<std::uint64_t> messages;
  std::optional<std::uint64_t> recent;
  std::optional<std::uint64_t> unseen;
  std::optional<std::uint64_t> uidnext;
  std::optional<std::uint64_t> uidvalidity;
  std::optional<std::uint64_t> highestmodseq;
  std::optional<std::uint64_t> size;
};

/// What LIST said of a mailbox: whether it can be selected, and its special use (RFC 6154).
struct ListItem {
  bool noselect = false;  ///< or \NonExistent
  bool all = false;
  bool archive = false;
  bool drafts = false;
  bool flagged = false;
  bool junk = false;
  bool sent = false;
  bool trash = false;
  char delimiter = '\0';  ///< NUL: a flat name
};

/// What ESEARCH said beside its numbers (RFC 4731).
struct Esearch {
  bool uid = false;
  bool all = false;  ///< there was an ALL: its numbers are the whole answer
  std::optional<std::uint64_t> count;
  std::optional<std::uint64_t> min;
  std::optional<std::uint64_t> max;
  std::optional<std::uint64_t> modseq;
};

/// Numbers that follow one another; one number alone is first = last. first <= last.
struct NumberRange {
  std::uint32_t first;
  std::uint32_t last;
  bool operator==(const NumberRange&) const = default;
};

/// One complete response. Only what belongs to its kind is set.
struct Response {
  ResponseKind kind = ResponseKind::other;
  Condition condition = Condition::ok;
  bool vanished_earlier = false;
  Code code = Code::none;
  std::uint32_t number = 0;  ///< EXISTS, RECENT, EXPUNGE, FETCH (never to be relied on: RFC 9051 §7.5)
  std::optional<std::uint64_t> code_number;  ///< UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ, UNSEEN
  std::string_view tag;                      ///< tagged; the command that an ESEARCH answers
  std::string_view code_name;                ///< as it came
  std::string_view code_arguments;           ///< between the name and the bracket
  std::string_view text;     ///< behind the code. For people: it never decides, but see failure.hpp
  std::string_view mailbox;  ///< as it is on the wire: modified UTF-7, decoded from quotes
  Fetch fetch;
  Flags flags;
  StatusItems items;
  ListItem list;
  Esearch esearch;
};

/// The words of a text, separated by spaces.
class Words {
 public:
  explicit Words(std::string_view text) noexcept : rest_(text) {}
  /// The next word; empty when there is none.
  std::string_view next() noexcept;

 private:
  std::string_view rest_;
};

/// Reads flags, with or without their parentheses (PERMANENTFLAGS' arguments). Keywords are appended to
/// `room`, which the result looks into.
Flags parse_flags(std::string_view text, std::string& room);

}  // namespace postern::imap
