// Document: a YAML text as a tree of places and strings, safe for any bytes.
//
// yaml-cpp's own nodes lose duplicate keys, share mutable state through aliases and build
// unbounded trees, so only its event parser is used, and this handler keeps the limits: depth,
// number of values, length of one scalar. An alias is copied, which makes a "billion laughs" file
// hit the value limit instead of memory. The merge key `<<` works as people expect. Text is
// checked before the parser sees it: size, UTF-8, no control characters.
//
// Duplicate keys are kept in the tree and reported once, here, so that no reader can forget to.
// Values are strings; whether `7770` is a number is the reader's business.
//
// Pure: text in, tree out. Throws nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"

namespace riftbus {

inline constexpr std::size_t kConfigBytesMax = 1024 * 1024;
inline constexpr std::size_t kDocumentDepthMax = 32;       // the deepest honest file has 6
inline constexpr std::size_t kDocumentValuesMax = 50'000;  // 1000 nodes of 20 keys each fit twice
inline constexpr std::size_t kScalarBytesMax = 4096;

struct DocumentNode {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  struct Entry;

  Kind kind = Kind::null;
  std::string text;                 // scalar
  bool is_quoted = false;           // scalar: written in quotes, so never a null or a bool
  std::vector<DocumentNode> items;  // list
  std::vector<Entry> entries;       // map, in file order
  int line = 0;
  int column = 0;

  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  // The first entry of that name; nullptr: absent or not a map.
  [[nodiscard]] const DocumentNode* find(std::string_view key) const;
  // "a word", "a list", "a mapping", "nothing"
  [[nodiscard]] std::string_view kind_text() const;
};

struct DocumentNode::Entry {
  std::string key;
  int line = 0;
  int column = 0;
  DocumentNode value;
};

// Empty: an error is in `diagnostics`. An empty file gives a null node.
[[nodiscard]] std::optional<DocumentNode> parse_document(std::string_view text,
                                                         const std::string& file,
                                                         Diagnostics& diagnostics);

// Size, UTF-8 and control characters; false: an error is in `diagnostics`.
[[nodiscard]] bool is_config_text(std::string_view text, const std::string& file,
                                  Diagnostics& diagnostics);

}  // namespace riftbus
