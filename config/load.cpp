#include "config/load.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "config/document.h"
#include "config/effective.h"
#include "config/env.h"
#include "config/flags.h"
#include "config/yaml.h"

extern char** environ;

namespace riftbus {

namespace {

constexpr const char* kClusterFile = "/etc/riftbus/cluster.yaml";
constexpr const char* kNodeFile = "/etc/riftbus/node.conf";
constexpr const char* kLegacyNodeFile = "/etc/ringrift/node.conf";

std::string find_variable(const Environment& environment, std::string_view name) {
  const auto found = environment.find(std::string(name));
  return found == environment.end() ? "" : found->second;
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? std::string(name) : "";
}

// What the user named, else the first default that exists; "" if there is none.
std::string choose_file(const std::string& flag, const std::string& variable,
                        std::initializer_list<const char*> defaults) {
  if (!flag.empty()) return flag;
  if (!variable.empty()) return variable;
  for (const auto* path : defaults) {
    if (file_exists(path)) return path;
  }
  return "";
}

std::string read_or_report(const std::string& path, Diagnostics& diagnostics) {
  auto text = read_config_file(path);
  if (text) return std::move(text).value();
  const auto& error = text.error();
  diagnostics.error(error.code, {path, 0, 0}, error.what, error.next);
  return "";
}

}  // namespace

bool file_exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0;
}

Result<std::string> read_config_file(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return Error{1002, std::string("cannot read: ") + std::strerror(errno), path,
                 "check the path and its permissions"};
  }
  if (!S_ISREG(status.st_mode)) return Error{1002, "not a regular file", path, "name a file"};
  if (static_cast<std::size_t>(status.st_size) > kConfigBytesMax) {
    return Error{1004, "file has " + std::to_string(status.st_size) + " bytes", path,
                 "at most " + std::to_string(kConfigBytesMax) + " are read"};
  }
  std::ifstream stream(path, std::ios::binary);
  std::string text(kConfigBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || (!stream.is_open())) {
    return Error{1002, "cannot read: permission denied or I/O error", path,
                 "check its permissions"};
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

Environment copy_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    const auto mark = pair.find('=');
    if (mark == std::string_view::npos) continue;
    environment.emplace(pair.substr(0, mark), pair.substr(mark + 1));
  }
  return environment;
}

LoadedConfig load_node_config(const std::vector<std::string>& arguments,
                              const Environment& environment) {
  LoadedConfig loaded;
  auto& diagnostics = loaded.diagnostics;
  auto flags = parse_flags(arguments, diagnostics);
  loaded.wants_help = flags.wants_help;
  loaded.wants_version = flags.wants_version;
  if (flags.wants_help || flags.wants_version) return loaded;

  ConfigLayers layers;
  layers.flags = std::move(flags.settings);
  layers.environment = read_environment(environment, diagnostics);
  layers.hostname = host_name();
  const auto node_file = choose_file(flags.node_conf, find_variable(environment, kNodeConfVariable),
                                     {kNodeFile, kLegacyNodeFile});
  if (!node_file.empty()) {
    layers.node_file =
        read_node_conf(read_or_report(node_file, diagnostics), node_file, diagnostics);
  }
  const auto cluster_file =
      choose_file(flags.config, find_variable(environment, kConfigVariable), {kClusterFile});
  ClusterConfig cluster;
  if (!cluster_file.empty()) {
    auto text = read_config_file(cluster_file);
    if (text) {
      cluster = parse_cluster_file(*text, cluster_file, diagnostics);
      layers.cluster = &cluster;
    } else {
      const auto& error = text.error();
      diagnostics.error(error.code, {cluster_file, 0, 0}, error.what, error.next);
    }
  }
  loaded.effective = resolve(layers, diagnostics);
  return loaded;
}

}  // namespace riftbus
