#include "node/mesh/roster_keeper.h"

#include <utility>

namespace riftbus::node {

RosterKeeper::RosterKeeper(SignedRoster current, AuthorityKey authority)
    : current_(std::move(current)), authority_(authority) {}

std::optional<wire::RosterGet> RosterKeeper::on_version(const NodeId& peer, RosterVersion version,
                                                        TimePoint now) {
  const RosterVersion own = current_.roster.version;
  if (version < own) return std::nullopt;
  std::erase_if(fetching_, [&](const auto& each) { return now >= each.second; });
  if (fetching_.contains(peer) || fetching_.size() >= kRosterFetchesMax) return std::nullopt;
  if (version == own) {
    const auto [seen, first] = compared_.try_emplace(peer, now);
    if (!first && now - seen->second < kRosterCompareEvery) return std::nullopt;
    seen->second = now;
  }
  fetching_[peer] = now + kRosterFetchTimeout;
  return wire::RosterGet{own, roster_digest(current_.bytes)};
}

wire::RosterDocument RosterKeeper::on_get(const wire::RosterGet& request) const {
  const RosterVersion own = current_.roster.version;
  const bool differs =
      request.have == own && request.digest != 0 && request.digest != roster_digest(current_.bytes);
  if (request.have >= own && !differs) return {own, {}};
  return {own, current_.bytes};
}

Result<bool> RosterKeeper::offer(std::string_view bytes) {
  auto checked = verify_roster(bytes, authority_, current_.roster.cluster);
  if (!checked) {
    ++refused_;
    return checked.error();
  }
  if (checked->roster.version == current_.roster.version && checked->bytes != current_.bytes) {
    ++conflicts_;
    return Error{kRosterConflict,
                 "another roster of version " + std::to_string(checked->roster.version.value()) +
                     " than the one in force, with a valid signature",
                 "", "make any change on top of the right one: a newer version settles it"};
  }
  if (checked->roster.version <= current_.roster.version) return false;
  current_ = std::move(checked).value();
  compared_.clear();
  rivals_.clear();
  return true;
}

Result<bool> RosterKeeper::on_document(const NodeId& peer, const wire::RosterDocument& document) {
  fetching_.erase(peer);
  if (document.bytes.empty()) {
    if (document.version == current_.roster.version) rivals_.erase(peer);
    return false;
  }
  auto adopted = offer(document.bytes);
  if (!adopted && adopted.error().code == kRosterConflict) rivals_.insert(peer);
  return adopted;
}

}  // namespace riftbus::node
