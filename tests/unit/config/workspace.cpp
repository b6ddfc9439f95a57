#include "unit/config/workspace.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "postern/base/assert.hpp"

namespace postern::config {

Workspace::Workspace() : folder_(::testing::TempDir() + "postern-config-XXXXXX") {
  POSTERN_ASSERT(::mkdtemp(folder_.data()) != nullptr);
  for (const std::string_view name : {"cert.pem", "key.pem", "ca.pem"}) write(name, "PEM\n");
}

Workspace::~Workspace() {
  std::filesystem::remove_all(folder_);
}

void Workspace::write(std::string_view name, std::string_view content) const {
  std::ofstream file(path(name), std::ios::binary);
  file << content;
  POSTERN_ASSERT(file.good());
}

std::string Workspace::problems(std::string_view text) const {
  const auto result = load(text);
  std::string out;
  if (result) return out;
  for (const Problem& problem : result.error()) out += problem.to_string() + "\n";
  return out;
}

std::string Workspace::told(std::string_view text) const {
  std::string out = problems(text);
  for (std::size_t at = 0; (at = out.find(folder_, at)) != std::string::npos;)
    out.replace(at, folder_.size(), "FOLDER");
  constexpr std::string_view kFile = "postern.yaml:";
  for (std::size_t at = 0; (at = out.find(kFile, at)) != std::string::npos;) out.erase(at, kFile.size());
  return out;
}

std::string replaced(std::string_view text, std::string_view old_part, std::string_view new_part) {
  std::string out(text);
  const std::size_t at = out.find(old_part);
  POSTERN_ASSERT(at != std::string::npos && out.find(old_part, at + 1) == std::string::npos);
  return out.replace(at, old_part.size(), new_part);
}

std::string read_whole_file(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

}  // namespace postern::config
