// Counters: what the bus dropped, refused or survived, each with a name.
//
// Every way in which a message can be lost has its own number here: "it was dropped" without
// "where" costs an operator a night. Names are stable: `status`, JSON and later metrics print them.
//
// A plain struct of the loop thread; copy it to read it elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bus/wire/codec.h"

namespace riftbus::bus {

struct Counters {
  // Bad input, by reason. rejected[accepted] stays 0.
  std::array<std::uint64_t, wire::kRejects> rejected{};
  std::uint64_t impersonation = 0;     // origin differs from the owner of the connection's key
  std::uint64_t unauthenticated = 0;   // no User-Id where CURVE should have given one
  std::uint64_t foreign_routing = 0;   // a peer chose its own routing id: refused
  std::uint64_t bad_frames = 0;        // wrong number of frames, topic that fits no kind
  std::uint64_t wrong_channel = 0;     // a call on PUB, or a publication as a call
  std::uint64_t duplicates = 0;        // calls seen before: dropped, at most once
  std::uint64_t flooded = 0;           // above the origin's rate: dropped
  std::uint64_t before_hello = 0;      // calls on a connection that did not say hello: accepted
  std::uint64_t version_mismatch = 0;  // hello without a common version

  // Sending.
  std::uint64_t sent_unknown_peer = 0;  // no key or no address
  std::uint64_t sent_queue_full = 0;    // kept waiting for a connection: bound reached
  std::uint64_t sent_expired = 0;       // waited too long for a connection
  std::uint64_t sent_slow_peer = 0;     // the peer does not read: its queue is full
  std::uint64_t replies_gone = 0;       // the asker hung up before the answer
  std::uint64_t sent_bundled = 0;       // envelopes that shared a frame: bus/wire/bundle.h
  std::uint64_t sent_oversize = 0;      // our own message exceeds what readers accept

  // Connections.
  std::uint64_t dials = 0, dials_refused = 0, dials_silent = 0, dials_relay_lost = 0,
                dials_dropped = 0;
  std::uint64_t links_up = 0, links_down = 0, attempts = 0, attempts_failed = 0;
  std::uint64_t handshakes_refused = 0;  // by the peer: our key is not on its roster
  std::uint64_t handshakes_failed = 0;   // wrong server key, or not a Riftbus
  std::uint64_t cuts = 0;                // live connections ended because the roster changed
  std::uint64_t evictions = 0;           // call connections closed to stay within the bound
  std::uint64_t descriptors_low = 0;     // checks that found too few descriptors left
  std::uint64_t strangers_cut = 0;       // connections without a proven key ended then
  std::uint64_t names_unresolved = 0;    // host names without an address
  std::uint64_t events_capped = 0;       // turns that ended with messages still waiting

  // Name and value of each, in a stable order; zero values included.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> list() const;
};

}  // namespace riftbus::bus
