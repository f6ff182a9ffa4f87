#include <array>

#include "config/setting_forms.h"
#include "config/settings_rows.h"

namespace riftbus {

namespace {

using N = NodeSettings;
using Tunnel = TunnelConfig;

constexpr std::size_t kServersMax = 16;
constexpr std::size_t kForwardsMax = 64;

Error too_many(std::size_t most) {
  return Error{1008, "more than " + std::to_string(most) + " of them", "",
               "run a second riftbus-tunnel for the others"};
}

Status assign_servers(N& node, const Texts& texts) {
  if (texts.size() > kServersMax) return too_many(kServersMax);
  std::vector<TunnelServer> servers;
  for (const auto& text : texts) {
    auto server = parse_tunnel_server(text);
    if (!server) return server.error();
    servers.push_back(std::move(*server));
  }
  node.tunnel.servers = std::move(servers);
  return Ok{};
}

template <auto Member, ForwardSide Side>
Status assign_forwards(N& node, const Texts& texts) {
  if (texts.size() > kForwardsMax) return too_many(kForwardsMax);
  std::vector<Forward> forwards;
  for (const auto& text : texts) {
    auto forward = parse_forward(text, Side);
    if (!forward) return forward.error();
    for (const auto& other : forwards) {
      if (other.listen == forward->listen && other.listen != ForwardEnd{"127.0.0.1", 0, ""}) {
        return Error{1010, "two forwards listen on " + forward->listen.to_string(), "",
                     "give each its own port"};
      }
    }
    forwards.push_back(std::move(*forward));
  }
  node.tunnel.*Member = std::move(forwards);
  return Ok{};
}

template <auto Member>
Texts read_all(const N& node) {
  Texts texts;
  for (const auto& each : node.tunnel.*Member) texts.push_back(each.to_string());
  return texts;
}

template <auto Member, std::int64_t Low, std::int64_t High>
constexpr SettingSpec tunnel_number(std::string_view key, std::string_view unit,
                                    std::string_view meaning) {
  return integer<&N::tunnel, Member, Low, High>(key, unit, "", "", meaning);
}

constexpr auto kTunnelSettings = std::to_array<SettingSpec>({
    {"tunnel.attach", SettingForm::boolean, kShared, "", "tunnel-attach", "",
     "a nat_blocked node tunnels to relays by itself", &assign_boolean<&N::tunnel, &Tunnel::attach>,
     &read_boolean<&N::tunnel, &Tunnel::attach>},
    {"tunnel.servers", SettingForm::list, kShared, "", "tunnel-servers", "",
     "where to tunnel to: [USER@]HOST[:PORT]#SHA256:PIN", &assign_servers,
     &read_all<&Tunnel::servers>},
    {"tunnel.reverse", SettingForm::list, kShared, "", "tunnel-reverse", "",
     "listeners at the server that lead here: [HOST:]PORT:HOST:PORT",
     &assign_forwards<&Tunnel::reverse, ForwardSide::reverse>, &read_all<&Tunnel::reverse>},
    {"tunnel.local", SettingForm::list, kShared, "", "tunnel-local", "",
     "listeners here that lead to the server's side: [HOST:]PORT:HOST:PORT",
     &assign_forwards<&Tunnel::local, ForwardSide::local>, &read_all<&Tunnel::local>},
    {"tunnel.user", kScalar, kShared, "", "tunnel-user", "",
     "name at the server; empty: this node's id", &assign_user<&N::tunnel, &Tunnel::user>,
     &read_word<&N::tunnel, &Tunnel::user>},
    {"tunnel.key_file", kScalar, kShared, "", "tunnel-key-file", "",
     "this node's SSH key, made if missing; keys_dir/tunnel_ed25519",
     &assign_path<&N::tunnel, &Tunnel::key_file>, &read_word<&N::tunnel, &Tunnel::key_file>},
    {"tunnel.status_file", kScalar, kShared, "", "tunnel-status-file", "",
     "where the state is written as JSON; data_dir/tunnel.json",
     &assign_path<&N::tunnel, &Tunnel::status_file>, &read_word<&N::tunnel, &Tunnel::status_file>},
    {"tunnel.cipher", kScalar, kShared, "", "tunnel-cipher", "", "auto, chacha20 or aes-gcm",
     &assign_choice<&N::tunnel, &Tunnel::cipher, kCiphers>,
     &read_word<&N::tunnel, &Tunnel::cipher>},
    tunnel_number<&Tunnel::keepalive_ms, 100, 600'000>(
        "tunnel.keepalive_ms", "ms", "silence before a sign of life is asked for"),
    tunnel_number<&Tunnel::keepalive_missed_max, 1, 100>(
        "tunnel.keepalive_missed_max", "", "intervals of silence until the link is dead"),
    tunnel_number<&Tunnel::setup_timeout_ms, 100, 600'000>("tunnel.setup_timeout_ms", "ms",
                                                           "from dialling to the last forward"),
    tunnel_number<&Tunnel::backoff_min_ms, 10, 600'000>("tunnel.backoff_min_ms", "ms",
                                                        "pause before a new attempt: floor"),
    tunnel_number<&Tunnel::backoff_max_ms, 10, 3'600'000>("tunnel.backoff_max_ms", "ms",
                                                          "pause before a new attempt: ceiling"),
    tunnel_number<&Tunnel::stable_ms, 100, 3'600'000>(
        "tunnel.stable_ms", "ms", "a session that held so long starts again at the floor"),
    tunnel_number<&Tunnel::switch_after, 1, 1000>(
        "tunnel.switch_after", "", "failures in a row before the next server is tried"),
    tunnel_number<&Tunnel::connections_max, 1, 10'000>("tunnel.connections_max", "",
                                                       "connections at once in one session"),
    tunnel_number<&Tunnel::rekey_mb, 1, 65'536>("tunnel.rekey_mb", "MiB",
                                                "carried under one set of keys"),
    tunnel_number<&Tunnel::unsent_kb_max, 1, 65'536>("tunnel.unsent_kb_max", "KiB",
                                                     "what the kernel may hold unsent"),
});

}  // namespace

std::span<const SettingSpec> tunnel_setting_rows() { return kTunnelSettings; }

}  // namespace riftbus
