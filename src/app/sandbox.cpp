#include "app/sandbox.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

namespace postern::app {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POSTERN_SANITIZED 1
#endif
#endif
#ifdef POSTERN_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// System calls that are refused, with EPERM. Who has taken over a gateway wants a shell, another process's
// memory or a fresh part of the kernel to attack; a gateway wants none of these, now or after the next libuv.
constexpr const char* kAlways[] = {
    // other programs, rights, name spaces
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setfsuid",
    "setfsgid",
    "setgroups",
    "capset",
    "unshare",
    "setns",
    "chroot",
    "pivot_root",
    "mount",
    "umount2",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsmount",
    "fspick",
    "fsconfig",
    "mount_setattr",
    "mknod",
    "mknodat",
    "personality",
    // parts of the kernel that a gateway does not need and that have had holes
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "bpf",
    "userfaultfd",
    "perf_event_open",
    "add_key",
    "request_key",
    "keyctl",
    "vmsplice",
    "name_to_handle_at",
    "open_by_handle_at",
    "fanotify_init",
    "lookup_dcookie",
    "modify_ldt",
    // the machine
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
    "swapoff",
    "acct",
    "quotactl",
    "nfsservctl",
    "settimeofday",
    "clock_settime",
    "adjtimex",
    "clock_adjtime",
    "sethostname",
    "setdomainname",
    "syslog",
    "iopl",
    "ioperm",
    "vhangup",
};
constexpr const char* kUnlessSanitized[] = {
    "execve",           "execveat",          "fork", "vfork",       "ptrace",
    "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd",
};

// Families of sockets beyond these are refused: what is left is what names, addresses and a log need.
constexpr int kFamilies[] = {AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

std::string message(int error) {
  return std::generic_category().message(error);
}

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ALLOW), &seccomp_release) {
    if (!context_) error_ = ENOMEM;
  }

  template <typename... Conditions>
  void refuse(const char* call, int with, Conditions... conditions) {
    const int number = seccomp_syscall_resolve_name(call);
    if (number == __NR_SCMP_ERROR || error_ != 0) return;  // this library has not heard of it
    const int status = seccomp_rule_add(context_.get(), SCMP_ACT_ERRNO(static_cast<std::uint32_t>(with)),
                                        number, sizeof...(conditions), conditions...);
    if (status < 0 && status != -EDOM) error_ = -status;  // EDOM: this machine's kernel never had it
  }

  /// An errno, 0 when it holds.
  int load() {
    if (error_ != 0) return error_;
    return -seccomp_load(context_.get());
  }

 private:
  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int error_ = 0;
};

// landlock(7), for kernels newer than the headers.
constexpr std::uint64_t kRefer = 1ULL << 13;        // ABI 2
constexpr std::uint64_t kTruncate = 1ULL << 14;     // ABI 3
constexpr std::uint64_t kIoctlDevice = 1ULL << 15;  // ABI 5

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                                 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_SOCK | kTruncate;
constexpr std::uint64_t kFirst =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | kRead | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

std::uint64_t handled(long abi) {
  std::uint64_t rights = kFirst;
  if (abi >= 2) rights |= kRefer;
  if (abi >= 3) rights |= kTruncate;
  if (abi >= 5) rights |= kIoctlDevice;
  if (kSanitized) rights &= ~static_cast<std::uint64_t>(LANDLOCK_ACCESS_FS_EXECUTE);
  return rights;
}

class OpenFile {
 public:
  explicit OpenFile(int number) noexcept : number_(number) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (number_ >= 0) close(number_);
  }
  int number() const noexcept { return number_; }

 private:
  int number_;
};

/// A folder that is not there needs no rule.
void allow(int rules, const std::string& folder, std::uint64_t rights) {
  const OpenFile file(open(folder.c_str(), O_PATH | O_CLOEXEC));
  if (file.number() < 0) return;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = file.number();
  syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U);
}

