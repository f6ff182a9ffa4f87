// Reading a Document: the small questions that every section asks of the tree.
//
// Each asks for one thing, and on a wrong answer adds a diagnostic with the place and returns
// nothing; the caller goes on with the next key. Pure.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/document.h"
#include "config/settings.h"
#include "config/types.h"

namespace riftbus {

class DocumentReader {
 public:
  // In a lenient file a wrong value is a warning (1022) and the key is skipped.
  DocumentReader(const std::string& file, Diagnostics& diagnostics, bool is_lenient)
      : file_(file), diagnostics_(diagnostics), is_lenient_(is_lenient) {}

  [[nodiscard]] SourcePlace place(const DocumentNode& node) const {
    return {file_, node.line, node.column};
  }
  [[nodiscard]] SourcePlace place(const DocumentNode::Entry& entry) const {
    return {file_, entry.line, entry.column};
  }
  [[nodiscard]] Diagnostics& diagnostics() { return diagnostics_; }

  // An error, or in a lenient file a warning.
  void problem(std::uint16_t code, const SourcePlace& where, std::string what, std::string hint);
  void unknown_key(const DocumentNode::Entry& entry, std::string_view section,
                   std::span<const std::string_view> known);

  // `name` says whose value it is, for the message.
  [[nodiscard]] std::optional<std::string> word(const DocumentNode& node, std::string_view name);
  [[nodiscard]] std::optional<bool> boolean(const DocumentNode& node, std::string_view name);
  [[nodiscard]] std::optional<std::int64_t> integer(const DocumentNode& node, std::string_view name,
                                                    std::int64_t low, std::int64_t high);
  [[nodiscard]] std::optional<NodeId> node_id(const DocumentNode& node, std::string_view name);
  // A list of words, or one word of comma-separated parts. Nothing: empty.
  [[nodiscard]] std::vector<const DocumentNode*> list(const DocumentNode& node,
                                                      std::string_view name);
  // `places`, if given, learns where each id stands (its last place if it is repeated).
  [[nodiscard]] std::vector<NodeId> node_ids(const DocumentNode& node, std::string_view name,
                                             std::map<NodeId, SourcePlace>* places = nullptr);
  // False, with a diagnostic, unless it is a mapping or nothing.
  [[nodiscard]] bool is_map_or_null(const DocumentNode& node, std::string_view name);
  // The texts of a setting; empty: a problem was reported, or nothing is given.
  [[nodiscard]] std::vector<std::string> setting_texts(const SettingSpec& spec,
                                                       const DocumentNode& node);

 private:
  void wrong_type(const DocumentNode& node, std::string_view name, std::string_view wanted);

  const std::string& file_;
  Diagnostics& diagnostics_;
  bool is_lenient_;
};

}  // namespace riftbus
