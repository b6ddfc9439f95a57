#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "postern/store/loop_store.hpp"
#include "support/log_lines.hpp"
#include "unit/store/file_fixture.hpp"

namespace postern::store {
namespace {

using config::ServedUidls;

const ServedUidls kBoth = {{"one", "%{uid}"}, {"two", "%{guid}"}};

class ServedUidlsTest : public FileTest {
 protected:
  ServedUidls served(const ServedUidls& asked = kBoth) { return file().served(asked).value(); }
  /// What `check` would read: the templates, or the word for why not.
  std::string untouched() const {
    auto read = SnapshotFile::served_untouched(folder.file(), kBoth);
    if (!read) return word(read.error());
    return *read == kBoth ? "both" : std::to_string(read->size());
  }
  /// The files in the folder, with what is in them.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      std::ifstream in(entry.path(), std::ios::binary);
      found[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(in), {});
    }
    return found;
  }
};

TEST_F(ServedUidlsTest, AreKnownToTheNextProcess) {
  EXPECT_EQ(served(), ServedUidls());
  ASSERT_TRUE(file().keep(kBoth).has_value());
  close();
  EXPECT_EQ(served(), kBoth);
}

TEST_F(ServedUidlsTest, AreReplacedByNewerOnes) {
  ASSERT_TRUE(file().keep(kBoth).has_value());
  ASSERT_TRUE(file().keep({{"one", "%{uid:x}"}}).has_value());
  EXPECT_EQ(served({{"one", ""}}), (ServedUidls{{"one", "%{uid:x}"}}));
}

TEST_F(ServedUidlsTest, AreNotWrittenAgainWhenNothingHasChanged) {
  const ServedUidls changed = {{"one", "%{uid:x}"}};
  ASSERT_TRUE(file().keep(kBoth).has_value());
  ASSERT_TRUE(file().keep(changed).has_value());
  const std::string written = files()["store.db-wal"];
  ASSERT_FALSE(written.empty());
  ASSERT_TRUE(file().keep(changed).has_value());
  EXPECT_EQ(files()["store.db-wal"], written);
}

TEST_F(ServedUidlsTest, OfABackendThatIsGoneStay) {
  ASSERT_TRUE(file().keep(kBoth).has_value());
  ASSERT_TRUE(file().keep({{"two", "%{guid}"}}).has_value());
  close();
  EXPECT_EQ(served(), kBoth);
}

TEST_F(ServedUidlsTest, GoIntoAFileThatIsBegunAnew) {
  ASSERT_TRUE(file().keep(kBoth).has_value());
  for (const char* name : {"store.db", "store.db-wal", "store.db-shm"})
    std::filesystem::remove(folder.path() / name);
  EXPECT_EQ(load(key_of("alice")), "none");  // somebody logs in
  close();
  EXPECT_EQ(served(), kBoth);
}

TEST_F(ServedUidlsTest, GoIntoTheFileThatReplacesACorruptOne) {
  ASSERT_TRUE(file().keep(kBoth).has_value());
  std::filesystem::remove(folder.path() / "store.db-wal");
  folder.write(std::string(32768, '\0'));
  for (int i = 0; i < 3; ++i) static_cast<void>(load(key_of("alice")));
  close();
  EXPECT_EQ(folder.wrecks().size(), 1u);
  EXPECT_EQ(served(), kBoth);
}

TEST_F(ServedUidlsTest, OfAFileThatIsNotOursAreATrouble) {
  folder.write("what somebody wrote");
  auto read = file().served(kBoth);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(word(read.error()), "foreign");
  auto kept = file().keep(kBoth);
  ASSERT_FALSE(kept.has_value());
  EXPECT_EQ(word(kept.error()), "foreign");
  EXPECT_EQ(untouched(), "foreign");
}

TEST_F(ServedUidlsTest, AreReadWithoutTouchingAFileAtRest) {
  ASSERT_TRUE(file().keep(kBoth).has_value());
  close();
  const auto before = files();
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(untouched(), "both");
  EXPECT_TRUE(files() == before);
}

TEST_F(ServedUidlsTest, AreReadUnderANameThatLooksLikeOptions) {
  const std::string name = folder.path() / "a?mode=rw#b%41.db";
  ASSERT_TRUE(SnapshotFile(name, clock, limits).keep(kBoth).has_value());
  EXPECT_EQ(read_served_uidls(name, kBoth).value(), kBoth);
}

TEST_F(ServedUidlsTest, OfNoFileAreNotReadAndNoFileIsMade) {
  EXPECT_EQ(untouched(), "unavailable");
  EXPECT_NE(read_served_uidls(folder.file(), kBoth).error(), "");
  EXPECT_TRUE(files().empty());
}

TEST_F(ServedUidlsTest, OfAnEmptyFileAreNone) {
  folder.write("");
  EXPECT_EQ(untouched(), "0");
}

TEST_F(ServedUidlsTest, TroubleIsALineAndNothingIsKnown) {
  folder.write("what somebody wrote");
  test::LogLines lines;
  Log log{lines, clock, LogFormat::logfmt, LogLevel::debug};
  config::Store settings;
  settings.file = folder.file();
  Shared shared(settings, clock, log);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(shared.served_uidls(kBoth), ServedUidls());
  clock.advance(std::chrono::seconds(1));
  shared.keep(kBoth);
  EXPECT_EQ(lines.of("store_trouble").size(), 3u);
}

TEST_F(ServedUidlsTest, WithoutAFileNothingIsKnown) {
  test::LogLines lines;
  Log log{lines, clock, LogFormat::logfmt, LogLevel::debug};
  Shared shared(config::Store(), clock, log);
  shared.keep(kBoth);
  EXPECT_EQ(shared.served_uidls(kBoth), ServedUidls());
}

}  // namespace
}  // namespace postern::store
