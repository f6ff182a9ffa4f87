// AddressBook: where to dial each peer, from the best source there is.
//
// A member's own record is the authority on its addresses. Until one has been heard, the cluster
// file serves, and then what the peer cache remembers of an earlier life. Only changes reach the
// bus: a changed list ends its waiting and dials anew.
//
// Public addresses at which nobody can dial it, as it says, are left out while relays lead there:
// they are the same from everywhere. Private ones are not, and stay.
//
// Pure bookkeeping on the loop thread.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "bus/wire/message.h"
#include "config/types.h"
#include "node/membership/membership.h"

namespace riftbus::node {

class AddressBook {
 public:
  using Addresses = std::vector<wire::Address>;

  AddressBook(std::map<NodeId, Addresses> configured, std::map<NodeId, Addresses> cached)
      : configured_(std::move(configured)), cached_(std::move(cached)) {}

  // The peer's addresses if they differ from what was returned last time, else nothing.
  [[nodiscard]] std::optional<Addresses> changed(const NodeId& peer,
                                                 const membership::Membership& membership);

  [[nodiscard]] Addresses best(const NodeId& peer, const membership::Membership& membership) const;

 private:
  std::map<NodeId, Addresses> configured_;
  std::map<NodeId, Addresses> cached_;
  std::map<NodeId, Addresses> told_;
};

}  // namespace riftbus::node
