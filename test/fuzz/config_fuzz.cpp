// Every configuration parser on any bytes: nothing may crash, hang or exhaust memory.
//
// The same bytes go to the native, the legacy and the node-file reader, whatever they look like,
// and then through the whole precedence, so that a hostile file meets every check.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/effective.h"
#include "config/env.h"
#include "config/flags.h"
#include "config/legacy.h"
#include "config/report.h"
#include "config/settings.h"
#include "config/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace riftbus;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Diagnostics diagnostics;
  const std::string file = "fuzz";
  ClusterConfig cluster;
  if (const auto root = parse_document(text, file, diagnostics)) {
    cluster = read_distributed_hosts(*root, file, diagnostics);
    if (!is_distributed_hosts(*root)) cluster = read_cluster_yaml(*root, file, diagnostics);
  }
  ConfigLayers layers;
  layers.node_file = read_node_conf(text, file, diagnostics);
  layers.flags = parse_flags(split_list(text.substr(0, 4096)), diagnostics).settings;
  layers.cluster = &cluster;
  layers.hostname = "fuzz";
  const auto effective = resolve(layers, diagnostics);
  static_cast<void>(show_config(effective, diagnostics).json.dump());
  static_cast<void>(detect_file_kind(text));
  static_cast<void>(parse_endpoint(text));
  return 0;
}
