#include "node/disk/standing_orders.h"

#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "bus/durable_file.h"

namespace riftbus::node {

namespace {

constexpr std::uint16_t kUnreadable = 1606;
constexpr std::size_t kFileBytesMax = 4096;
constexpr std::string_view kDraining = "draining";
constexpr std::string_view kEvicting = "evicting";
constexpr std::string_view kRelayDraining = "relay draining";
constexpr std::string_view kPolicy = "policy ";
constexpr std::string_view kMembership = "membership ";

}  // namespace

Result<StandingOrders> load_orders(const std::string& path) {
  StandingOrders orders;
  // Anything but its absence is an answer that nobody gave.
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return orders;
  const auto text = read_small_file(path, kFileBytesMax, FilePrivacy::shared);
  if (!text) return text.error();
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (line == kDraining) {
      orders.draining = true;
    } else if (line == kEvicting) {
      orders.draining = orders.evicting = true;
    } else if (line == kRelayDraining) {
      orders.relay_draining = true;
    } else if (line.starts_with(kPolicy)) {
      orders.policy = line.substr(kPolicy.size());
    } else if (line.starts_with(kMembership)) {
      orders.membership = line.substr(kMembership.size());
    } else {
      return Error{kUnreadable, "an operator's order is not understood", path,
                   "delete the file; then drain the node or set its policy anew"};
    }
  }
  return orders;
}

Status store_orders(const std::string& path, const StandingOrders& orders) {
  std::string text;
  if (orders.draining) text += std::string(kDraining) + "\n";
  if (orders.draining && orders.evicting) text += std::string(kEvicting) + "\n";
  if (orders.relay_draining) text += std::string(kRelayDraining) + "\n";
  if (!orders.policy.empty()) text += std::string(kPolicy) + orders.policy + "\n";
  if (!orders.membership.empty()) text += std::string(kMembership) + orders.membership + "\n";
  return replace_file(path, text, FilePrivacy::shared);
}

}  // namespace riftbus::node
