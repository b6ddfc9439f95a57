#include "config/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <map>
#include <streambuf>
#include <utility>

#include "config/octets.hpp"

namespace postern::config {
namespace {

// The settings need 8 levels. yaml-cpp itself would go down to 500.
constexpr std::size_t kDeepest = 32;
// A route for each of 100,000 users needs 700,000. The limit keeps aliases of aliases ("billion laughs") in
// bounds.
constexpr std::size_t kMostNodes = 1'000'000;

Position position_of(const YAML::Mark& mark) {
  return {static_cast<unsigned>(mark.line + 1), static_cast<unsigned>(mark.column + 1)};
}

std::size_t count_nodes(const Node& node) {
  std::size_t count = 1;
  for (const Node& item : node.items) count += count_nodes(item);
  for (const Entry& entry : node.entries) count += count_nodes(entry.value);
  return count;
}

/// Thrown through yaml-cpp when reading on makes no sense; the reason has been reported.
struct Stop {};

/// Builds the tree from yaml-cpp's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Report& report) : report_(report) {}

  Node take_root() { return std::move(root_); }
  Position last() const noexcept { return last_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    last_ = position_of(mark);
    if (documents_++ > 0) stop("a second document begins here, expected one document in the file");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node = make(Node::Kind::nothing, mark);
    // yaml-cpp says where the next token stands, perhaps some lines below; the key is what the reader has to
    // look at.
    if (awaits_value()) node.position = stack_.back().key.position;
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    last_ = position_of(mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) stop("this alias stands inside of what it refers to");
    nodes_ += count_nodes(found->second);
    check_size();
    Node copy = found->second;
    copy.position = last_;
    add(std::move(copy), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = make(Node::Kind::scalar, mark);
    node.quoted = tag == "!";
    node.text = value;
    check_tag(tag);
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    bool drops_value = false;  ///< the key was none; it has been reported
    Entry key;
  };

  [[noreturn]] void stop(std::string message) {
    report_.add(last_, std::move(message));
    throw Stop{};
  }

  void check_size() {
    if (nodes_ > kMostNodes) stop("too many values, at most 1000000 (aliases count as what they stand for)");
  }

  void check_tag(const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      report_.add(last_, "found the tag " + in_quotes(tag) + ", expected a value without a tag");
  }

  Node make(Node::Kind kind, const YAML::Mark& mark) {
    last_ = position_of(mark);
    ++nodes_;
    check_size();
    Node node;
    node.kind = kind;
    node.position = last_;
    return node;
  }

  bool awaits_value() const {
    return !stack_.empty() && stack_.back().node.kind == Node::Kind::mapping && stack_.back().has_key;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    Open opened;
    opened.node = make(kind, mark);
    opened.anchor = anchor;
    check_tag(tag);
    if (stack_.size() >= kDeepest) stop("nested too deeply, at most 32 levels");
    stack_.push_back(std::move(opened));
  }

  void close() {
    Open closed = std::move(stack_.back());
    stack_.pop_back();
    add(std::move(closed.node), closed.anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      nodes_ += count_nodes(node);
      check_size();
      anchors_[anchor] = node;
    }
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& top = stack_.back();
    if (top.node.kind == Node::Kind::list) {
      top.node.items.push_back(std::move(node));
    } else if (!top.has_key) {
      add_key(top, node);
    } else {
      top.has_key = false;
      if (top.drops_value) return;
      top.key.value = std::move(node);
      top.node.entries.push_back(std::move(top.key));
    }
  }

  void add_key(Open& mapping, Node& node) {
    mapping.has_key = true;
    mapping.drops_value = node.kind != Node::Kind::scalar;
    if (mapping.drops_value)
      report_.add(node.position, "found a key that is no word, expected the name of a setting");
    mapping.key = Entry{std::move(node.text), node.position, {}};
  }

  Report& report_;
  Node root_;
  Position last_{1, 1};
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t nodes_ = 0;
  unsigned documents_ = 0;
};

/// Lets yaml-cpp read the text without a copy of it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    // A get area is never written to.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): streambuf has no other way to be given one
    char* begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

std::string_view line_of(std::string_view text, unsigned line) {
  for (unsigned i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

void report_syntax(const YAML::Exception& error, std::string_view text, Position last, Report& report) {
  const Position position = error.mark.is_null() ? last : position_of(error.mark);
  const std::string_view line = line_of(text, position.line);
  const std::string_view indent = line.substr(0, line.find_first_not_of(" \t"));
  const bool has_tab = indent.find('\t') != std::string_view::npos;
  report.add(position, "YAML syntax: " + error.msg +
                           (has_tab ? "; the line is indented with a tab, expected spaces" : ""));
}

}  // namespace

std::optional<Node> parse_document(std::string_view text, Report& report) {
  if (!check_octets(text, report)) return std::nullopt;
  TreeBuilder builder(report);
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      report.add({1, 1}, "found an empty file, expected settings");
      return std::nullopt;
    }
    parser.HandleNextDocument(builder);  // reports what comes behind the first
  } catch (const Stop&) {
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    report_syntax(error, text, builder.last(), report);
    return std::nullopt;
  }
  return builder.take_root();
}

}  // namespace postern::config
