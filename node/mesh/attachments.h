// Attachments: through which relays this node is reached now.
//
// riftbus-tunnel keeps the sessions and tells of them in a file (tunnel/status.h); a node that
// nobody can dial reads it, and its member record names the relays that lead to it. So a session
// that is lost is withdrawn by the node itself, through whichever relay is left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bus/wire/message.h"

namespace riftbus::node {

// Of one such file, an address for each relay: both bus numbers are listened for there, and the
// tunnel's process lives. Total; nothing for any other text.
[[nodiscard]] std::vector<wire::Address> relayed_addresses(std::string_view tunnel_status,
                                                           std::uint16_t front_port);
// Of all tunnel*.json in the folder, in the order of their names. Blocks on the disk.
[[nodiscard]] std::vector<wire::Address> read_attachments(const std::string& folder,
                                                          std::uint16_t front_port);

}  // namespace riftbus::node
