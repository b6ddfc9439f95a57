#include <algorithm>
#include <string>
#include <utility>

#include "config/sections.hpp"

namespace postern::config {
namespace {

/// Whether the setting is there and could not be read: what follows from it is not told then.
bool is_wrong(const MappingReader& reader, std::string_view key, const Node* read) {
  return read == nullptr && reader.find(key) != nullptr;
}

void refuse(const MappingReader& reader, std::string_view key, const std::string& text) {
  const Node* node = reader.find(key);
  if (node != nullptr)
    reader.problem(node->position, reader.path() + "." + std::string(key) + ": found " + text);
}

std::string word(const MappingReader& reader, DeletePolicy policy) {
  return std::string(choices_of(reader.setting("delete"))[static_cast<std::size_t>(policy)]);
}

/// Settings of a deletion that the chosen one does not do.
void check_deletion(const MappingReader& reader, const View& view) {
  const DeletePolicy policy = view.remove.value_or(DeletePolicy::expunge);
  const bool hides = policy == DeletePolicy::flag || policy == DeletePolicy::keep;
  if (policy != DeletePolicy::keep)
    refuse(reader, "keep_days", "a number of days without 'delete: keep', expected none");
  if (hides)
    refuse(reader, "without_uidplus",
           "a setting of removal with 'delete: " + word(reader, policy) + "', expected none");
  if (policy == DeletePolicy::move && view.without_uidplus == WithoutUidplus::move)
    refuse(reader, "without_uidplus", "'move' with 'delete: move', expected protect, flag_only or refuse");
  const bool moves = policy == DeletePolicy::move || (!hides && view.without_uidplus == WithoutUidplus::move);
  if (!moves)
    refuse(reader, "move_to",
           "a folder that nothing is moved to, expected 'delete: move' or 'without_uidplus: move' with it");
}

View read_view(const MappingReader& reader, Context& context) {
  View view;
  view.mark = reader.mark();
  read_unique_name(reader, context.views, view.name);
  const Node* folders = reader.texts("folders", view.folders);
  reader.count("newest", view.newest);
  reader.count("days", view.days);
  DeletePolicy policy = DeletePolicy::expunge;
  const Node* remove = reader.choice("delete", policy);
  if (remove != nullptr) view.remove = policy;
  const Node* target = reader.text("move_to", view.move_to);
  const Node* without = reader.choice("without_uidplus", view.without_uidplus);
  reader.count("keep_days", view.keep_days);
  if (!is_wrong(reader, "delete", remove) && !is_wrong(reader, "without_uidplus", without))
    check_deletion(reader, view);
  const auto& all = view.folders;
  if (target != nullptr && !is_wrong(reader, "folders", folders) &&
      std::find(all.begin(), all.end(), view.move_to) != all.end())
    refuse(reader, "move_to",
           in_quotes(view.move_to) + ", which is one of the folders of the view, expected another one");
  return view;
}

}  // namespace

void read_views(const MappingReader& file, Config& config) {
  Context& context = file.context();
  config.views.clear();
  for (const MappingReader& item : file.sections("views")) config.views.push_back(read_view(item, context));
  for (const View& view : config.views)
    context.has_other_folders = context.has_other_folders || view.folders != View().folders;
  if (context.views.emplace(kDefaultView, file.position()).second)
    config.views.insert(config.views.begin(), View());
}

void read_view_name(const MappingReader& reader, std::string& out) {
  const Node* node = reader.text("view", out);
  if (node != nullptr && !reader.context().views.contains(out))
    reader.unknown_word(*node, reader.setting("view"), names_of(reader.context().views));
}

}  // namespace postern::config
