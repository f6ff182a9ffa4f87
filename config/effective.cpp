#include "config/effective.h"

#include <algorithm>
#include <utility>

#include "config/printable.h"
#include "config/seeds.h"
#include "config/settings.h"
#include "config/validate.h"

namespace riftbus {

namespace {

const SettingInput* find_input(const std::vector<SettingInput>& inputs, std::string_view key) {
  for (const auto& input : inputs) {
    if (input.key == key) return &input;
  }
  return nullptr;
}

class Resolver {
 public:
  Resolver(const ConfigLayers& layers, Diagnostics& diagnostics)
      : layers_(layers), diagnostics_(diagnostics) {
    if (layers.cluster != nullptr) result_.cluster = *layers.cluster;
  }

  EffectiveConfig run() {
    validate_cluster(result_.cluster, diagnostics_);
    resolve_id();
    for (const auto& spec : setting_specs()) {
      if (spec.key != "node.id") resolve_setting(spec);
    }
    const bool explicit_seeds = sources_.at("seeds").file != "default";
    derive(explicit_seeds);
    collect_values();
    check_voters();
    validate_node(result_, explicit_seeds, diagnostics_);
    return std::move(result_);
  }

 private:
  [[nodiscard]] NodeSettings& node() { return result_.node; }
  [[nodiscard]] const NodeConfig* self() const {
    return result_.cluster.find(result_.node.node_id);
  }

  // First of all: which node this is decides which section of the cluster file counts.
  void resolve_id() {
    const auto* spec = find_setting("node.id");
    sources_["node.id"] = {"default", 0, 0};
    if (apply_local(*spec)) return;
    if (NodeId::is_valid(layers_.hostname)) {
      node().node_id = *NodeId::parse(layers_.hostname);
      sources_["node.id"] = {"default (host name)", 0, 0};
    }
  }

  void resolve_setting(const SettingSpec& spec) {
    sources_[spec.key] = {"default", 0, 0};
    if (apply_local(spec) || apply_own_address(spec)) return;
    apply(spec, find_input(result_.cluster.settings, spec.key), false);
  }

  bool apply_local(const SettingSpec& spec) {
    if (apply(spec, find_input(layers_.flags, spec.key), true)) return true;
    if (apply(spec, find_input(layers_.environment, spec.key), true)) return true;
    if (apply(spec, find_input(layers_.node_file, spec.key), true)) return true;
    const auto* own = self();
    return own != nullptr && apply(spec, find_input(own->settings, spec.key), false);
  }

  // True: this layer decides, even if its value is wrong; falling through to a weaker layer would
  // hide the mistake. The cluster file's own mistakes are reported by validate_cluster.
  bool apply(const SettingSpec& spec, const SettingInput* input, bool reports) {
    if (input == nullptr) return false;
    const auto status = spec.assign(node(), input->texts);
    if (!status && reports) {
      diagnostics_.error(status.error().code, input->where,
                         std::string(spec.key) + ": " + status.error().what, status.error().next);
    }
    sources_[spec.key] = input->where;
    return true;
  }

  // A node whose addresses all say 7780 listens there: nobody should have to write it twice.
  bool apply_own_address(const SettingSpec& spec) {
    const auto* own = self();
    if (own == nullptr || own->addresses.empty()) return false;
    const auto& address = own->addresses.front();
    const bool is_local = std::all_of(own->addresses.begin(), own->addresses.end(),
                                      [](const auto& each) { return is_loopback_host(each.host); });
    if (spec.key == "listen.router_port" && address.router_port != kRouterPort) {
      node().listen.router_port = address.router_port;
    } else if (spec.key == "listen.pub_port" && address.pub_port != kPubPort) {
      node().listen.pub_port = address.pub_port;
    } else if (spec.key == "listen.host" && is_local &&
               find_input(result_.cluster.settings, spec.key) == nullptr) {
      node().listen.host = "127.0.0.1";
    } else {
      return false;
    }
    sources_[spec.key] = {own->where.to_string() + " (addresses)", 0, 0};
    return true;
  }

  void derive_ssh_files() {
    const auto derive_file = [&](std::string& file, const std::string& path, const char* key,
                                 const char* from) {
      if (!file.empty()) return;
      file = path;
      sources_[key] = {from, 0, 0};
    };
    auto& tunnel = node().tunnel;
    derive_file(tunnel.key_file, node().paths.keys_dir + "/tunnel_ed25519", "tunnel.key_file",
                "default (paths.keys_dir)");
    derive_file(tunnel.status_file, node().paths.data_dir + "/tunnel.json", "tunnel.status_file",
                "default (paths.data_dir)");
    auto& relay = node().relay;
    derive_file(relay.host_key_file, node().paths.keys_dir + "/relay_ed25519",
                "relay.host_key_file", "default (paths.keys_dir)");
    const auto derive_data = [&](std::string& file, const char* name, const char* key) {
      derive_file(file, node().paths.data_dir + name, key, "default (paths.data_dir)");
    };
    derive_data(relay.allow_file, "/relay_keys", "relay.allow_file");
    derive_data(relay.socket_dir, "/relay", "relay.socket_dir");
    derive_file(relay.status_file, relay.socket_dir + "/relay.json", "relay.status_file",
                "default (relay.socket_dir)");
  }

