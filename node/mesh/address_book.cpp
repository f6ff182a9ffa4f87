#include "node/mesh/address_book.h"

#include <utility>

#include "bus/wire/relayed.h"

namespace riftbus::node {

AddressBook::Addresses AddressBook::best(const NodeId& peer,
                                         const membership::Membership& membership) const {
  const auto* member = membership.find(peer);
  if (member != nullptr && !member->record.addresses.empty()) {
    auto addresses = member->record.addresses;
    if (wire::is_blocked(member->record)) {
      std::erase_if(addresses, [](const wire::Address& address) {
        return address.kind == wire::AddressKind::public_ip;
      });
    }
    return addresses;
  }
  if (const auto found = configured_.find(peer); found != configured_.end()) return found->second;
  if (const auto found = cached_.find(peer); found != cached_.end()) return found->second;
  return {};
}

std::optional<AddressBook::Addresses> AddressBook::changed(
    const NodeId& peer, const membership::Membership& membership) {
  auto addresses = best(peer, membership);
  const auto told = told_.find(peer);
  if (told != told_.end() && told->second == addresses) return std::nullopt;
  told_[peer] = addresses;
  return addresses;
}

}  // namespace riftbus::node
