// The membership checkers, one file each; all_checkers() gathers them.
#pragma once

#include <memory>
#include <vector>

#include "bus/wire/message.h"
#include "test/sim/checker.h"

namespace riftbus::sim {

// No innocent host is ever given `dead` for its present incarnation, by anyone.
[[nodiscard]] std::unique_ptr<Checker> make_death_checker();
// An incarnation is on disk before anyone hears of it, and no later life uses it again.
[[nodiscard]] std::unique_ptr<Checker> make_incarnation_checker();
// Accusations are spoken first by their accuser, who watched and heard nothing; a verdict follows
// the accuser's own suspicion after a decent time.
[[nodiscard]] std::unique_ptr<Checker> make_claim_checker();
// Beats that waited in a queue are not life, neither in a watcher's book nor in its answers.
[[nodiscard]] std::unique_ptr<Checker> make_freshness_checker();
// Equal views have equal digests, and different views different ones.
[[nodiscard]] std::unique_ptr<Checker> make_digest_checker();
// Everything has a bound: actions per step, subscriptions, history, queues, frames.
[[nodiscard]] std::unique_ptr<Checker> make_bound_checker();

// The claims inside whatever is said, with or without a record.
[[nodiscard]] const std::vector<wire::Claim>& claims_in(const wire::Body& body);
// The body of an action that says something; null otherwise.
[[nodiscard]] const wire::Body* body_of(const membership::Action& action);

}  // namespace riftbus::sim
