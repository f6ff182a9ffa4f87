#include "bus/operator_home.h"

#include <algorithm>
#include <filesystem>

#include "bus/durable_file.h"
#include "config/yaml.h"

namespace riftbus::bus {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kClusterFileBytesMax = 1024 * 1024;
constexpr std::size_t kHomesMax = 256;
constexpr std::uint16_t kNoSuchFile = 1111;
constexpr const char* kSystemClusterFile = "/etc/riftbus/cluster.yaml";

std::string lookup(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The clusters that have a directory under `base`, sorted.
std::vector<std::string> list_homes(const std::string& base) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (fs::directory_iterator it(base, ignored), end; !ignored && it != end;
       it.increment(ignored)) {
    if (names.size() == kHomesMax) break;
    if (it->is_directory(ignored)) names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string list_text(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : " ") + name;
  return out;
}

Result<std::optional<ClusterConfig>> read_cluster(const std::string& path) {
  auto text = read_small_file(path, kClusterFileBytesMax, FilePrivacy::shared);
  if (!text.ok()) return text.error();
  Diagnostics diagnostics;
  ClusterConfig cluster = parse_cluster_file(*text, path, diagnostics);
  if (diagnostics.has_errors()) return diagnostics.to_error();
  return std::optional<ClusterConfig>(std::move(cluster));
}

Result<std::optional<ClusterConfig>> load_addresses(const std::string& given,
                                                    const std::string& directory) {
  if (!given.empty()) return read_cluster(given);
  const std::string own = directory + "/cluster.yaml";
  if (!directory.empty() && exists(own)) return read_cluster(own);
  if (exists(kSystemClusterFile)) return read_cluster(kSystemClusterFile);
  return std::optional<ClusterConfig>();
}

Status load_authority_into(OperatorHome& home) {
  const std::string path = home.directory + "/" + kAuthorityPublicFile;
  if (exists(path)) {
    auto authority = load_public_authority(path);
    if (!authority.ok()) return authority.error();
    home.authority = *authority;
  } else if (home.cluster && home.cluster->authority) {
    home.authority = PublicAuthority{home.cluster->cluster, *home.cluster->authority};
  }
  return Ok{};
}

Status load_roster_into(OperatorHome& home) {
  if (!home.authority || !exists(home.roster_path())) return Ok{};
  auto roster = load_roster_file(home.roster_path(), home.authority->key, home.authority->cluster);
  if (!roster.ok()) return roster.error();
  home.roster = std::move(roster->roster);
  return Ok{};
}

Status load_identity_into(OperatorHome& home) {
  auto identity = load_node_key(home.directory);
  if (!identity.ok()) {
    if (identity.error().code != kNoSuchFile) return identity.error();
    return Error{1508, "there is no key of yours for this cluster", home.directory,
                 "make one with riftbus key new NAME, and let an admin approve it; or name its "
                 "directory with --key"};
  }
  home.identity = std::move(*identity);
  return Ok{};
}

}  // namespace

std::string OperatorHome::roster_path() const { return directory + "/" + kRosterFile; }

std::string home_base(const Environment& environment) {
  const std::string config = lookup(environment, "XDG_CONFIG_HOME");
  if (!config.empty()) return config + "/riftbus";
  const std::string home = lookup(environment, "HOME");
  return home.empty() ? "" : home + "/.config/riftbus";
}

Result<std::string> find_home(const HomeOptions& options, const Environment& environment) {
  if (!options.key.empty() && !options.cluster.empty()) {
    return Error{1508, "--key and --cluster both name a directory", options.key,
                 "give one of them"};
  }
  // A flag comes before the environment, whichever of the two names it is.
  std::string given = options.key.empty() && options.cluster.empty()
                          ? lookup(environment, "RIFTBUS_KEY")
                          : options.key;
  if (!given.empty()) {
    std::error_code ignored;
    if (fs::is_regular_file(given, ignored)) given = fs::path(given).parent_path().string();
    return given.empty() ? "." : given;
  }
  const std::string base = home_base(environment);
  const std::string cluster =
      options.cluster.empty() ? lookup(environment, "RIFTBUS_CLUSTER") : options.cluster;
  if (!cluster.empty()) {
    if (NodeId::is_valid(cluster) && !base.empty()) return base + "/" + cluster;
    return Error{1508, "not a cluster's name: \"" + cluster.substr(0, 64) + "\"", "--cluster", ""};
  }
  const auto names = list_homes(base);
  if (names.size() == 1) return base + "/" + names.front();
  if (names.empty()) {
    return Error{1508, "there is no directory with your key", base,
                 "name one with --key DIR, or make a cluster with riftbus init NAME"};
  }
  return Error{1508, "you have keys of several clusters: " + list_text(names), base,
               "choose one with --cluster NAME or RIFTBUS_CLUSTER"};
}

Result<OperatorHome> load_home(const HomeOptions& options, const Environment& environment,
                               bool with_identity) {
  auto directory = find_home(options, environment);
  if (!directory.ok() && !options.insecure) return directory.error();
  OperatorHome home;
  if (directory.ok()) home.directory = std::move(*directory);
  auto cluster = load_addresses(options.config, home.directory);
  if (!cluster.ok()) return cluster.error();
  home.cluster = std::move(*cluster);
  if (options.insecure) return home;
  if (auto status = load_authority_into(home); !status.ok()) return status.error();
  if (auto status = load_roster_into(home); !status.ok()) return status.error();
  if (with_identity) {
    if (auto status = load_identity_into(home); !status.ok()) return status.error();
  }
  return home;
}

Result<OperatorHome> load_caller_home(const HomeOptions& options, const Environment& environment) {
  auto home = load_home(options, environment, true);
  if (!home.ok() || options.insecure || home->roster) return home;
  return Error{1517, "there is no roster, so no node's key is known", home->directory,
               "copy the cluster's `roster` and authority.pub there"};
}

}  // namespace riftbus::bus
