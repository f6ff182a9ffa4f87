#include "bus/tap/targets.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "bus/durable_file.h"
#include "bus/roster_file.h"
#include "config/yaml.h"

namespace riftbus::tap {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kClusterFileBytesMax = 1024 * 1024;
constexpr std::size_t kHomesMax = 256;
constexpr std::size_t kAddressesTriedMax = 16;
constexpr const char* kSystemClusterFile = "/etc/riftbus/cluster.yaml";

std::string lookup(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Error naming_error(const std::string& what, const std::string& next) {
  return {1558, what, "", next};
}

Result<std::string> find_directory(const HomeOptions& options, const Environment& environment) {
  std::string given =
      options.key_directory.empty() ? lookup(environment, "RIFTBUS_KEY") : options.key_directory;
  std::error_code ignored;
  if (fs::is_regular_file(given, ignored)) given = fs::path(given).parent_path().string();
  if (!given.empty()) return given;
  std::string base = lookup(environment, "XDG_CONFIG_HOME");
  if (base.empty()) base = lookup(environment, "HOME") + "/.config";
  base += "/riftbus";
  const std::string cluster =
      options.cluster_name.empty() ? lookup(environment, "RIFTBUS_CLUSTER") : options.cluster_name;
  if (NodeId::is_valid(cluster)) return base + "/" + cluster;
  std::vector<std::string> found;
  for (fs::directory_iterator it(base, ignored), end;
       !ignored && it != end && found.size() < kHomesMax; it.increment(ignored)) {
    if (it->is_directory(ignored)) found.push_back(it->path().string());
  }
  if (found.size() == 1) return found.front();
  return naming_error(
      found.empty() ? "there is no directory with your key" : "you have keys of several clusters",
      "name the directory with --key DIR, or one of the clusters with --cluster");
}

Status load_cluster(const std::string& path, Home& home) {
  auto text = read_small_file(path, kClusterFileBytesMax, FilePrivacy::shared);
  if (!text.ok()) return text.error();
  Diagnostics diagnostics;
  home.cluster = parse_cluster_file(*text, path, diagnostics);
  if (diagnostics.has_errors()) return diagnostics.to_error();
  return Ok{};
}

Status load_keys(const std::string& directory, Home& home) {
  auto identity = load_node_key(directory);
  if (!identity.ok()) return identity.error();
  home.identity = std::move(*identity);
  auto authority = load_public_authority(directory + "/" + kAuthorityPublicFile);
  if (!authority.ok()) return authority.error();
  home.authority = std::move(*authority);
  auto roster =
      load_roster_file(directory + "/" + kRosterFile, home.authority->key, home.authority->cluster);
  if (!roster.ok()) return roster.error();
  home.roster = std::move(roster->roster.roster);
  return Ok{};
}

bool is_listed(const NodeId& id, const Home& home) {
  return !home.roster || home.roster->find(id) != nullptr;
}

CurveKey key_of(const NodeId& id, const Home& home) {
  const RosterEntry* entry = home.roster ? home.roster->find(id) : nullptr;
  return entry == nullptr ? CurveKey{} : entry->key;
}

std::vector<Target> configured_addresses(const NodeConfig& node, const Home& home) {
  std::vector<Target> out;
  for (const auto& address : node.addresses) {
    if (out.size() == kAddressesTriedMax) break;
    out.push_back({node.id, key_of(node.id, home), address.host, address.router_port});
  }
  return out;
}

Result<std::vector<Target>> by_address(const Endpoint& endpoint, const Home& home) {
  const std::uint16_t port = endpoint.port.value_or(kRouterPort);
  std::vector<Target> out;
  if (home.cluster) {
    for (const auto& [id, node] : home.cluster->nodes) {
      const bool there =
          std::any_of(node.addresses.begin(), node.addresses.end(), [&](const auto& address) {
            return address.host == endpoint.host && address.router_port == port;
          });
      if (there && is_listed(id, home)) out.push_back({id, key_of(id, home), endpoint.host, port});
    }
  }
  if (!out.empty()) return out;
  if (!home.roster) {
    return naming_error("which node is at " + endpoint.host + "?", "write --node ID@HOST:PORT");
  }
  for (const auto& [id, entry] : home.roster->entries) {
    if (entry.has(Role::node)) out.push_back({id, entry.key, endpoint.host, port});
  }
  if (out.size() <= kKeysTriedMax && !out.empty()) return out;
  return naming_error("which node is at " + endpoint.host + "?",
                      "write --node ID@HOST:PORT: the node's key is looked up by its id");
}

}  // namespace

Result<Home> load_home(const HomeOptions& options, const Environment& environment) {
  Home home;
  std::string directory;
  if (!options.insecure) {
    auto found = find_directory(options, environment);
    if (!found.ok()) return found.error();
    directory = *found;
    if (auto loaded = load_keys(directory, home); !loaded.ok()) return loaded.error();
  }
  std::string file = options.cluster_file;
  if (file.empty() && exists(directory + "/cluster.yaml")) file = directory + "/cluster.yaml";
  if (file.empty() && exists(kSystemClusterFile)) file = kSystemClusterFile;
  if (!file.empty()) {
    if (auto loaded = load_cluster(file, home); !loaded.ok()) return loaded.error();
  }
  return home;
}

Result<std::vector<Target>> find_targets(std::string_view text, const Home& home) {
  const auto at = text.find('@');
  if (at == std::string_view::npos) {
    auto id = NodeId::parse(text);
    const NodeConfig* node = id.ok() && home.cluster ? home.cluster->find(*id) : nullptr;
    if (node != nullptr && is_listed(*id, home)) return configured_addresses(*node, home);
    if (id.ok() && home.roster && home.roster->find(*id) != nullptr) {
      return std::vector<Target>{{*id, key_of(*id, home), id->value(), kRouterPort}};
    }
    auto endpoint = parse_endpoint(text);
    if (!endpoint.ok()) return endpoint.error();
    return by_address(*endpoint, home);
  }
  auto id = NodeId::parse(text.substr(0, at));
  if (!id.ok()) return id.error();
  auto endpoint = parse_endpoint(text.substr(at + 1));
  if (!endpoint.ok()) return endpoint.error();
  if (!is_listed(*id, home)) {
    return naming_error("your roster does not name \"" + id->value() + "\"",
                        "see riftbus key list; any node knows the newest roster");
  }
  return std::vector<Target>{
      {*id, key_of(*id, home), endpoint->host, endpoint->port.value_or(kRouterPort)}};
}

Result<std::vector<Target>> find_local_targets(const Home& home) {
  std::vector<Target> out;
  if (home.cluster) {
    for (const auto& [id, node] : home.cluster->nodes) {
      for (const auto& address : node.addresses) {
        if (address.kind != AddressKind::loopback || !is_listed(id, home)) continue;
        out.push_back({id, key_of(id, home), address.host, address.router_port});
      }
    }
  }
  if (!out.empty()) return out;
  return by_address({"127.0.0.1", kRouterPort, false}, home);
}

std::optional<NodePage> read_node_page(std::string_view json, const Home& home) {
  using Json = nlohmann::json;
  const Json document = Json::parse(json, nullptr, false);
  if (!document.is_object() || document.value("schema", Json()) != 1) return std::nullopt;
  const auto nodes = document.find("nodes");
  if (nodes == document.end() || !nodes->is_array()) return std::nullopt;
  NodePage page;
  const auto after = document.find("after");
  if (after != document.end() && after->is_string()) page.after = after->get<std::string>();
  for (const Json& node : *nodes) {
    const auto text = [&](const Json& object, const char* key) {
      const auto found = object.find(key);
      return found != object.end() && found->is_string() ? found->get<std::string>() : "";
    };
    if (!node.is_object()) return std::nullopt;
    auto id = NodeId::parse(text(node, "id"));
    const std::string standing = text(node, "standing");
    if (!id.ok() || standing == "dead" || standing == "left" || !is_listed(*id, home)) continue;
    Listed listed{*id, {}};
    const auto addresses = node.find("addresses");
    if (addresses == node.end() || !addresses->is_array()) continue;
    for (const Json& address : *addresses) {
      if (!address.is_object() || listed.targets.size() == kAddressesTriedMax) continue;
      const auto port = address.find("call_port");
      const std::string host = text(address, "host");
      if (host.empty() || port == address.end() || !port->is_number_unsigned()) continue;
      const auto number = port->get<std::uint64_t>();
      if (number == 0 || number > 65535) continue;
      listed.targets.push_back({*id, key_of(*id, home), host, static_cast<std::uint16_t>(number)});
    }
    page.nodes.push_back(std::move(listed));
  }
  return page;
}

}  // namespace riftbus::tap
