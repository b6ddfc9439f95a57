#include "config/sections.hpp"

namespace postern::config {

void read_store(const MappingReader& file, Config& config) {
  const auto section = file.section("store");
  if (!section) return;
  config.store.mark = section->mark();
  section->size("memory", config.store.memory);
  section->text("file", config.store.file);
}

}  // namespace postern::config
