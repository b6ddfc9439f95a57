#include "postern/base/failure.hpp"

#include <array>

namespace postern {
namespace {

// The texts. A code stands first (RFC 3206 §4-5, RFC 2449 §8.1); whoever has no code has none on purpose:
// [AUTH] and the others would tell a client to ask for a password or to come back.
constexpr std::string_view kTemp = "[SYS/TEMP] mail server temporarily unavailable, try again later";
constexpr std::string_view kBusy = "[SYS/TEMP] server busy, try again later";
constexpr std::string_view kStopping = "[SYS/TEMP] server is restarting, try again";
constexpr std::string_view kAuth = "[AUTH] user name or password not accepted";
constexpr std::string_view kPolicy = "[SYS/PERM] access refused by the mail server, contact your provider";
constexpr std::string_view kInUse = "[IN-USE] mailbox is in use by another session";
constexpr std::string_view kDelay = "[LOGIN-DELAY] wait before logging in again";
constexpr std::string_view kRate = "[SYS/TEMP] too many attempts, try again later";
constexpr std::string_view kTooLarge = "[SYS/PERM] mailbox has too many messages";
constexpr std::string_view kNoMessage = "no such message";
constexpr std::string_view kRefused = "the mail server refused the command";
constexpr std::string_view kGone = "no such message (it was removed)";
constexpr std::string_view kUnreadable = "[SYS/PERM] message cannot be read";
constexpr std::string_view kUpdate = "some deleted messages not removed";
constexpr std::string_view kUnavailable = "[SYS/TEMP] message temporarily unavailable";
constexpr std::string_view kReadOnly = "[SYS/PERM] mailbox is read-only";
constexpr std::string_view kNoFolder = "[SYS/PERM] no such folder";
constexpr std::string_view kUseTls = "[SYS/PERM] use STLS or the TLS port first";
constexpr std::string_view kSyntax = "invalid command or argument";
constexpr std::string_view kBug = "[SYS/TEMP] internal error";
constexpr std::string_view kSilent;

constexpr bool kCloses = true;
constexpr bool kStays = false;
constexpr bool kOther = true;  // another server may be tried
constexpr bool kFinal = false;
constexpr bool kLimited = true;
constexpr bool kEach = false;

using enum FailureKind;
using enum LogLevel;
using LR = LoginResult;

// clang-format off: a row is a line
constexpr std::array<FailureRow, kFailureKinds> kTable = {{
    // kind, label, at login, in TRANSACTION, closes login, closes TRANSACTION, other server, level, limited, result
    {dns, "dns", kTemp, kTemp, kStays, kCloses, kOther, warn, kEach, LR::unavailable},
    {connect, "connect", kTemp, kTemp, kStays, kCloses, kOther, warn, kEach, LR::unavailable},
    {backend_tls, "backend_tls", kTemp, kTemp, kStays, kCloses, kOther, warn, kEach, LR::unavailable},
    {greeting, "greeting", kTemp, kTemp, kStays, kCloses, kOther, warn, kEach, LR::unavailable},
    {no_server, "no_server", kTemp, kTemp, kStays, kCloses, kFinal, error, kLimited, LR::unavailable},
    {saturated, "saturated", kBusy, kSilent, kStays, kStays, kOther, warn, kLimited, LR::temp},
    {route_failed, "route_failed", kTemp, kSilent, kStays, kStays, kFinal, error, kLimited, LR::temp},
    {no_route, "no_route", kAuth, kSilent, kStays, kStays, kFinal, info, kEach, LR::auth_failed},
    {unknown_user, "unknown_user", kAuth, kSilent, kStays, kStays, kFinal, info, kEach, LR::auth_failed},
    {auth_refused, "auth_refused", kAuth, kSilent, kStays, kStays, kFinal, info, kEach, LR::auth_failed},
    {gateway_credentials, "gateway_credentials", kTemp, kTemp, kStays, kCloses, kFinal, error, kEach, LR::temp},
    {auth_unavailable, "auth_unavailable", kTemp, kTemp, kStays, kStays, kFinal, warn, kEach, LR::temp},
    {backend_policy, "backend_policy", kPolicy, kPolicy, kStays, kStays, kFinal, error, kEach, LR::temp},
    {in_use, "in_use", kInUse, kSilent, kStays, kStays, kFinal, info, kEach, LR::in_use},
    {backend_limit, "backend_limit", kInUse, kSilent, kStays, kStays, kFinal, info, kEach, LR::in_use},
    {login_delay, "login_delay", kDelay, kSilent, kStays, kStays, kFinal, info, kEach, LR::login_delay},
    {throttled, "throttled", kRate, kSilent, kStays, kStays, kFinal, info, kEach, LR::throttled},
    {session_limit, "session_limit", kInUse, kSilent, kStays, kStays, kFinal, info, kEach, LR::in_use},
    {overload, "overload", kBusy, kBusy, kCloses, kCloses, kFinal, warn, kLimited, LR::temp},
    {draining, "draining", kStopping, kStopping, kCloses, kCloses, kFinal, warn, kLimited, LR::temp},
    {backend_timeout, "backend_timeout", kTemp, kTemp, kStays, kCloses, kFinal, warn, kEach, LR::timeout},
    {backend_protocol, "backend_protocol", kTemp, kTemp, kStays, kCloses, kFinal, error, kEach, LR::protocol},
    {mailbox, "mailbox", kTemp, kSilent, kStays, kStays, kFinal, warn, kEach, LR::temp},
    {mailbox_too_large, "mailbox_too_large", kTooLarge, kSilent, kStays, kStays, kFinal, warn, kEach, LR::temp},
    {backend_lost, "backend_lost", kTemp, kTemp, kStays, kCloses, kFinal, warn, kEach, LR::unavailable},
    {no_message, "no_message", kSilent, kNoMessage, kStays, kStays, kFinal, debug, kEach, LR::temp},
    {command_refused, "command_refused", kSilent, kRefused, kStays, kStays, kFinal, info, kEach, LR::temp},
    {message_gone, "message_gone", kSilent, kGone, kStays, kStays, kFinal, info, kEach, LR::temp},
    {message_unreadable, "message_unreadable", kSilent, kUnreadable, kStays, kStays, kFinal, warn, kEach, LR::temp},
    {update_failed, "update_failed", kSilent, kUpdate, kStays, kCloses, kFinal, error, kEach, LR::temp},
    {message_unavailable, "message_unavailable", kSilent, kUnavailable, kStays, kStays, kFinal, warn, kEach, LR::temp},
    {read_only, "read_only", kSilent, kReadOnly, kStays, kStays, kFinal, info, kEach, LR::temp},
    {no_folder, "no_folder", kNoFolder, kSilent, kStays, kStays, kFinal, info, kEach, LR::temp},
    {client_tls, "client_tls", kSilent, kSilent, kCloses, kCloses, kFinal, info, kEach, LR::refused},
    {proxy_header, "proxy_header", kSilent, kSilent, kCloses, kCloses, kFinal, info, kEach, LR::refused},
    {wrong_protocol, "wrong_protocol", kSilent, kSilent, kCloses, kCloses, kFinal, info, kEach, LR::refused},
    {client_stalled, "client_stalled", kSilent, kSilent, kCloses, kCloses, kFinal, info, kEach, LR::refused},
    {plaintext_forbidden, "plaintext_forbidden", kUseTls, kSilent, kStays, kStays, kFinal, info, kEach, LR::refused},
    {client_protocol, "client_protocol", kSyntax, kSyntax, kStays, kStays, kFinal, debug, kEach, LR::refused},
    {login_timeout, "login_timeout", kSilent, kSilent, kCloses, kCloses, kFinal, info, kEach, LR::timeout},
    {idle_timeout, "idle_timeout", kSilent, kSilent, kCloses, kCloses, kFinal, info, kEach, LR::timeout},
    {client_eof, "client_eof", kSilent, kSilent, kCloses, kCloses, kFinal, info, kEach, LR::refused},
    {client_reset, "client_reset", kSilent, kSilent, kCloses, kCloses, kFinal, info, kEach, LR::refused},
    {kicked, "kicked", kSilent, kSilent, kCloses, kCloses, kFinal, info, kEach, LR::refused},
    {internal, "internal", kBug, kBug, kCloses, kCloses, kFinal, error, kEach, LR::temp},
}};
// clang-format on

constexpr bool rows_stand_at_their_index() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].kind) != i || kTable[i].label.empty()) return false;
  }
  return true;
}
static_assert(rows_stand_at_their_index(), "the failure table is indexed by FailureKind");

constexpr std::array<std::string_view, kLoginResults> kLoginResultNames = {
    "ok",          "unavailable", "temp",    "auth_failed", "in_use",
    "login_delay", "throttled",   "timeout", "protocol",    "refused"};

constexpr std::array<std::string_view, static_cast<std::size_t>(Phase::update) + 1> kPhaseNames = {
    "accept",      "proxy",    "tls",           "auth", "route",       "queue", "connect",
    "backend_tls", "greeting", "backend_login", "open", "transaction", "update"};

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warn", "error"};

}  // namespace

const FailureRow& failure_row(FailureKind kind) noexcept {
  return kTable[static_cast<std::size_t>(kind)];
}
std::string_view label(FailureKind kind) noexcept {
  return failure_row(kind).label;
}
std::string_view label(LoginResult result) noexcept {
  return kLoginResultNames[static_cast<std::size_t>(result)];
}
std::string_view label(Phase phase) noexcept {
  return kPhaseNames[static_cast<std::size_t>(phase)];
}
std::string_view label(LogLevel level) noexcept {
  return kLevelNames[static_cast<std::size_t>(level)];
}

}  // namespace postern
