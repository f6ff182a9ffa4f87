#include "bus/wire/relayed.h"

#include <algorithm>

namespace riftbus::wire {

namespace {

bool has(const std::vector<Address>& addresses, AddressKind kind) {
  return std::any_of(addresses.begin(), addresses.end(),
                     [kind](const Address& address) { return address.kind == kind; });
}

}  // namespace

bool is_blocked(const Record& record) {
  const auto tag = record.tags.find(kDialledTag);
  return tag != record.tags.end() && tag->second == kDialledNo &&
         has(record.addresses, AddressKind::relay);
}

bool is_relayed(const Record& record) { return is_blocked(record) || is_relayed(record.addresses); }

bool is_relayed(const std::vector<Address>& addresses) {
  return has(addresses, AddressKind::relay) && !has(addresses, AddressKind::public_ip);
}

}  // namespace riftbus::wire
