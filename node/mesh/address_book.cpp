#include "node/mesh/address_book.h"

namespace riftbus::node {

const AddressBook::Addresses& AddressBook::best(const NodeId& peer,
                                                const membership::Membership& membership) const {
  static const Addresses kNone;
  const auto* member = membership.find(peer);
  if (member != nullptr && !member->record.addresses.empty()) return member->record.addresses;
  if (const auto found = configured_.find(peer); found != configured_.end()) return found->second;
  if (const auto found = cached_.find(peer); found != cached_.end()) return found->second;
  return kNone;
}

std::optional<AddressBook::Addresses> AddressBook::changed(
    const NodeId& peer, const membership::Membership& membership) {
  const auto& addresses = best(peer, membership);
  const auto told = told_.find(peer);
  if (told != told_.end() && told->second == addresses) return std::nullopt;
  told_[peer] = addresses;
  return addresses;
}

}  // namespace riftbus::node
