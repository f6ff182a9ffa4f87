// RosterKeeper: holds the newest signed roster that this node knows, and gets a newer one.
//
// Beats carry the sender's roster version. Whoever hears a higher one than its own asks that
// sender for the document, believes nothing but the authority's signature, and adopts it if the
// version is higher. The owner then puts it on disk, into the access list and into its own beats,
// and so it runs through the cluster along the watch rings in a few round trips.
//
// A document that does not verify is refused and counted against its sender; the old roster stays.
//
// Two valid rosters of one version are the signer's mistake, and which one is meant nobody can
// know: each node keeps the one it has. But each compares its own with those of the peers it hears,
// by a digest, and names those that differ, until a newer version settles it.
//
// Pure: no clock, no I/O. `now` never decreases. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bus/wire/message.h"
#include "config/roster.h"
#include "config/types.h"

namespace riftbus::node {

// One fetch at a time from one peer: enough, since every later beat tries again. And from few
// peers, yet from more than one: a member that names a high version and then keeps silent cannot
// keep this node from hearing of its own revocation.
inline constexpr Millis kRosterFetchTimeout{1000};
inline constexpr std::size_t kRosterFetchesMax = 3;
// Rosters of one version are compared once with each peer, and again after this time.
inline constexpr std::chrono::minutes kRosterCompareEvery{5};

// Two rosters of one version.
inline constexpr std::uint16_t kRosterConflict = 1109;

class RosterKeeper {
 public:
  RosterKeeper(SignedRoster current, AuthorityKey authority);

  // `peer` speaks of `version`. The request to send it, or nothing.
  [[nodiscard]] std::optional<wire::RosterGet> on_version(const NodeId& peer, RosterVersion version,
                                                          TimePoint now);
  [[nodiscard]] wire::RosterDocument on_get(const wire::RosterGet& request) const;
  // From a peer's answer or an admin's RosterPut. True: adopted, current() is new. False: not
  // newer. Error 1109: another one of this version.
  [[nodiscard]] Result<bool> offer(std::string_view bytes);
  // The peer's answer to our request, after which the next one may go out. As offer().
  [[nodiscard]] Result<bool> on_document(const NodeId& peer, const wire::RosterDocument& document);

  [[nodiscard]] const Roster& current() const { return current_.roster; }
  [[nodiscard]] const SignedRoster& signed_roster() const { return current_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] std::uint64_t conflicts() const { return conflicts_; }
  // Peers that hold another roster of our version.
  [[nodiscard]] const std::set<NodeId>& rivals() const { return rivals_; }

 private:
  SignedRoster current_;
  AuthorityKey authority_;
  std::map<NodeId, TimePoint> fetching_;  // from whom, until when
  std::uint64_t refused_ = 0;
  std::uint64_t conflicts_ = 0;
  std::map<NodeId, TimePoint> compared_;  // with those of our version, and when
  std::set<NodeId> rivals_;
};

}  // namespace riftbus::node
