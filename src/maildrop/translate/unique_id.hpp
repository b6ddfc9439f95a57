#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "postern/config/config.hpp"

namespace postern::maildrop {

/// One to 70 characters from 0x21 to 0x7E.
bool is_unique_id(std::string_view id) noexcept;

/// The unique-id of a message by a template. `values` is what the server or the message says where the
/// template asks for more than numbers: a line for each such piece. If one of them is empty, or the result
/// could not be sent, there is another id, which is as stable: these never change.
std::string make_unique_id(const config::UidlTemplate& form, std::uint32_t uidvalidity, std::uint32_t uid,
                           std::string_view values);
/// The same, of numbers alone, behind what is in `out` already.
void append_unique_id(std::string& out, const config::UidlTemplate& form, std::uint32_t uidvalidity,
                      std::uint32_t uid);

/// What stands for a text that is too long for an id, or has characters that no id may have: 128 bits of its
/// SHA-256, which nobody makes collide by accident.
std::string digest(std::string_view text);

/// What the ids of a folder other than INBOX begin with, so that they differ from those of every other folder
/// (VIEW-2): of the server's MAILBOXID if there is one, which outlives a new name.
std::string folder_prefix(std::string_view mailbox, std::string_view mailbox_id);

}  // namespace postern::maildrop