  void derive(bool explicit_seeds) {
    // Without encryption nothing but loopback is allowed, so nobody should have to say so.
    if (node().insecure && sources_["listen.host"].file == "default") {
      node().listen.host = "127.0.0.1";
      sources_["listen.host"] = {"default (insecure)", 0, 0};
    }
    derive_addresses();
    if (node().paths.keys_dir.empty()) {
      node().paths.keys_dir = node().paths.data_dir + "/keys";
      sources_["paths.keys_dir"] = {"default (paths.data_dir)", 0, 0};
    }
    derive_ssh_files();
    const auto* own = self();
    if (own != nullptr) node().resources = own->resources;
    node().jobs = result_.cluster.jobs;
    if (node().failure_domain.empty()) {
      const bool is_provider = own != nullptr && !own->provider.empty();
      node().failure_domain = own != nullptr ? own->domain() : node().node_id.value();
      sources_["node.failure_domain"] =
          is_provider ? SourcePlace{own->where.to_string() + " (provider)", 0, 0}
                      : SourcePlace{"default (node.id)", 0, 0};
    }
    node().prefers_relays = !node().relays.empty();
    if (node().relays.empty() && !result_.cluster.relays.empty()) {
      node().relays = result_.cluster.relays;
      sources_["node.relays"] = {result_.cluster.where.file + " (relays)", 0, 0};
    }
    if (explicit_seeds) {
      node().seeds = match_seeds(node().seeds, result_.cluster, node().node_id);
    } else {
      node().seeds = derive_seeds(result_.cluster, node().node_id);
      if (!node().seeds.empty()) {
        sources_["seeds"] = {result_.cluster.where.file + " (nodes)", 0, 0};
      }
    }
  }

  void derive_addresses() {
    const auto& advertise = node().advertise;
    if (!advertise.host.empty()) {
      const auto& listen = node().listen;
      const auto or_listen = [](std::uint16_t port, std::uint16_t fallback) {
        return port != 0 ? port : fallback;
      };
      node().addresses.push_back({classify_host(advertise.host), advertise.host,
                                  or_listen(advertise.router_port, listen.router_port),
                                  or_listen(advertise.pub_port, listen.pub_port)});
    }
    const auto* own = self();
    if (own == nullptr) return;
    for (const auto& address : own->addresses) {
      const bool is_known =
          std::any_of(node().addresses.begin(), node().addresses.end(),
                      [&](const auto& each) { return each.host == address.host; });
      if (!is_known) node().addresses.push_back(address);
    }
  }

  void collect_values() {
    for (const auto& spec : setting_specs()) {
      EffectiveValue value{std::string(spec.key), "", std::string(spec.unit), sources_[spec.key]};
      for (const auto& text : spec.read(node())) {
        value.text += (value.text.empty() ? "" : ", ") + make_printable(text);
      }
      if (value.text.empty() &&
          (value.key.starts_with("timing.") || value.key.starts_with("leadership."))) {
        value.source.file = "default (timing.profile)";
      }
      value.source.file = make_printable(value.source.file);
      result_.values.push_back(std::move(value));
    }
    EffectiveValue addresses{"addresses", "", "", {"default", 0, 0}};
    for (const auto& address : node().addresses) {
      addresses.text += (addresses.text.empty() ? "" : ", ") + address.to_string();
    }
    const auto* own = self();
    if (own != nullptr && !own->addresses.empty()) addresses.source = own->where;
    if (!node().advertise.host.empty()) addresses.source = sources_["advertise.host"];
    result_.values.push_back(std::move(addresses));
    for (const auto& [name, kind] : node().jobs) {
      for (const auto& [key, text] : describe_job(kind)) {
        result_.values.push_back(
            {"jobs." + name + "." + key, make_printable(text), "", kind.where});
      }
    }
  }

  // A stale local list of voters has split clusters: never take one in silence.
  void check_voters() {
    if (result_.cluster.voters.empty()) return;
    auto ours = node().voters;
    auto theirs = result_.cluster.voters;
    std::sort(ours.begin(), ours.end());
    std::sort(theirs.begin(), theirs.end());
    theirs.erase(std::unique(theirs.begin(), theirs.end()), theirs.end());
    if (ours == theirs) return;
    diagnostics_.warning(1025, sources_["voters"],
                         "voters differ from " + result_.cluster.voters_where.to_string(),
                         "remove the local list; it is used only to bootstrap the log");
  }

  const ConfigLayers& layers_;
  Diagnostics& diagnostics_;
  EffectiveConfig result_;
  std::map<std::string_view, SourcePlace> sources_;
};

}  // namespace

EffectiveConfig resolve(const ConfigLayers& layers, Diagnostics& diagnostics) {
  return Resolver(layers, diagnostics).run();
}

}  // namespace riftbus
