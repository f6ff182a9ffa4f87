// Attachments: through which relays this node is reached now.
//
// riftbus-tunnel keeps the sessions and tells of them in a file (tunnel/status.h); a node that
// nobody can dial reads those files, and its member record names the relays that lead to it. So a
// session that is lost is withdrawn by the node itself, through whichever relay is left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bus/wire/message.h"
#include "config/relay_places.h"

namespace riftbus::node {

// One such file.
struct TunnelReport {
  std::string file;  // its name, without the folder
  std::int64_t pid = 0;
  bool is_running = false;  // it says so, and the process lives
  // Hosts of the servers at which both bus numbers are listened for at this moment.
  std::vector<std::string> ways;
  std::string json;  // the whole text; a JSON object
};
// Total: any other text gives a report of nothing, with the empty object.
[[nodiscard]] TunnelReport read_tunnel(std::string_view file, std::string_view text);
// Of all tunnel*.json in the folder, in the order of their names. Blocks on the disk.
[[nodiscard]] std::vector<TunnelReport> read_tunnels(const std::string& folder);

// What the relay on this host says of itself (relay/status.h); "{}": it does not run. Blocks.
[[nodiscard]] std::string read_relay(const std::string& status_file);

// An address for each way, in their order. Of a relay that is known, every host that it has, up to
// kHostsPerRelay, the one that we use first: others may reach it by another. Else `front_port`.
inline constexpr std::size_t kHostsPerRelay = 2;
[[nodiscard]] std::vector<wire::Address> relayed_addresses(const std::vector<TunnelReport>& tunnels,
                                                           const std::vector<RelayPlace>& relays,
                                                           std::uint16_t front_port);
// Whose host this is; null: nobody's that is known.
[[nodiscard]] const RelayPlace* find_relay(const std::vector<RelayPlace>& relays,
                                           std::string_view host);

}  // namespace riftbus::node