/// The folder of the file, and that of what it leads to.
void add_folders_of(const std::string& file, std::set<std::string>& folders) {
  if (file.empty()) return;
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(file, error);
  folders.insert(path.parent_path().string());
  const std::filesystem::path target = std::filesystem::weakly_canonical(path, error);
  if (!error) folders.insert(target.parent_path().string());
}

void add_environment(const char* variable, std::set<std::string>& folders) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before there are threads
  const char* value = std::getenv(variable);
  if (value != nullptr) folders.insert(value);
}

}  // namespace

bool is_sanitized() {
  return kSanitized;
}

Folders folders_for(const config::Config& config) {
  Folders folders;
  // Name service, certificates of authorities, locales and modules of libraries; the CPUs; random numbers.
  folders.readable = {"/etc",  "/usr", "/lib",      "/lib64",       "/run",
                      "/proc", "/sys", "/dev/null", "/dev/urandom", "/dev/random"};
  add_environment("SSL_CERT_DIR", folders.readable);
  add_environment("SSL_CERT_FILE", folders.readable);
  add_environment("OPENSSL_CONF", folders.readable);
  add_folders_of(config.file, folders.readable);
  for (const auto& [name, profile] : config.tls_profiles) {
    for (const config::Certificate& certificate : profile.certificates) {
      add_folders_of(certificate.cert_file, folders.readable);
      add_folders_of(certificate.key_file, folders.readable);
    }
  }
  for (const config::Backend& backend : config.backends)
    add_folders_of(backend.tls.ca_file, folders.readable);
  add_folders_of(config.store.file, folders.writable);
  return folders;
}

std::string restrict_calls() {
  Filter filter;
  for (const char* call : kAlways) filter.refuse(call, EPERM);
  for (int family = 0; family < AF_MAX; ++family) {
    if (std::find(std::begin(kFamilies), std::end(kFamilies), family) != std::end(kFamilies)) continue;
    filter.refuse("socket", EAFNOSUPPORT, SCMP_A0_32(SCMP_CMP_EQ, static_cast<std::uint32_t>(family), 0U));
  }
  if (!kSanitized) {
    for (const char* call : kUnlessSanitized) filter.refuse(call, EPERM);
    // Threads yes, processes no. What clone3(2) is asked for a filter cannot see; its callers fall back to
    // clone.
    filter.refuse("clone", EPERM, SCMP_A0(SCMP_CMP_MASKED_EQ, static_cast<scmp_datum_t>(CLONE_THREAD), 0U));
    filter.refuse("clone3", ENOSYS);
  }
  const int error = filter.load();
  return error == 0 ? "on" : "unavailable: " + message(error);
}

std::string restrict_files(const Folders& folders) {
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return "unavailable: " + message(errno);
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = handled(abi);
  const OpenFile rules(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0U)));
  if (rules.number() < 0) return "unavailable: " + message(errno);
  const auto allow_all = [&](const std::set<std::string>& paths, std::uint64_t rights) {
    for (const std::string& path : paths) {
      std::error_code error;
      // A file has no right that is about folders: the kernel would refuse the rule.
      const bool folder = std::filesystem::is_directory(path, error);
      const std::uint64_t wanted = folder ? rights : rights & LANDLOCK_ACCESS_FS_READ_FILE;
      allow(rules.number(), path, wanted & attributes.handled_access_fs);
    }
  };
  allow_all(folders.readable, kRead);
  allow_all(folders.writable, kRead | kWrite);
  if (syscall(SYS_landlock_restrict_self, rules.number(), 0U) != 0) return "unavailable: " + message(errno);
  return "on";
}

Confinement confine(const config::Runtime& settings, const Folders& folders) {
  Confinement result;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    result.failed = true;
    return result;
  }
  if (settings.landlock) result.landlock = restrict_files(folders);
  if (settings.seccomp) result.seccomp = restrict_calls();
  return result;
}

void set_core_dumps(bool allowed) {
  prctl(PR_SET_DUMPABLE, allowed || kSanitized ? 1 : 0, 0, 0, 0);  // a change of user has set it to 0
  if (allowed) return;
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

}  // namespace postern::app
