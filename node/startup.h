// Everything a node needs from its disk before the first socket opens.
//
// The order matters and is kept here in one place: settings are judged, the data folder is made,
// the key and the roster are read and checked, the stored incarnation and the peer cache follow.
// What must not be wrong (a key that others can read, a roster of another authority) stops the
// start with an Error that says what to do; what is only a convenience (the peer cache) is replaced
// and reported in `notes`.
//
// Blocking; before any thread runs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/key_files.h"
#include "bus/roster_file.h"
#include "config/cluster.h"
#include "config/effective.h"
#include "config/relay_places.h"
#include "node/disk/files.h"
#include "node/disk/peer_cache.h"
#include "node/membership/timing.h"

namespace riftbus::node {

struct Prepared {
  NodeSettings settings;
  // From the cluster file: first addresses of the others, until they speak for themselves.
  std::map<NodeId, std::vector<wire::Address>> known_addresses;
  std::set<NodeId> configured;         // every node of the cluster file
  std::vector<RelayPlace> relays;      // this node's, as settings.relays has them
  std::vector<RelayPlace> all_relays;  // the cluster's
  std::vector<std::string> arguments;  // of this program, for those that it starts with the same
  // Both empty with --insecure.
  std::optional<NodeIdentity> identity;
  std::optional<SignedRoster> roster;
  Incarnation stored;
  std::optional<Descriptor> lock;  // on the data directory, until this process ends
  std::unique_ptr<PeerCache> cache;
  std::vector<CachedPeer> cached;
  membership::Timing timing;
  std::vector<std::string> notes;  // for the log: what was found damaged and replaced
};

[[nodiscard]] Result<Prepared> prepare_node(const EffectiveConfig& config);

// The profile's numbers with the cluster file's replacements.
[[nodiscard]] membership::Timing effective_timing(const TimingConfig& config);

[[nodiscard]] std::string incarnation_path(const NodeSettings& settings);
[[nodiscard]] std::string roster_path(const NodeSettings& settings);

}  // namespace riftbus::node
