#include "config/document.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <exception>
#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace riftbus {

namespace {

// Leaves the parser from inside a callback; caught below, never seen outside this file.
struct LimitReached : std::exception {
  LimitReached(std::string text, YAML::Mark place) : what_text(std::move(text)), mark(place) {}
  [[nodiscard]] const char* what() const noexcept override { return what_text.c_str(); }
  std::string what_text;
  YAML::Mark mark;
};

bool is_null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::size_t count_values(const DocumentNode& node) {
  std::size_t count = 1;
  for (const auto& item : node.items) count += count_values(item);
  for (const auto& entry : node.entries) count += 1 + count_values(entry.value);
  return count;
}

std::size_t measure_depth(const DocumentNode& node) {
  std::size_t deepest = 0;
  for (const auto& item : node.items) deepest = std::max(deepest, measure_depth(item));
  for (const auto& entry : node.entries) deepest = std::max(deepest, measure_depth(entry.value));
  return deepest + 1;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(DocumentNode::Kind::null, mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    // An alias inside its own anchor: the tree would be endless.
    if (found == anchors_.end()) throw LimitReached("alias refers to itself", mark);
    count(count_values(found->second), mark);
    if (open_.size() + measure_depth(found->second) > kDocumentDepthMax) {
      throw LimitReached("nested too deeply", mark);
    }
    add(found->second, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (value.size() > kScalarBytesMax) throw LimitReached("value is too long", mark);
    const bool is_quoted = tag == "!";
    auto node = make(DocumentNode::Kind::scalar, mark);
    if (!is_quoted && is_null_word(value) && !expects_key()) node.kind = DocumentNode::Kind::null;
    node.text = value;
    node.is_quoted = is_quoted;
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(DocumentNode::Kind::list, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    if (expects_key()) throw LimitReached("a key must be a plain word", mark);
    open(DocumentNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

  DocumentNode take_root() { return std::move(root_); }

 private:
  struct Open {
    DocumentNode node;
    YAML::anchor_t anchor = 0;
    std::optional<DocumentNode> key;  // map: read, its value not yet
  };

  [[nodiscard]] bool expects_key() const {
    return !open_.empty() && open_.back().node.is_map() && !open_.back().key;
  }

  void count(std::size_t values, const YAML::Mark& mark) {
    values_ += values;
    if (values_ > kDocumentValuesMax) throw LimitReached("too many values", mark);
  }

  DocumentNode make(DocumentNode::Kind kind, const YAML::Mark& mark) {
    count(1, mark);
    DocumentNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  void open(DocumentNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (expects_key()) throw LimitReached("a key must be a plain word", mark);
    if (open_.size() >= kDocumentDepthMax) throw LimitReached("nested too deeply", mark);
    open_.push_back({make(kind, mark), anchor, std::nullopt});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  void add(DocumentNode node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      // The copy counts too: nested anchors would hold the same values once per level.
      count(count_values(node), YAML::Mark::null_mark());
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.is_list()) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      add_key(parent, std::move(node));
    } else {
      const DocumentNode key = std::move(*parent.key);
      parent.key.reset();
      parent.node.entries.push_back({key.text, key.line, key.column, std::move(node)});
    }
  }

  static void add_key(Open& parent, DocumentNode node) {
    if (!node.is_scalar()) {
      throw LimitReached("a key must be a plain word", YAML::Mark::null_mark());
    }
    parent.key = std::move(node);
  }

  DocumentNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, DocumentNode> anchors_;
  std::size_t values_ = 0;
};

// `<<: *base` (or a list of them): the base's entries that the map does not have itself.
void apply_merge_keys(DocumentNode& node) {
  for (auto& item : node.items) apply_merge_keys(item);
  for (auto& entry : node.entries) apply_merge_keys(entry.value);
  std::vector<DocumentNode::Entry> inherited;
  std::erase_if(node.entries, [&](DocumentNode::Entry& entry) {
    if (entry.key != "<<" || entry.value.is_scalar() || entry.value.is_null()) return false;
    const auto take = [&](DocumentNode& base) {
      for (auto& each : base.entries) inherited.push_back(std::move(each));
    };
    if (entry.value.is_map()) take(entry.value);
    for (auto& base : entry.value.items) take(base);
    return true;
  });
  for (auto& entry : inherited) {
    if (node.find(entry.key) == nullptr) node.entries.push_back(std::move(entry));
  }
}

void report_duplicates(const DocumentNode& node, const std::string& file,
                       Diagnostics& diagnostics) {
  std::map<std::string_view, int> first_lines;
  for (const auto& entry : node.entries) {
    const auto [place, is_new] = first_lines.emplace(entry.key, entry.line);
    if (!is_new) {
      diagnostics.error(1006, {file, entry.line, entry.column},
                        "duplicate key \"" + entry.key.substr(0, 64) + "\"",
                        "it stands already in line " + std::to_string(place->second));
    }
    report_duplicates(entry.value, file, diagnostics);
  }
  for (const auto& item : node.items) report_duplicates(item, file, diagnostics);
}

SourcePlace place_of(const std::string& file, const YAML::Mark& mark) {
  if (mark.is_null()) return {file, 0, 0};
  return {file, mark.line + 1, mark.column + 1};
}

}  // namespace

const DocumentNode* DocumentNode::find(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string_view DocumentNode::kind_text() const {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::scalar:
      return "a word";
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a mapping";
  }
  return "?";
}

std::optional<DocumentNode> parse_document(std::string_view text, const std::string& file,
                                           Diagnostics& diagnostics) {
  if (!is_config_text(text, file, diagnostics)) return std::nullopt;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder;
    if (!parser.HandleNextDocument(builder)) return DocumentNode{};
    DocumentNode root = builder.take_root();
    TreeBuilder second;
    if (parser.HandleNextDocument(second)) {
      diagnostics.warning(1003, {file, 0, 0}, "the file holds more than one document",
                          "only the first one, up to the line \"---\", is read");
    }
    report_duplicates(root, file, diagnostics);
    apply_merge_keys(root);
    return root;
  } catch (const LimitReached& limit) {
    diagnostics.error(1004, place_of(file, limit.mark), limit.what_text,
                      "a configuration needs no more than " + std::to_string(kDocumentDepthMax) +
                          " levels and " + std::to_string(kDocumentValuesMax) + " values");
  } catch (const YAML::DeepRecursion& deep) {
    diagnostics.error(
        1004, place_of(file, deep.mark), "nested too deeply",
        "a configuration needs no more than " + std::to_string(kDocumentDepthMax) + " levels");
  } catch (const YAML::Exception& problem) {
    diagnostics.error(1003, place_of(file, problem.mark), "not valid YAML: " + problem.msg);
  } catch (const std::exception& problem) {
    diagnostics.error(1003, {file, 0, 0}, std::string("not valid YAML: ") + problem.what());
  }
  return std::nullopt;
}

}  // namespace riftbus
