#include "app/identity.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include "unit/app/in_child.hpp"

namespace postern::app {
namespace {

TEST(Identity, NameHasItsGroup) {
  const auto found = Identity::find("nobody");
  ASSERT_TRUE(found.has_value());
  const passwd* entry = getpwnam("nobody");
  EXPECT_EQ(found->user, entry->pw_uid);
  EXPECT_EQ(found->group, entry->pw_gid);
  EXPECT_EQ(found->name, "nobody");
}

TEST(Identity, NumbersNeedNoEntry) {
  const auto both = Identity::find("64001:64002");
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->user, 64001U);
  EXPECT_EQ(both->group, 64002U);
  const auto one = Identity::find("64001");
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->group, 64001U);
}

TEST(Identity, NumberOfAUserHasHisGroup) {
  const passwd* entry = getpwnam("nobody");
  const auto found = Identity::find(std::to_string(entry->pw_uid));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->name, "nobody");
  EXPECT_EQ(found->group, entry->pw_gid);
}

TEST(Identity, MistakesAreTold) {
  EXPECT_EQ(Identity::find("no-such-user").error(), "no user \"no-such-user\" on this machine");
  for (const char* wrong : {"nobody:nogroup", "1:", ":1", "1:2:3", "-1:1", "1:4294967295", "4294967295:1"}) {
    EXPECT_FALSE(Identity::find(wrong).has_value()) << wrong;
  }
}

class AsRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};
using IdentityAsRoot = AsRoot;

TEST_F(IdentityAsRoot, NothingOfRootIsLeft) {
  EXPECT_EQ(in_child([] {
              if (!Identity::find("64001:64002")->assume()) return 1;
              if (getuid() != 64001 || geteuid() != 64001 || getgid() != 64002 || getegid() != 64002)
                return 2;
              if (getgroups(0, nullptr) != 0) return 3;
              if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0) return 4;
              if (access("/etc/shadow", R_OK) == 0) return 5;
              return 0;
            }),
            0);
}

TEST_F(IdentityAsRoot, GroupsOfTheUserComeAlong) {
  EXPECT_EQ(in_child([] {
              const gid_t before[] = {4};
              if (setgroups(1, before) != 0) return 1;
              if (!Identity::find("nobody")->assume()) return 2;
              gid_t now[8] = {};
              const int count = getgroups(8, now);
              return count == 1 && now[0] == getgid() ? 0 : 3;
            }),
            0);
}

TEST_F(IdentityAsRoot, BorrowedOneIsGivenBack) {
  EXPECT_EQ(in_child([] {
              {
                const BorrowedIdentity borrowed(*Identity::find("64001:64002"));
                if (!borrowed.held() || geteuid() != 64001 || getegid() != 64002) return 1;
                if (eaccess("/etc/shadow", R_OK) == 0) return 2;
              }
              return geteuid() == 0 && getegid() == 0 ? 0 : 3;
            }),
            0);
}

}  // namespace
}  // namespace postern::app
