#include "config/document_reader.h"

#include <charconv>
#include <utility>

#include "config/suggest.h"

namespace riftbus {

void DocumentReader::problem(std::uint16_t code, const SourcePlace& where, std::string what,
                             std::string hint) {
  if (is_lenient_) {
    diagnostics_.warning(1022, where, std::move(what), std::move(hint));
  } else {
    diagnostics_.error(code, where, std::move(what), std::move(hint));
  }
}

void DocumentReader::unknown_key(const DocumentNode::Entry& entry, std::string_view section,
                                 std::span<const std::string_view> known) {
  const std::string where = section.empty() ? "" : " in " + std::string(section);
  diagnostics_.error(1005, place(entry), "unknown key \"" + entry.key.substr(0, 64) + "\"" + where,
                     did_you_mean(entry.key, known, "see config/README.md for every key"));
}

void DocumentReader::wrong_type(const DocumentNode& node, std::string_view name,
                                std::string_view wanted) {
  problem(
      1007, place(node),
      std::string(name) + " is " + std::string(node.kind_text()) + ", not " + std::string(wanted),
      "write " + std::string(wanted));
}

std::optional<std::string> DocumentReader::word(const DocumentNode& node, std::string_view name) {
  if (node.is_null()) return std::nullopt;
  if (node.is_scalar()) return node.text;
  wrong_type(node, name, "one word");
  return std::nullopt;
}

std::optional<bool> DocumentReader::boolean(const DocumentNode& node, std::string_view name) {
  if (node.is_null()) return std::nullopt;
  const auto value = node.is_scalar() ? parse_boolean(node.text) : std::nullopt;
  if (!value) wrong_type(node, name, "true or false");
  return value;
}

std::optional<std::int64_t> DocumentReader::integer(const DocumentNode& node, std::string_view name,
                                                    std::int64_t low, std::int64_t high) {
  if (node.is_null()) return std::nullopt;
  std::int64_t value = 0;
  if (node.is_scalar()) {
    const auto end = node.text.data() + node.text.size();
    const auto [stop, failure] = std::from_chars(node.text.data(), end, value);
    if (failure == std::errc{} && stop == end && value >= low && value <= high) return value;
    problem(1008, place(node),
            std::string(name) + " \"" + node.text.substr(0, 40) + "\" is not a number from " +
                std::to_string(low) + " to " + std::to_string(high),
            "write digits only");
    return std::nullopt;
  }
  wrong_type(node, name, "a number");
  return std::nullopt;
}

std::optional<NodeId> DocumentReader::node_id(const DocumentNode& node, std::string_view name) {
  const auto text = word(node, name);
  if (!text) return std::nullopt;
  auto id = NodeId::parse(*text);
  if (id) return *id;
  problem(1001, place(node), id.error().what + " in " + std::string(name), id.error().next);
  return std::nullopt;
}

std::vector<const DocumentNode*> DocumentReader::list(const DocumentNode& node,
                                                      std::string_view name) {
  std::vector<const DocumentNode*> items;
  if (node.is_list()) {
    for (const auto& item : node.items) items.push_back(&item);
  } else if (node.is_scalar()) {
    items.push_back(&node);
  } else if (!node.is_null()) {
    wrong_type(node, name, "a list");
  }
  return items;
}

std::vector<NodeId> DocumentReader::node_ids(const DocumentNode& node, std::string_view name,
                                             std::map<NodeId, SourcePlace>* places) {
  std::vector<NodeId> ids;
  for (const auto* item : list(node, name)) {
    const auto id = node_id(*item, name);
    if (!id) continue;
    ids.push_back(*id);
    if (places != nullptr) (*places)[*id] = place(*item);
  }
  return ids;
}

bool DocumentReader::is_map_or_null(const DocumentNode& node, std::string_view name) {
  if (node.is_map() || node.is_null()) return true;
  wrong_type(node, name, "a mapping");
  return false;
}

std::vector<std::string> DocumentReader::setting_texts(const SettingSpec& spec,
                                                       const DocumentNode& node) {
  if (node.is_scalar()) return split_setting(spec, node.text);
  std::vector<std::string> texts;
  if (spec.form != SettingForm::list) {
    if (!node.is_null()) wrong_type(node, spec.key, "one word");
    return texts;
  }
  for (const auto& item : node.items) {
    const auto text = word(item, spec.key);
    if (text) texts.push_back(*text);
  }
  // `tags: {gpu: h100}` reads as the list of "gpu=h100".
  for (const auto& entry : node.entries) {
    const auto text = word(entry.value, spec.key);
    texts.push_back(entry.key + "=" + text.value_or(""));
  }
  return texts;
}

}  // namespace riftbus
