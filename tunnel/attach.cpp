#include "tunnel/attach.h"

#include <algorithm>

#include "bus/wire/message.h"
#include "config/relay_places.h"

namespace riftbus::tunnel {

namespace {

Forward forward_to(std::uint16_t number, const std::string& host, std::uint16_t port) {
  Forward forward;
  forward.side = ForwardSide::reverse;
  forward.listen = {"127.0.0.1", number, ""};
  forward.target = {host, port, ""};
  return forward;
}

std::vector<Forward> bus_forwards(const ListenConfig& listen) {
  const std::string host = is_wildcard_host(listen.host) ? "127.0.0.1" : listen.host;
  return {forward_to(wire::kRelayedCallNumber, host, listen.router_port),
          forward_to(wire::kRelayedPubNumber, host, listen.pub_port)};
}

}  // namespace

Result<TunnelConfig> attach_to(const EffectiveConfig& config, const std::string& relay) {
  const auto refuse = [&](const std::string& what, const std::string& next) {
    return Error{1822, what, relay, next};
  };
  const auto id = NodeId::parse(relay);
  if (!id) return id.error();
  const auto places = relay_places(config.cluster, {*id});
  if (places.empty()) {
    return refuse("the cluster file has no such relay",
                  "describe it under nodes, with an address that this node can dial");
  }
  const RelayPlace& place = places.front();
  if (place.pins.empty()) {
    return refuse("the cluster file has no pin of this relay's host key",
                  "write what riftbus-relay --show-pin prints as relay.pins in its section");
  }
  const NodeSettings& node = config.node;
  TunnelConfig tunnel = node.tunnel;
  const bool goes_along = tunnel.servers.empty();
  const auto others = goes_along ? std::move(tunnel.reverse) : std::vector<Forward>{};
  tunnel.servers.clear();
  for (const auto& host : place.hosts) {
    tunnel.servers.push_back({node.node_id.value(), host, place.ssh_port, place.pins, ""});
  }
  if (const auto carrier = carry_socket_of(node.paths.data_dir, *id); carrier && place.carries) {
    tunnel.servers.push_back(tunnel.servers.front());
    tunnel.servers.back().carrier = *carrier;
  }
  tunnel.reverse = bus_forwards(node.listen);
  tunnel.reverse.insert(tunnel.reverse.end(), others.begin(), others.end());
  tunnel.local.clear();
  tunnel.status_file = node.paths.data_dir + "/" + tunnel_file_of(*id);
  return tunnel;
}

}  // namespace riftbus::tunnel
