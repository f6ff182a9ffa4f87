// `tunnel:` What riftbus-tunnel carries and to where. Defaults are the initialisers.
//
// The times make a black-holed link noticed within keepalive_ms * keepalive_missed_max, three
// seconds, which is inside the five that a member stays suspected before it is declared dead.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/forward.h"

namespace riftbus {

struct TunnelConfig {
  // A node that nobody can dial tunnels to relays by itself, as far as it knows their pins.
  bool attach = true;
  std::vector<TunnelServer> servers;  // tried in this order, alternately; one session at a time
  std::vector<Forward> reverse;       // listeners at the server that lead here
  std::vector<Forward> local;         // listeners here that lead to the server's side
  std::string user;                   // at the server; empty: this node's id
  std::string key_file;               // empty: keys_dir/tunnel_ed25519; made if it is missing
  std::string status_file;            // empty: data_dir/tunnel.json
  // chacha20 needs no processor support and is the fastest in libssh; aes-gcm costs less where
  // the processor has AES; auto takes the first that the server knows of both.
  std::string cipher = "auto";
  std::int64_t keepalive_ms = 1000;       // silence before the server is asked for a sign of life
  std::int64_t keepalive_missed_max = 3;  // intervals of silence: then the link is dead
  std::int64_t setup_timeout_ms = 5000;   // from dialling to the last forward
  std::int64_t backoff_min_ms = 250;      // pause before a new attempt, jittered: floor
  std::int64_t backoff_max_ms = 5000;     // and ceiling: 1000 tunnels storm a relay gently
  std::int64_t stable_ms = 10'000;        // a session that held so long starts again at the floor
  std::int64_t switch_after = 2;          // failures in a row before the next server is tried
  std::int64_t connections_max = 256;     // at once in one session; more wait or are refused
  std::int64_t rekey_mb = 1024;           // bytes under one set of keys: RFC 4253 says a gigabyte
  // What the kernel may hold unsent. Little, because a control message waits behind it.
  std::int64_t unsent_kb_max = 16;
  bool operator==(const TunnelConfig&) const = default;
};

}  // namespace riftbus
