#include "bus/wire/relayed.h"

#include <algorithm>

namespace riftbus::wire {

bool is_relayed(const std::vector<Address>& addresses) {
  const auto has = [&](AddressKind kind) {
    return std::any_of(addresses.begin(), addresses.end(),
                       [kind](const Address& address) { return address.kind == kind; });
  };
  return has(AddressKind::relay) && !has(AddressKind::public_ip);
}

}  // namespace riftbus::wire
