// RosterShell: puts a roster into force, everywhere at once, in the order that leaves no gap.
//
// First the gatekeeper (no new connection of a revoked key), then the bus (live connections are
// cut), then the membership core (the member is forgotten, and its next beat tells the neighbours
// that a newer roster exists), then the disk. Entries whose expiry date has passed are treated as
// revoked the moment it passes, without a new version.
//
// Loop thread only; everything passed by reference outlives it. With --insecure there is none.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bus/bus.h"
#include "bus/zap.h"
#include "node/disk/disk_thread.h"
#include "node/mesh/journal.h"
#include "node/mesh/roster_keeper.h"

namespace riftbus::node {

class HttpPath;
class MemberShell;

class RosterShell {
 public:
  RosterShell(RosterKeeper keeper, std::string path, bus::ZapHandler& zap, bus::Bus& bus,
              DiskThread& disk, Journal& journal);

  // From now on rosters may travel over HTTP, too. Null: they may not.
  void use(HttpPath* http) { http_ = http; }
  // Puts the roster read at start into force for the bus (the gatekeeper has it already).
  void start();
  // A beat carried `version`.
  void on_version(const NodeId& peer, RosterVersion version, TimePoint now);
  void on_get(const bus::Received& request, TimePoint now);
  void on_document(const bus::Received& answer, MemberShell& members, TimePoint now);
  void on_put(const bus::Received& request, MemberShell& members, TimePoint now);
  // Enforces expiry dates that have passed.
  void tick(MemberShell& members, TimePoint now);

  // The newest roster, as signed.
  [[nodiscard]] const Roster& current() const { return keeper_.current(); }
  // Without expired entries: who may speak at this moment.
  [[nodiscard]] const Roster& in_force() const { return *in_force_; }
  [[nodiscard]] const RosterKeeper& keeper() const { return keeper_; }

 private:
  // What the keeper made of a document from `from`: notes it, and puts an adopted one into force.
  void settle(const NodeId& from, const Result<bool>& adopted, MemberShell& members, TimePoint now);
  void enforce();
  void save();

  RosterKeeper keeper_;
  std::string path_;
  bus::ZapHandler& zap_;
  bus::Bus& bus_;
  DiskThread& disk_;
  Journal& journal_;
  HttpPath* http_ = nullptr;
  std::shared_ptr<const Roster> in_force_;
};

// The roster without the entries that have expired at `wall_s`.
[[nodiscard]] Roster without_expired(const Roster& roster, std::int64_t wall_s);

// Correlation numbers of the node itself begin here: below are the membership core's, above
// (bus/bus_state.h) the bus's own.
inline constexpr std::uint64_t kOwnerCorrelation = std::uint64_t{1} << 62U;

}  // namespace riftbus::node
