#include "app/sandbox.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "unit/app/in_child.hpp"

namespace postern::app {
namespace {

/// For a child: 0 when `call` fails with `expected`.
template <typename Call>
bool fails_with(int expected, Call call) {
  errno = 0;
  return call() < 0 && errno == expected;
}

bool restrict_this() {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && restrict_calls() == "on";
}

TEST(Seccomp, CallsThatAGatewayHasNoUseForAreRefused) {
  EXPECT_EQ(in_child([] {
              if (!restrict_this()) return 1;
              if (!fails_with(EPERM, [] { return unshare(CLONE_NEWUSER); })) return 2;
              if (!fails_with(EPERM, [] { return syscall(SYS_bpf, 0, nullptr, 0); })) return 3;
              if (!fails_with(EPERM, [] { return syscall(SYS_io_uring_setup, 1, nullptr); })) return 4;
              if (!fails_with(EPERM, [] { return syscall(SYS_setuid, getuid()); })) return 5;
              if (!fails_with(EPERM, [] { return syscall(SYS_keyctl, 0, 0, 0, 0, 0); })) return 6;
              if (!fails_with(EAFNOSUPPORT, [] { return socket(AF_PACKET, SOCK_RAW, 0); })) return 7;
              if (!fails_with(EAFNOSUPPORT, [] { return socket(AF_ALG, SOCK_SEQPACKET, 0); })) return 8;
              return 0;
            }),
            0);
}

TEST(Seccomp, NoOtherProgramIsRun) {
  if (is_sanitized()) GTEST_SKIP() << "a sanitizer has to";
  EXPECT_EQ(in_child([] {
              if (!restrict_this()) return 1;
              char program[] = "/bin/true";
              char* arguments[] = {program, nullptr};
              if (!fails_with(EPERM, [&] { return execv(program, arguments); })) return 2;
              if (!fails_with(EPERM, [] { return fork(); })) return 3;
              if (!fails_with(EPERM, [] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); })) return 4;
              if (!fails_with(ENOSYS, [] { return syscall(SYS_clone3, nullptr, 0); })) return 5;
              return 0;
            }),
            0);
}

TEST(Seccomp, WhatAGatewayDoesGoesOn) {
  EXPECT_EQ(in_child([] {
              if (!restrict_this()) return 1;
              bool ran = false;
              std::thread([&] { ran = true; }).join();
              if (!ran) return 2;
              for (const int family : {AF_INET, AF_INET6, AF_UNIX}) {
                const int number = socket(family, SOCK_STREAM, 0);
                if (number < 0 && errno != EAFNOSUPPORT) return 3;
                close(number);
              }
              return std::filesystem::exists("/etc") ? 0 : 4;
            }),
            0);
}

class Landlock : public ::testing::Test {
 protected:
  void SetUp() override {
    // Whether this kernel has it, without restricting ourselves.
    if (syscall(SYS_landlock_create_ruleset, nullptr, 0, 1U) < 1)
      GTEST_SKIP() << "this kernel has no Landlock";
    char name[] = "/tmp/postern-landlock-XXXXXX";
    folder_ = mkdtemp(name);
    for (const char* part : {"read", "write", "other"}) {
      std::filesystem::create_directory(folder_ / part);
      std::ofstream(folder_ / part / "file") << "text";
    }
  }
  ~Landlock() override { std::filesystem::remove_all(folder_); }

  bool restrict_this() const {
    Folders folders;
    folders.readable = {folder_ / "read", "/dev/null"};
    folders.writable = {folder_ / "write"};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && restrict_files(folders) == "on";
  }

  int open_file(const char* path, int flags) const {
    const int number = open((folder_ / path).c_str(), flags | O_CLOEXEC, 0600);
    if (number >= 0) close(number);
    return number;
  }

  std::filesystem::path folder_;
};

TEST_F(Landlock, FilesOutsideAreRefused) {
  EXPECT_EQ(in_child([&] {
              if (!restrict_this()) return 1;
              if (!fails_with(EACCES, [&] { return open_file("other/file", O_RDONLY); })) return 2;
              if (!fails_with(EACCES, [&] { return open_file("read/file", O_WRONLY); })) return 3;
              if (!fails_with(EACCES, [&] { return open_file("read/new", O_WRONLY | O_CREAT); })) return 4;
              if (!fails_with(EACCES, [&] { return unlink((folder_ / "read/file").c_str()); })) return 5;
              if (!fails_with(EACCES, [&] { return mkdir((folder_ / "write/new").c_str(), 0700); })) return 6;
              if (!fails_with(EACCES, [&] { return symlink("file", (folder_ / "write/link").c_str()); }))
                return 7;
              return 0;
            }),
            0);
}

TEST_F(Landlock, FilesInsideAreThere) {
  EXPECT_EQ(in_child([&] {
              if (!restrict_this()) return 1;
              if (open_file("read/file", O_RDONLY) < 0) return 2;
              if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return 3;
              if (open_file("write/file", O_RDWR) < 0) return 4;
              if (open_file("write/new", O_RDWR | O_CREAT) < 0) return 5;
              if (open_file("write", O_RDONLY | O_DIRECTORY) < 0) return 6;  // SQLite syncs it
              if (unlink((folder_ / "write/new").c_str()) != 0) return 7;
              return 0;
            }),
            0);
}

TEST_F(Landlock, FoldersAreThoseOfTheConfigurationAndWhereItsLinksLead) {
  std::filesystem::create_directory(folder_ / "live");
  std::filesystem::create_symlink(folder_ / "other" / "file", folder_ / "live" / "key.pem");
  config::Config config;
  config.file = (folder_ / "read" / "postern.yaml").string();
  config::TlsProfile profile;
  config::Certificate certificate;
  certificate.cert_file = (folder_ / "read" / "file").string();
  certificate.key_file = (folder_ / "live" / "key.pem").string();
  profile.certificates.push_back(certificate);
  config.tls_profiles.emplace("default", profile);
  config.store.file = (folder_ / "write" / "store").string();
  const Folders folders = folders_for(config);
  for (const char* part : {"read", "live", "other"}) {
    EXPECT_TRUE(folders.readable.contains((folder_ / part).string())) << part;
  }
  EXPECT_TRUE(folders.readable.contains("/etc"));
  EXPECT_EQ(folders.writable, std::set<std::string>{(folder_ / "write").string()});
  EXPECT_FALSE(folders.readable.contains("/"));
}

TEST(CoreDumps, AreOffUnlessAskedFor) {
  EXPECT_EQ(in_child([] {
              set_core_dumps(false);
              rlimit limit{};
              getrlimit(RLIMIT_CORE, &limit);
              if (limit.rlim_max != 0) return 1;
              if (prctl(PR_GET_DUMPABLE) != (is_sanitized() ? 1 : 0)) return 2;
              set_core_dumps(true);
              return prctl(PR_GET_DUMPABLE) == 1 ? 0 : 3;
            }),
            0);
}

}  // namespace
}  // namespace postern::app
