// Limits of the bus: every queue, rate, wait and count in bus/ has its bound here, with a reason.
//
// The owner copies what config/cluster.h lets an operator change; the rest is not for tuning.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bus/wire/limits.h"
#include "config/types.h"

namespace riftbus::bus {

struct Limits {
  // ---- sockets -------------------------------------------------------------------------------
  std::int64_t message_bytes_max =
      std::int64_t{wire::kMessageBytesMax};  // libzmq hangs up on a larger one
  int hwm_calls = 1000;    // calls queued per connection; then the peer counts as slow
  int hwm_published = 64;  // publications queued per subscriber: an old beat is not life
  int backlog = 4096;      // pending connects: 100 stalls a storm of 1000 reconnects
  int sockets_max = 8192;  // libzmq's own default of 1023 ends at about 250 peers
  Millis handshake{5000};  // a stranger that stays silent is cut off
  Millis heartbeat{5000};  // ZMTP ping on an idle connection
  Millis heartbeat_timeout{15'000};
  Millis unacknowledged{15'000};  // TCP_MAXRT: data unacknowledged this long ends a connection

  // ---- calls ---------------------------------------------------------------------------------
  std::size_t call_peers_max = 64;     // DEALER connections kept; the least recently used one goes
  std::size_t call_queue_max = 256;    // calls waiting for one peer's connection
  Millis call_wait_max{5000};          // in that queue; membership has given up by then
  Millis call_idle_max{60'000};        // an unused connection is closed
  std::size_t connections_max = 8192;  // incoming connections remembered

  // ---- bad input -----------------------------------------------------------------------------
  std::uint32_t origin_messages_per_s = 2000;  // one origin's sustained rate; above: dropped
  std::uint32_t origin_messages_burst = 4000;
  std::uint32_t origin_bytes_per_s = 16u << 20u;
  std::uint32_t origin_bytes_burst = 32u << 20u;
  // Members (roles node and voter) replicate the log and work for the queue: their bound is there
  // for a member gone mad, not for load.
  std::uint32_t member_messages_per_s = 100'000;
  std::uint32_t member_messages_burst = 200'000;
  std::uint32_t member_bytes_per_s = 512u << 20u;
  std::uint32_t member_bytes_burst = 1024u << 20u;
  std::size_t origins_max = 8192;   // origins remembered for rates and duplicates
  std::size_t dedup_window = 1024;  // call sequence numbers remembered per life of an origin
  std::size_t dedup_instances = 4;  // lives remembered per origin: a CLI is a new life each time

  // ---- dialling ------------------------------------------------------------------------------
  std::size_t addresses_per_peer_max = 8;
  int breaker_failures = 3;         // in a row: the address is left alone
  Millis breaker_open_min{1000};    // then one trial; doubled by each failed one
  Millis breaker_open_max{30'000};  // never stuck for hours
  Millis reconnect_min{250};        // first pause before a new round of attempts, jittered
  Millis reconnect_max{30'000};     // longest pause
  Millis demand_pause{2000};        // a call to a peer that is down ends a longer pause than this
  Millis attempt_max{5000};         // TCP connect and handshake of one attempt
  Millis stagger{250};              // head start of the better address in a race
  std::size_t race_max = 3;         // attempts of one peer at the same time
  std::size_t dials_max = 64;       // bare dials at the same time; further ones end as silent
  Millis dial_min{300};             // patience of a bare dial: 4 round trips within this band
  Millis dial_max{2000};

  // ---- one turn of the loop ------------------------------------------------------------------
  // Bounded so that a flood cannot starve timers; large enough to amortise one look at all sockets,
  // small enough that a turn's messages stay below what glibc gives back to the kernel when freed.
  std::size_t turn_messages_max = 32;
  std::size_t socket_messages_max = 16;  // then it is the next socket's turn
  std::size_t turns_before_timers = 64;  // see Bus::poll
};

}  // namespace riftbus::bus
