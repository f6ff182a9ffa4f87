#include "node/roster_keeper.h"

#include <utility>

namespace riftbus::node {

RosterKeeper::RosterKeeper(SignedRoster current, AuthorityKey authority)
    : current_(std::move(current)), authority_(authority) {}

std::optional<wire::RosterGet> RosterKeeper::on_version(RosterVersion version, TimePoint now) {
  if (version <= current_.roster.version) return std::nullopt;
  if (fetching_until_ && now < *fetching_until_) return std::nullopt;
  fetching_until_ = now + kRosterFetchTimeout;
  return wire::RosterGet{current_.roster.version};
}

wire::RosterDocument RosterKeeper::on_get(const wire::RosterGet& request) const {
  if (request.have >= current_.roster.version) return {current_.roster.version, {}};
  return {current_.roster.version, current_.bytes};
}

Result<bool> RosterKeeper::offer(std::string_view bytes) {
  auto checked = verify_roster(bytes, authority_, current_.roster.cluster);
  if (!checked) {
    ++refused_;
    return checked.error();
  }
  if (checked->roster.version <= current_.roster.version) return false;
  current_ = std::move(checked).value();
  return true;
}

}  // namespace riftbus::node
