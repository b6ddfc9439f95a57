#pragma once

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace postern::store {

/// Somebody who may not do everything, as long as it lives: to root no file is read-only.
class Unprivileged {
 public:
  Unprivileged() {
    if (was_root_ && seteuid(kNobody) != 0) throw std::runtime_error("seteuid");
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() {
    if (was_root_) static_cast<void>(seteuid(0));
  }

 private:
  static constexpr uid_t kNobody = 65534;
  const bool was_root_ = geteuid() == 0;
};

/// A folder of its own with a database in it, gone when it is destroyed.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "postern-store-XXXXXX") {
    std::string name = path_.string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
    chmod(name.c_str(), 0777);  // also for who is not root
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const noexcept { return path_; }
  std::string file() const { return path_ / "store.db"; }
  std::vector<std::string> wrecks() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      const std::string name = entry.path().filename();
      if (name.find(".corrupt-") != std::string::npos) found.push_back(name);
    }
    return found;
  }
  void write(std::string_view octets) const { std::ofstream(file(), std::ios::binary) << octets; }
  std::string read() const {
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

 private:
  std::filesystem::path path_;
};

/// Another program at the same file.
class Intruder {
 public:
  explicit Intruder(const std::string& file) {
    if (sqlite3_open(file.c_str(), &database_) != SQLITE_OK) throw std::runtime_error("sqlite3_open");
  }
  Intruder(const Intruder&) = delete;
  Intruder& operator=(const Intruder&) = delete;
  ~Intruder() { sqlite3_close(database_); }

  void execute(const std::string& sql) {
    if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sqlite3_errmsg(database_));
    }
  }
  std::int64_t number(const std::string& sql) {
    std::int64_t value = -1;
    const auto take = [](void* out, int, char** texts, char**) {
      *static_cast<std::int64_t*>(out) = std::stoll(texts[0]);
      return 0;
    };
    if (sqlite3_exec(database_, sql.c_str(), take, &value, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sqlite3_errmsg(database_));
    }
    return value;
  }

 private:
  sqlite3* database_ = nullptr;
};

}  // namespace postern::store
