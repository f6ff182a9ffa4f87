#include <algorithm>
#include <string>

#include "config/legacy.h"
#include "config/yaml.h"

namespace riftbus {

namespace {

// The first line that says anything is NAME=VALUE, which no YAML mapping begins with.
bool looks_like_node_conf(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#' || line[first] == ';') continue;
    line.remove_prefix(first);
    if (line.starts_with("export ")) line.remove_prefix(7);
    const auto mark = line.find('=');
    return mark != std::string_view::npos && mark > 0 &&
           line.substr(0, mark).find_first_of(" :{[\"'") == std::string_view::npos;
  }
  return false;
}

}  // namespace

std::string_view to_string(FileKind kind) {
  switch (kind) {
    case FileKind::cluster_yaml:
      return "cluster.yaml";
    case FileKind::distributed_hosts:
      return "distributed_hosts.yaml";
    case FileKind::node_conf:
      return "node.conf";
  }
  return "?";
}

std::optional<FileKind> parse_file_kind(std::string_view text) {
  for (const auto kind :
       {FileKind::cluster_yaml, FileKind::distributed_hosts, FileKind::node_conf}) {
    const auto name = to_string(kind);
    if (text == name || text == name.substr(0, name.find('.'))) return kind;
  }
  return std::nullopt;
}

std::optional<FileKind> detect_file_kind(std::string_view text) {
  if (looks_like_node_conf(text)) return FileKind::node_conf;
  Diagnostics ignored;
  const auto root = parse_document(text, "", ignored);
  if (!root || !root->is_map()) return std::nullopt;
  return is_distributed_hosts(*root) ? FileKind::distributed_hosts : FileKind::cluster_yaml;
}

}  // namespace riftbus
