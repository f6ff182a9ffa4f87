// Core: what the parts of the membership protocol share: beliefs, voice, health and numbers.
//
// One Core per Membership; the parts hold a reference and are called in turn, never at once.
// What every part must do alike with a claim stands here too: believe it, tell the operator,
// pass it on.
#pragma once

#include <set>

#include "node/membership/awareness.h"
#include "node/membership/calls.h"
#include "node/membership/gossip.h"
#include "node/membership/membership.h"
#include "node/membership/round_trip.h"
#include "node/membership/self.h"
#include "node/membership/table.h"

namespace riftbus::membership {

struct Core {
  Core(Settings given, Random& source);

  Settings settings;
  Random& random;
  Self self;
  Table table;
  Gossip gossip;
  Awareness awareness;
  Calls calls;
  RoundTrip round_trip;  // of all calls to anybody
  Stats stats;
  TimePoint started{};
  TimePoint hold_until{};  // after a pause of our own: no verdicts before
  bool joined = false;

  [[nodiscard]] const NodeId& id() const { return settings.self; }
  [[nodiscard]] const Timing& timing() const { return settings.timing; }
  [[nodiscard]] Nanos interval() const { return settings.timing.interval; }
  // Version 0 is no roster: then everybody may be a member.
  [[nodiscard]] bool is_allowed(const NodeId& member) const;
  // The span, up to 10 % shorter or longer.
  [[nodiscard]] Nanos jittered(Nanos span);
  // From measured round trips, within the profile's band.
  [[nodiscard]] Nanos probe_wait() const;
  // `jitter`: by how much beats vary on the way to us.
  [[nodiscard]] Nanos suspicion_min(Nanos jitter) const;
  // A live member other than ourselves; empty if there is none.
  [[nodiscard]] NodeId draw_live();

  void announce(Happening happening, const wire::Claim& claim, Actions& out) const;
  // Merges; announces what it means; passes on what was news from a believed source.
  Table::Outcome believe(const wire::Claim& claim, Source source, TimePoint now, Actions& out);
  void ask(const NodeId& to, Purpose purpose, const NodeId& subject, wire::Body body, TimePoint now,
           Actions& out);
  // One-way, in as many messages as it takes.
  static void tell(const NodeId& to, std::vector<wire::Claim> claims, Actions& out);
};

}  // namespace riftbus::membership
