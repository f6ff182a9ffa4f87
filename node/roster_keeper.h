// RosterKeeper: holds the newest signed roster that this node knows, and gets a newer one.
//
// Beats carry the sender's roster version. Whoever hears a higher one than its own asks that
// sender for the document, believes nothing but the authority's signature, and adopts it if the
// version is higher. The owner then puts it on disk, into the access list and into its own beats,
// and so it runs through the cluster along the watch rings in a few round trips.
//
// A document that does not verify is refused and counted against its sender; the old roster stays.
//
// Pure: no clock, no I/O. `now` never decreases. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bus/wire/message.h"
#include "config/roster.h"
#include "config/types.h"

namespace riftbus::node {

// One fetch at a time: enough, since every later beat tries again.
inline constexpr Millis kRosterFetchTimeout{1000};

class RosterKeeper {
 public:
  RosterKeeper(SignedRoster current, AuthorityKey authority);

  // A peer speaks of `version`. The request to send it, or nothing.
  [[nodiscard]] std::optional<wire::RosterGet> on_version(RosterVersion version, TimePoint now);
  [[nodiscard]] wire::RosterDocument on_get(const wire::RosterGet& request) const;
  // From a peer's answer or an admin's RosterPut. True: adopted, current() is new. False: not
  // newer.
  [[nodiscard]] Result<bool> offer(std::string_view bytes);
  // The answer to the fetch came, whatever was in it.
  void fetch_ended() { fetching_until_.reset(); }

  [[nodiscard]] const Roster& current() const { return current_.roster; }
  [[nodiscard]] const SignedRoster& signed_roster() const { return current_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  SignedRoster current_;
  AuthorityKey authority_;
  std::optional<TimePoint> fetching_until_;
  std::uint64_t refused_ = 0;
};

}  // namespace riftbus::node
