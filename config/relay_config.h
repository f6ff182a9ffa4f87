// `relay:` What riftbus-relay does for nodes that nobody can dial. Defaults are the initialisers.
//
// The limits are those of one process: strangers, who have proven no key, are few and soon gone;
// what a listed node may take is bounded per session, so that one cannot starve the others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace riftbus {

inline constexpr std::uint16_t kRelaySshPort = 7722;
inline constexpr std::uint16_t kRelayFrontPort = 7723;

struct RelayConfig {
  std::string ssh_host = "0.0.0.0";  // tunnels come from anywhere, and prove a listed key
  std::uint16_t ssh_port = kRelaySshPort;
  std::string front_host = "0.0.0.0";  // members come from anywhere; CURVE is between the ends
  std::uint16_t front_port = kRelayFrontPort;
  std::int64_t front_connections_max = 8192;  // two of each member and node that speak
  std::int64_t front_per_address_max = 1024;  // rented hosts share addresses
  // "SHA256:..." of its host key, for the nodes that attach to it by themselves; the relay needs it
  // not. Two while the key is being changed.
  std::vector<std::string> pins;
  // Whether the bus carries a tunnel for a node that reaches this host's bus, and not its SSH port.
  bool carry = true;
  std::string host_key_file;  // empty: keys_dir/relay_ed25519; made if it is missing
  std::string allow_file;     // who may tunnel; empty: data_dir/relay_keys
  std::string socket_dir;     // the nodes' listeners; empty: data_dir/relay
  std::string status_file;    // empty: socket_dir/relay.json
  std::string user;           // whom to become when started as root; empty: nobody else
  std::string cipher = "auto";
  std::int64_t keepalive_ms = 1000;  // as the tunnel's: both sides notice a dead link
  std::int64_t keepalive_missed_max = 3;
  std::int64_t grace_ms = 10'000;               // a slow link needs four round trips to prove a key
  std::int64_t attempts_max = 4;                // ssh's "none" and three keys
  std::int64_t strangers_max = 64;              // connections without a proven key
  std::int64_t strangers_per_address_max = 16;  // rented hosts share addresses
  std::int64_t sessions_max = 1024;
  std::int64_t sessions_per_address_max = 256;
  std::int64_t listeners_max = 4;      // of one session
  std::int64_t connections_max = 256;  // at once in one session
  // A stalled reader holds a window of 1.3 MiB; above this sum its session loses the worst one.
  std::int64_t held_mb_max = 64;
  std::int64_t rekey_mb = 1024;     // bytes under one set of keys: RFC 4253 says a gigabyte
  std::int64_t unsent_kb_max = 16;  // what the kernel may hold unsent: control waits behind it
  bool operator==(const RelayConfig&) const = default;
};

}  // namespace riftbus
