#include <array>

#include "config/setting_forms.h"
#include "config/settings_rows.h"

namespace riftbus {

namespace {

using N = NodeSettings;
using Relay = RelayConfig;

Status assign_pins(N& node, const Texts& texts) {
  if (texts.size() > kServerPinsMax) {
    return Error{1008, "more than " + std::to_string(kServerPinsMax) + " pins", "",
                 "keep those of the present and the next host key"};
  }
  for (const auto& text : texts) {
    if (is_host_pin(text)) continue;
    return Error{1008, "not a pin: \"" + text.substr(0, 80) + "\"", "",
                 "write SHA256: and 43 characters, as riftbus-relay --show-pin prints it"};
  }
  node.relay.pins = texts;
  return Ok{};
}

template <auto Member>
constexpr SettingSpec path(std::string_view key, std::string_view flag, std::string_view meaning) {
  return {key,
          kScalar,
          kShared,
          "",
          flag,
          "",
          meaning,
          &assign_path<&N::relay, Member>,
          &read_word<&N::relay, Member>};
}

template <auto Member, std::int64_t Low, std::int64_t High>
constexpr SettingSpec relay_number(std::string_view key, std::string_view unit,
                                   std::string_view meaning) {
  return integer<&N::relay, Member, Low, High>(key, unit, "", "", meaning);
}

constexpr auto kRelaySettings = std::to_array<SettingSpec>({
    {"relay.ssh_host", kScalar, kShared, "", "relay-ssh-host", "", "address that tunnels come to",
     &assign_host<&N::relay, &Relay::ssh_host, true>, &read_word<&N::relay, &Relay::ssh_host>},
    relay_number<&Relay::ssh_port, 1, 65'535>("relay.ssh_port", "", "and port"),
    {"relay.front_host", kScalar, kShared, "", "relay-front-host", "",
     "address where members ask for attached nodes",
     &assign_host<&N::relay, &Relay::front_host, true>, &read_word<&N::relay, &Relay::front_host>},
    relay_number<&Relay::front_port, 1, 65'535>("relay.front_port", "", "and port"),
    relay_number<&Relay::front_connections_max, 1, 100'000>("relay.front_connections_max", "",
                                                            "connections of members in all"),
    relay_number<&Relay::front_per_address_max, 1, 100'000>("relay.front_per_address_max", "",
                                                            "of these from one address"),
    {"relay.pins", SettingForm::list, kShared, "", "relay-pins", "",
     "pins of the relay's host key, for nodes that attach by themselves", &assign_pins,
     [](const N& node) { return node.relay.pins; }},
    {"relay.carry", SettingForm::boolean, kShared, "", "relay-carry", "",
     "the bus carries tunnels of nodes that cannot reach the SSH port",
     &assign_boolean<&N::relay, &Relay::carry>, &read_boolean<&N::relay, &Relay::carry>},
    path<&Relay::host_key_file>("relay.host_key_file", "relay-host-key-file",
                                "the relay's SSH key, made if missing; keys_dir/relay_ed25519"),
    path<&Relay::allow_file>("relay.allow_file", "relay-allow-file",
                             "keys of the nodes that may tunnel; data_dir/relay_keys"),
    path<&Relay::socket_dir>("relay.socket_dir", "relay-socket-dir",
                             "where the nodes' listeners appear; data_dir/relay"),
    path<&Relay::status_file>("relay.status_file", "relay-status-file",
                              "where the state is written as JSON; socket_dir/relay.json"),
    {"relay.user", kScalar, kShared, "", "relay-user", "",
     "whom the SSH half becomes when started as root", &assign_user<&N::relay, &Relay::user>,
     &read_word<&N::relay, &Relay::user>},
    {"relay.cipher", kScalar, kShared, "", "relay-cipher", "", "auto, chacha20 or aes-gcm",
     &assign_choice<&N::relay, &Relay::cipher, kCiphers>, &read_word<&N::relay, &Relay::cipher>},
    relay_number<&Relay::keepalive_ms, 100, 600'000>("relay.keepalive_ms", "ms",
                                                     "silence before a sign of life is asked for"),
    relay_number<&Relay::keepalive_missed_max, 1, 100>(
        "relay.keepalive_missed_max", "", "intervals of silence until a session is over"),
    relay_number<&Relay::grace_ms, 100, 600'000>("relay.grace_ms", "ms", "to prove a listed key"),
    relay_number<&Relay::attempts_max, 1, 100>("relay.attempts_max", "",
                                               "refused keys until it hangs up"),
    relay_number<&Relay::strangers_max, 1, 10'000>("relay.strangers_max", "",
                                                   "connections without a proven key"),
    relay_number<&Relay::strangers_per_address_max, 1, 10'000>("relay.strangers_per_address_max",
                                                               "", "of these from one address"),
    relay_number<&Relay::sessions_max, 1, 100'000>("relay.sessions_max", "", "connections in all"),
    relay_number<&Relay::sessions_per_address_max, 1, 100'000>("relay.sessions_per_address_max", "",
                                                               "of these from one address"),
    relay_number<&Relay::listeners_max, 1, 64>("relay.listeners_max", "",
                                               "listeners of one session"),
    relay_number<&Relay::connections_max, 1, 10'000>(
        "relay.connections_max", "", "forwarded connections at once in one session"),
    relay_number<&Relay::held_mb_max, 2, 65'536>("relay.held_mb_max", "MiB",
                                                 "of one session held for readers that stall"),
    relay_number<&Relay::rekey_mb, 1, 65'536>("relay.rekey_mb", "MiB",
                                              "carried under one set of keys"),
    relay_number<&Relay::unsent_kb_max, 1, 65'536>("relay.unsent_kb_max", "KiB",
                                                   "what the kernel may hold unsent"),
});

}  // namespace

std::span<const SettingSpec> relay_setting_rows() { return kRelaySettings; }

}  // namespace riftbus
