#include "node/resources.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "node/executor/machine.h"

namespace riftbus::node {

namespace {

constexpr std::uint64_t kMegabyte = 1024 * 1024;

wire::AddressKind kind_on_wire(AddressKind kind) {
  switch (kind) {
    case AddressKind::internet:
      return wire::AddressKind::public_ip;
    case AddressKind::lan:
      return wire::AddressKind::lan;
    case AddressKind::tailscale:
      return wire::AddressKind::tailscale;
    case AddressKind::loopback:
      return wire::AddressKind::loopback;
  }
  return wire::AddressKind::lan;
}

// Public before LAN before Tailscale before loopback: the order of AddressKind in config.
std::vector<wire::Address> interface_addresses(const ListenConfig& listen) {
  std::vector<NodeAddress> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  for (const auto* item = list; item != nullptr; item = item->ifa_next) {
    if (item->ifa_addr == nullptr || (item->ifa_flags & IFF_UP) == 0) continue;
    const int family = item->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    char host[NI_MAXHOST];
    const auto size =
        static_cast<socklen_t>(family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    if (getnameinfo(item->ifa_addr, size, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0)
      continue;
    const std::string text = host;
    // Link-local addresses need the reader's interface name, which nobody else has.
    if (text.find('%') != std::string::npos || text.rfind("169.254.", 0) == 0) continue;
    found.push_back({classify_host(text), text, listen.router_port, listen.pub_port});
  }
  freeifaddrs(list);
  std::sort(found.begin(), found.end());
  const bool has_other = std::any_of(found.begin(), found.end(), [](const NodeAddress& address) {
    return address.kind != AddressKind::loopback;
  });
  std::vector<wire::Address> addresses;
  for (const auto& address : found) {
    if (has_other && address.kind == AddressKind::loopback) continue;
    addresses.push_back(node::to_wire(address));
  }
  return addresses;
}

}  // namespace

wire::Address to_wire(const NodeAddress& address) {
  return {kind_on_wire(address.kind), address.host, address.router_port, address.pub_port};
}

wire::Resources measure_resources(const std::string& data_dir, const DeclaredResources& declared) {
  wire::Resources resources;
  const auto limits = executor::measure_limits();
  resources.cpus = static_cast<std::uint32_t>(std::max<std::int64_t>(1, limits.cpus_milli / 1000));
  resources.memory_mb = static_cast<std::uint64_t>(std::max<std::int64_t>(0, limits.memory_mb));
  struct statvfs disk {};
  if (statvfs(data_dir.c_str(), &disk) == 0) {
    resources.disk_free_mb = disk.f_bavail * disk.f_frsize / kMegabyte;
  }
  resources.gpu_name = declared.gpu;
  resources.gpu_memory_mb =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, declared.gpu_vram_gb)) * 1024;
  return resources;
}

std::vector<wire::Address> own_addresses(const NodeSettings& settings) {
  if (!settings.addresses.empty()) {
    std::vector<wire::Address> addresses;
    for (const auto& address : settings.addresses) addresses.push_back(to_wire(address));
    return addresses;
  }
  const auto& listen = settings.listen;
  if (!is_wildcard_host(listen.host)) {
    return {to_wire(
        NodeAddress{classify_host(listen.host), listen.host, listen.router_port, listen.pub_port})};
  }
  return interface_addresses(listen);
}

}  // namespace riftbus::node
