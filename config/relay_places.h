// RelayPlaces: where the cluster file says that relays are, and whose they are.
//
// A relay is a public host: nodes that nobody can dial tunnel to its SSH half, and others ask its
// front for them. Its ports and the pin of its host key stand in its own section of the cluster
// file, which every node has; nothing here asks the network.
//
// Pure values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/cluster.h"

namespace riftbus {

struct RelayPlace {
  NodeId id;
  std::string domain;              // what fails together with it
  std::vector<std::string> hosts;  // as the file has them, best first; one at least
  std::uint16_t ssh_port = kRelaySshPort;
  std::uint16_t front_port = kRelayFrontPort;
  std::vector<std::string> pins;  // empty: nobody may attach to it by itself
  bool carries = true;            // its node takes tunnels over the bus, too
  bool operator==(const RelayPlace&) const = default;
};

// Those of `ids`, in their order, that can be relays: known, not retired, with an address, and not
// themselves without one that others can dial.
[[nodiscard]] std::vector<RelayPlace> relay_places(const ClusterConfig& cluster,
                                                   const std::vector<NodeId>& ids);
// Of one node: its own relays if it names some, else all of the cluster's.
[[nodiscard]] std::vector<RelayPlace> relay_places_for(const ClusterConfig& cluster,
                                                       const NodeId& node);
// "tunnel-relay-1.json": where, in its data_dir, a node's own tunnel to a relay writes its state.
[[nodiscard]] std::string tunnel_file_of(const NodeId& relay);
// "carry-relay-1.sock": where, in its data_dir, a node listens for a tunnel that the bus is to
// carry to this relay. Nothing: the whole path is longer than one of a socket can be.
[[nodiscard]] std::optional<std::string> carry_socket_of(const std::string& data_dir,
                                                         const NodeId& relay);

}  // namespace riftbus
