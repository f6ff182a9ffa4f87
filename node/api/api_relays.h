// The documents about relays, tunnels and paths (api.h): who leads to whom, and why that way.
#pragma once

#include "node/api/api_json.h"
#include "node/mesh/attacher.h"
#include "node/mesh/carrier.h"
#include "node/mesh/reach.h"

namespace riftbus::node {

// What they are written from.
struct RelayView {
  const std::vector<RelayPlace>* relays = nullptr;  // of the cluster file; never null
  // Both null where everybody can dial this node, as far as it was told, or no relay is known.
  const Attacher* attacher = nullptr;
  const Reach* reach = nullptr;
  const Carrier* carrier = nullptr;  // null: unknown
  bool is_relay = false;
  bool is_draining = false;
  const std::string* status = nullptr;  // what the relay on this host says; null or "{}": nothing
};

[[nodiscard]] Json relay_list_document(const NodeView& view);
// Nothing: no such relay. By id, or by one of its hosts.
[[nodiscard]] std::optional<Json> relay_show_document(const std::string& relay,
                                                      const NodeView& view);
[[nodiscard]] Json tunnel_list_document(const NodeView& view);
// For each of its tunnels that the bus carries, which one and why.
void add_carried_reasons(const NodeView& view, Json& reasons);
// How this node reaches another one, and why that way.
[[nodiscard]] Json why_path_document(const NodeId& id, const NodeView& view);

// The relay that an address leads through, by its name: its id, or where it is; null: none does.
[[nodiscard]] Json relay_of(const wire::Address& address, const NodeView& view);
// Where the front of a relay is, by its id or one of its hosts; nothing: no such relay is known.
[[nodiscard]] std::optional<wire::Address> relay_front(const std::string& relay,
                                                       const NodeView& view);
// What others found when they dialled this node; null: it does not ask.
[[nodiscard]] Json dialled_json(const NodeView& view);
// A node that nobody can dial and no relay leads to.
void add_relay_problems(const NodeView& view, Json& problems);

}  // namespace riftbus::node
