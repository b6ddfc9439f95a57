#include "config/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "postern/base/assert.hpp"
#include "unit/config/workspace.hpp"

namespace postern::config {
namespace {

// Debian's "nobody". To root every folder is writable.
constexpr uid_t kNobody = 65534;

class Unprivileged {
 public:
  Unprivileged() : was_root_(::geteuid() == 0) {
    if (was_root_) POSTERN_ASSERT(::seteuid(kNobody) == 0);
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() {
    if (was_root_) POSTERN_ASSERT(::seteuid(0) == 0);
  }

 private:
  bool was_root_;
};

TEST(Files, TakesFileThatIsAndOneThatIsNotYet) {
  const Workspace workspace;
  workspace.write("store.db", "");
  EXPECT_TRUE(check_writable(workspace.path("store.db")).has_value());
  EXPECT_TRUE(check_writable(workspace.path("other.db")).has_value());
}

TEST(Files, RefusesFolderThatMayNotBeWritten) {
  const Workspace workspace;
  workspace.write("store.db", "");
  ASSERT_EQ(::chmod(workspace.path("store.db").c_str(), 0666), 0);
  ASSERT_EQ(::chmod(workspace.folder().c_str(), 0555), 0);
  {
    const Unprivileged nobody;
    for (const char* name : {"store.db", "other.db"}) {
      const auto writable = check_writable(workspace.path(name));
      ASSERT_FALSE(writable.has_value()) << name;
      EXPECT_EQ(writable.error().message, "its folder: Permission denied") << name;
    }
  }
  ASSERT_EQ(::chmod(workspace.folder().c_str(), 0755), 0);
}

TEST(Files, RefusesFileThatMayNotBeWritten) {
  const Workspace workspace;
  workspace.write("store.db", "");
  ASSERT_EQ(::chmod(workspace.path("store.db").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(workspace.folder().c_str(), 0777), 0);
  const Unprivileged nobody;
  const auto writable = check_writable(workspace.path("store.db"));
  ASSERT_FALSE(writable.has_value());
  EXPECT_EQ(writable.error().message, "Permission denied");
}

TEST(Files, RefusesPathWithNul) {
  EXPECT_EQ(check_writable(std::string("a\0b", 3)).error().message, "the path has a NUL in it");
}

}  // namespace
}  // namespace postern::config
