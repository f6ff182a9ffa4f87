// The native cluster file.
//
// Strict: an unknown key is an error with the nearest known one as a hint, because a misspelt
// limit that silently keeps its default is found out in the worst night. Every mistake is
// reported in one go, with file, line and column; what was readable is returned beside them, so
// that later checks can go on.
//
// Grammar, by example: config/examples/full.yaml. Sections of settings (`listen`, `timing`,
// `limits`, ...) are rows of the settings table; under one node they hold for it alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/cluster.h"
#include "config/diagnostic.h"
#include "config/document.h"

namespace riftbus {

enum class FileKind : std::uint8_t { cluster_yaml, distributed_hosts, node_conf };
// "cluster.yaml", "distributed_hosts.yaml", "node.conf"
[[nodiscard]] std::string_view to_string(FileKind kind);
[[nodiscard]] std::optional<FileKind> parse_file_kind(std::string_view text);

// By content, never by name. Empty: it looks like none of them.
[[nodiscard]] std::optional<FileKind> detect_file_kind(std::string_view text);

// Total: problems are in `diagnostics`; references between nodes are not checked here
// (config/validate.h).
[[nodiscard]] ClusterConfig read_cluster_yaml(const DocumentNode& root, const std::string& file,
                                              Diagnostics& diagnostics);

// Either kind of cluster file, told apart by content.
[[nodiscard]] ClusterConfig parse_cluster_file(std::string_view text, const std::string& file,
                                               Diagnostics& diagnostics);

}  // namespace riftbus
