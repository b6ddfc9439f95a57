#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "unit/config/workspace.hpp"

namespace postern::config {
namespace {

/// A mistake: what it puts in the place of what in kImapMinimal, and all that is said about it.
struct Mistake {
  const char* name;
  std::string old_part;
  std::string new_part;
  std::string problems;
};

/// The name of the test in ctest.
void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.name;
}

Mistake in_imap(const char* name, const std::string& settings, const std::string& problems) {
  return {name, "    protocol: imap\n", "    protocol: imap\n    imap: {" + settings + "}\n", problems};
}

/// The view stands in line 2, its first setting in column 32.
Mistake in_view(const char* name, const std::string& settings, const std::string& problems) {
  return {name, "version: 1\n", "version: 1\nviews: [{name: other_view_name, " + settings + "}]\n", problems};
}

Mistake in_store(const char* name, const std::string& settings, const std::string& problems) {
  return {name, "version: 1\n", "version: 1\nstore: {" + settings + "}\n", problems};
}

const std::vector<Mistake> kBackendMistakes = {
    {"ProtocolIsWrong", "protocol: imap", "protocol: imap4\n    eol: safe\n    imap: {}",
     "14:15: backends[].protocol: found 'imap4', expected pop3 or imap; did you mean 'imap'?\n"},
    {"ImapWithPop3", "protocol: imap", "protocol: pop3\n    imap: {sizes: all}",
     "15:11: backends[].imap: found a section with 'protocol: pop3', expected 'protocol: imap' or none\n"},
    {"ImapWithoutProtocol", "protocol: imap", "imap: {sizes: exact}",
     "14:11: backends[].imap: found a section with 'protocol: pop3', expected 'protocol: imap' or none\n"},
    {"EolWithImap", "protocol: imap", "protocol: imap\n    eol: exact",
     "15:10: backends[].eol: found a setting of POP3 with 'protocol: imap', expected none\n"},
    in_imap("UnknownKey", "uidls: a",
            "15:12: unknown key 'uidls' in backends[].imap, expected profile, uidl, sizes, mark_seen, "
            "missing_inbox, deleted_messages, nul, prefetch, announce_client, not_credentials, "
            "login_separator, max_messages, max_message or snapshot_timeout; did you mean 'uidl'?\n"),
    in_imap("Profile", "profile: dovecat",
            "15:21: backends[].imap.profile: found 'dovecat', expected auto, standard, dovecot, cyrus, "
            "courier, exchange, gmail, zimbra, hmailserver, yandex or old; did you mean 'dovecot'?\n"),
    in_imap("Sizes", "sizes: learned",
            "15:19: backends[].imap.sizes: found 'learned', expected trust, learn or exact; did you mean "
            "'learn'?\n"),
    in_imap("Prefetch", "prefetch: yes",
            "15:22: backends[].imap.prefetch: found 'yes', expected true or false\n"),
    in_imap("MaxMessages", "max_messages: 10000001",
            "15:26: backends[].imap.max_messages: found the number 10000001, expected a whole number from 1 "
            "to 10000000\n"),
    in_imap("SizeWithoutUnit", "max_message: 1000000",
            "15:25: backends[].imap.max_message: found the number 1000000, expected a size from 1KiB to "
            "1024GiB (units B, KiB, MiB and GiB)\n"),
    in_imap(
        "SizeWithUnitOf1000", "max_message: 25MB",
        "15:25: backends[].imap.max_message: found '25MB', expected a size from 1KiB to 1024GiB (units B, "
        "KiB, MiB and GiB)\n"),
    in_imap("SizeWithLeadingZero", "max_message: 025MiB",
            "15:25: backends[].imap.max_message: found '025MiB', expected a size from 1KiB to 1024GiB (units "
            "B, KiB, MiB and GiB); leave out the leading zeros\n"),
    in_imap("SizeBelowRange", "max_message: 1023B",
            "15:25: backends[].imap.max_message: found '1023B', expected a size from 1KiB to 1024GiB (units "
            "B, KiB, MiB and GiB)\n"),
    in_imap(
        "SizeAboveRange", "max_message: 1025GiB",
        "15:25: backends[].imap.max_message: found '1025GiB', expected a size from 1KiB to 1024GiB (units "
        "B, KiB, MiB and GiB)\n"),
    in_imap("SnapshotTimeout", "snapshot_timeout: 11m",
            "15:30: backends[].imap.snapshot_timeout: found '11m', expected a duration from 1s to 10m (units "
            "ms, s, m and h)\n"),
    in_imap("Uidl", "uidl: \"%{udi}\"",
            "15:18: backends[].imap.uidl: found '%{udi}', expected %{uid}, %{uidvalidity}, %{guid}, "
            "%{email_id}, %{x_gm_msgid}, %{header:NAME} or %%; did you mean 'uid'?\n"),
    in_imap("UidlIsANumber", "uidl: 17",
            "15:18: backends[].imap.uidl: found the number 17, expected a template such as "
            "%{uid:08x}%{uidvalidity:08x}; put it in quotes if it is meant as text\n"),
    in_imap("UidlTooLongForFolders", "login_separator: +, uidl: \"%{uid:062}\"",
            "15:38: backends[].imap.uidl: found '%{uid:062}', which makes ids of up to 71 octets, 9 of them "
            "before it for folders other than INBOX, expected no more than 70\n"),
    in_imap(
        "Separator", "login_separator: \"-\"",
        "15:29: backends[].imap.login_separator: found '-', expected 1 to 4 of ! $ % & * + , / : ; = ? ^ | "
        "~\n"),
    in_imap(
        "SeparatorOfViews", "login_separator: \"#\"",
        "15:29: backends[].imap.login_separator: found '#', expected 1 to 4 of ! $ % & * + , / : ; = ? ^ | "
        "~\n"),
    in_imap("TextsAreNoList", "not_credentials: quota",
            "15:29: backends[].imap.not_credentials: found 'quota', expected a list of texts of 1 to 255 "
            "octets in UTF-8\n"),
    in_imap(
        "TextTwice", "not_credentials: [over quota, Over Quota]",
        "15:42: backends[].imap.not_credentials: found 'Over Quota' a second time, expected it once; line "
        "15 has it\n"),
    in_imap(
        "TextWithLineEnd", "not_credentials: [\"a\\r\\n\"]",
        "15:30: backends[].imap.not_credentials: found 'a\\x0d\\x0a', expected a list of texts of 1 to 255 "
        "octets in UTF-8\n"),
    in_imap(
        "TextIsEmpty", "not_credentials: [\"\"]",
        "15:30: backends[].imap.not_credentials: found '', expected a list of texts of 1 to 255 octets in "
        "UTF-8\n"),
};

const std::vector<Mistake> kViewMistakes = {
    {"ViewWithoutName", "version: 1\n", "version: 1\nviews: [{newest: 5}]\n",
     "2:9: missing key 'name' in views[], expected a name of 1 to 32 of a-z, 0-9, '_' and '-'\n"},
    {"ViewWithNameThatIsNoAtom", "version: 1\n", "version: 1\nviews: [{name: \"a b\"}]\n",
     "2:16: views[].name: found 'a b', expected a name of 1 to 32 of a-z, 0-9, '_' and '-'\n"},
    {"ViewTwice", "version: 1\n", "version: 1\nviews: [{name: a}, {name: a}]\n",
     "2:27: views[].name: found 'a', expected a name that is not taken; line 2 has it\n"},
    in_view("NoFolders", "folders: []",
            "2:42: views[].folders: found an empty list, expected a list of folders of 1 to 255 octets in "
            "UTF-8\n"),
    in_view("FolderWithoutList", "folders: INBOX",
            "2:42: views[].folders: found 'INBOX', expected a list of folders of 1 to 255 octets in UTF-8\n"),
    in_view("FolderIsANumber", "folders: [2024]",
            "2:43: views[].folders: found the number 2024, expected a list of folders of 1 to 255 octets in "
            "UTF-8; put it in quotes if it is meant as text\n"),
    in_view(
        "FolderWithControl", "folders: [\"a\\tb\"]",
        "2:43: views[].folders: found 'a\\x09b', expected a list of folders of 1 to 255 octets in UTF-8\n"),
    in_view("FolderTooLong", "folders: [" + std::string(256, 'f') + "]",
            "2:43: views[].folders: found '" + std::string(80, 'f') +
                "...', expected a list of folders of 1 to 255 octets in UTF-8\n"),
    in_view("FolderTwice", "folders: [Junk, Junk]",
            "2:49: views[].folders: found 'Junk' a second time, expected it once; line 2 has it\n"),
    in_view("InboxTwice", "folders: [inbox, InBox]",
            "2:50: views[].folders: found 'INBOX' a second time, expected it once; line 2 has it\n"),
    in_view("Newest", "newest: 0",
            "2:41: views[].newest: found the number 0, expected a whole number from 1 to 10000000\n"),
    in_view("Days", "days: 7d", "2:39: views[].days: found '7d', expected a whole number from 1 to 36500\n"),
    in_view("Delete", "delete: trash",
            "2:41: views[].delete: found 'trash', expected expunge, move, flag or keep\n"),
    in_view(
        "DeleteIsWrongAlone", "delete: keeps, keep_days: 3, move_to: a",
        "2:41: views[].delete: found 'keeps', expected expunge, move, flag or keep; did you mean 'keep'?\n"),
    in_view("MoveToWithoutMove", "move_to: Trash",
            "2:42: views[].move_to: found a folder that nothing is moved to, expected 'delete: move' or "
            "'without_uidplus: move' with it\n"),
    in_view("MoveToWithKeep", "delete: keep, move_to: Trash",
            "2:56: views[].move_to: found a folder that nothing is moved to, expected 'delete: move' or "
            "'without_uidplus: move' with it\n"),
    in_view("MoveToFolderOfView", "folders: [INBOX, Trash], delete: move, move_to: Trash",
            "2:81: views[].move_to: found 'Trash', which is one of the folders of the view, expected another "
            "one\n"),
    in_view("MoveToInbox", "delete: move, move_to: inbox",
            "2:56: views[].move_to: found 'INBOX', which is one of the folders of the view, expected another "
            "one\n"),
    in_view("KeepDaysWithoutKeep", "keep_days: 14",
            "2:44: views[].keep_days: found a number of days without 'delete: keep', expected none\n"),
    in_view("KeepDaysWithFlag", "delete: flag, keep_days: 14",
            "2:58: views[].keep_days: found a number of days without 'delete: keep', expected none\n"),
    in_view("WithoutUidplusWithFlag", "delete: flag, without_uidplus: refuse",
            "2:64: views[].without_uidplus: found a setting of removal with 'delete: flag', expected none\n"),
    in_view("WithoutUidplusWithKeep", "delete: keep, without_uidplus: protect",
            "2:64: views[].without_uidplus: found a setting of removal with 'delete: keep', expected none\n"),
    in_view("WithoutUidplusMoveWithMove", "delete: move, without_uidplus: move",
            "2:64: views[].without_uidplus: found 'move' with 'delete: move', expected protect, flag_only or "
            "refuse\n"),
    {"UnknownViewOfRoute", "backend: store", "backend: store\n    view: phone",
     "20:11: routes[].view: found 'phone', expected default\n"},
    {"MisspeltViewOfListener", "profile: default", "profile: default\n    view: defualt",
     "12:11: listeners[].view: found 'defualt', expected default; did you mean 'default'?\n"},
    {"ViewOfRouteToPop3", "    protocol: imap\n    servers:\n      - host: imap.example.net\nroutes:\n",
     "    servers:\n      - host: pop.example.net\nroutes:\n"
     "  - {match: {user: a}, backend: store, view: default}\n",
     "17:46: routes[].view: found a view with the backend 'store', which speaks POP3, expected none\n"},
};

const std::vector<Mistake> kStoreMistakes = {
    in_store(
        "StoreMemory", "memory: 1023KiB",
        "2:17: store.memory: found '1023KiB', expected a size from 1MiB to 1024GiB (units B, KiB, MiB and "
        "GiB)\n"),
    in_store("StoreInFolderThatIsNot", "file: none/store.db",
             "2:15: store.file: cannot write 'FOLDER/none/store.db': its folder: No such file or directory, "
             "expected the path of a file that can be written, in a folder that can be\n"),
    in_store(
        "StoreIsAFolder", "file: .",
        "2:15: store.file: cannot write 'FOLDER/': Is a directory, expected the path of a file that can be "
        "written, in a folder that can be\n"),
    in_store(
        "StoreBelowAFile", "file: key.pem/store.db",
        "2:15: store.file: cannot write 'FOLDER/key.pem/store.db': Not a directory, expected the path of a "
        "file that can be written, in a folder that can be\n"),
    in_store(
        "StoreIsADevice", "file: /dev/null",
        "2:15: store.file: cannot write '/dev/null': Not a regular file, expected the path of a file that "
        "can be written, in a folder that can be\n"),
};

class ImapMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(ImapMistakes, AreToldWithPlaceAndWhatWasExpected) {
  const Workspace workspace;
  const Mistake& mistake = GetParam();
  EXPECT_EQ(workspace.told(replaced(kImapMinimal, mistake.old_part, mistake.new_part)), mistake.problems);
}

std::string name_of(const ::testing::TestParamInfo<Mistake>& row) {
  return row.param.name;
}

INSTANTIATE_TEST_SUITE_P(Backend, ImapMistakes, ::testing::ValuesIn(kBackendMistakes), name_of);
INSTANTIATE_TEST_SUITE_P(View, ImapMistakes, ::testing::ValuesIn(kViewMistakes), name_of);
INSTANTIATE_TEST_SUITE_P(Store, ImapMistakes, ::testing::ValuesIn(kStoreMistakes), name_of);

std::string folders(int count) {
  std::string out = "version: 1\nviews: [{name: a, folders: [";
  for (int i = 0; i < count; ++i) out += "f" + std::to_string(i) + ", ";
  return out + "]}]\n";
}

TEST(ImapMistake, OfTooManyFoldersIsTold) {
  const Workspace workspace;
  EXPECT_EQ(workspace.told(replaced(kImapMinimal, "version: 1\n", folders(64))), "");
  EXPECT_EQ(workspace.told(replaced(kImapMinimal, "version: 1\n", folders(65))),
            "2:28: views[].folders: found 65 of them, expected 64 at most\n");
}

/// A folder that a view has makes ids longer, but only those of other folders than INBOX.
TEST(ImapMistake, OfLongIdsDependsOnFoldersOfViews) {
  const Workspace workspace;
  const std::string text =
      replaced(kImapMinimal, "protocol: imap", "protocol: imap\n    imap: {uidl: \"%{uid:062}\"}");
  const auto with_folders = [&](const std::string& list) {
    return replaced(text, "version: 1\n", "version: 1\nviews: [{name: a, folders: " + list + "}]\n");
  };
  EXPECT_EQ(workspace.told(text), "");
  EXPECT_EQ(workspace.told(with_folders("[inbox]")), "");
  EXPECT_EQ(workspace.told(with_folders("[INBOX, Junk]")),
            "16:18: backends[].imap.uidl: found '%{uid:062}', which makes ids of up to 71 octets, 9 of them "
            "before it for folders other than INBOX, expected no more than 70\n");
}

}  // namespace
}  // namespace postern::config
