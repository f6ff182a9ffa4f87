#include <array>

#include "config/setting_forms.h"
#include "config/settings_rows.h"

namespace riftbus {

namespace {

using N = NodeSettings;
using C = TunnelConfig;

constexpr std::size_t kServersMax = 16;
constexpr std::size_t kForwardsMax = 64;
constexpr std::array<std::string_view, 3> kCiphers{"auto", "chacha20", "aes-gcm"};

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

Status assign_user(N& node, const Texts& texts) {
  if (!NodeId::is_valid(texts.front())) {
    return Error{1008, "not a user's name: \"" + texts.front().substr(0, 80) + "\"", "",
                 "use 1 to 64 characters of A-Z a-z 0-9 . _ -"};
  }
  node.tunnel.user = texts.front();
  return Ok{};
}

template <auto Member, std::int64_t Low, std::int64_t High>
constexpr SettingSpec number(std::string_view key, std::string_view unit,
                             std::string_view meaning) {
  return integer<&N::tunnel, Member, Low, High>(key, unit, "", "", meaning);
}

constexpr auto kSpecs = std::to_array<SettingSpec>({
    {"tunnel.attach", SettingForm::boolean, kShared, "", "tunnel-attach", "",
     "a nat_blocked node tunnels to relays by itself", &assign_boolean<&N::tunnel, &C::attach>,
     &read_boolean<&N::tunnel, &C::attach>},
    {"tunnel.servers", SettingForm::list, kShared, "", "tunnel-servers", "",
     "where to tunnel to: [USER@]HOST[:PORT]#SHA256:PIN", &assign_servers, &read_all<&C::servers>},
    {"tunnel.reverse", SettingForm::list, kShared, "", "tunnel-reverse", "",
     "listeners at the server that lead here: [HOST:]PORT:HOST:PORT",
     &assign_forwards<&C::reverse, ForwardSide::reverse>, &read_all<&C::reverse>},
    {"tunnel.local", SettingForm::list, kShared, "", "tunnel-local", "",
     "listeners here that lead to the server's side: [HOST:]PORT:HOST:PORT",
     &assign_forwards<&C::local, ForwardSide::local>, &read_all<&C::local>},
    {"tunnel.user", kScalar, kShared, "", "tunnel-user", "",
     "name at the server; empty: this node's id", &assign_user, &read_word<&N::tunnel, &C::user>},
    {"tunnel.key_file", kScalar, kShared, "", "tunnel-key-file", "",
     "this node's SSH key, made if missing; keys_dir/tunnel_ed25519",
     &assign_path<&N::tunnel, &C::key_file>, &read_word<&N::tunnel, &C::key_file>},
    {"tunnel.status_file", kScalar, kShared, "", "tunnel-status-file", "",
     "where the state is written as JSON; data_dir/tunnel.json",
     &assign_path<&N::tunnel, &C::status_file>, &read_word<&N::tunnel, &C::status_file>},
    {"tunnel.cipher", kScalar, kShared, "", "tunnel-cipher", "", "auto, chacha20 or aes-gcm",
     &assign_choice<&N::tunnel, &C::cipher, kCiphers>, &read_word<&N::tunnel, &C::cipher>},
    number<&C::keepalive_ms, 100, 600'000>("tunnel.keepalive_ms", "ms",
                                           "silence before a sign of life is asked for"),
    number<&C::keepalive_missed_max, 1, 100>("tunnel.keepalive_missed_max", "",
                                             "intervals of silence until the link is dead"),
    number<&C::setup_timeout_ms, 100, 600'000>("tunnel.setup_timeout_ms", "ms",
                                               "from dialling to the last forward"),
    number<&C::backoff_min_ms, 10, 600'000>("tunnel.backoff_min_ms", "ms",
                                            "pause before a new attempt: floor"),
    number<&C::backoff_max_ms, 10, 3'600'000>("tunnel.backoff_max_ms", "ms",
                                              "pause before a new attempt: ceiling"),
    number<&C::stable_ms, 100, 3'600'000>("tunnel.stable_ms", "ms",
                                          "a session that held so long starts again at the floor"),
    number<&C::switch_after, 1, 1000>("tunnel.switch_after", "",
                                      "failures in a row before the next server is tried"),
    number<&C::connections_max, 1, 10'000>("tunnel.connections_max", "",
                                           "connections at once in one session"),
    number<&C::rekey_mb, 1, 65'536>("tunnel.rekey_mb", "MiB", "carried under one set of keys"),
    number<&C::unsent_kb_max, 1, 65'536>("tunnel.unsent_kb_max", "KiB",
                                         "what the kernel may hold unsent"),
});

}  // namespace

std::span<const SettingSpec> tunnel_setting_rows() { return kSpecs; }

}  // namespace riftbus
