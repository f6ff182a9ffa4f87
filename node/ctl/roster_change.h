// RosterChange: edit, sign, keep, push: what every change of the roster goes through.
//
// The newest roster is fetched from the cluster first, so that two changes in a row build on each
// other; it is edited, signed with the authority's key on this machine, kept in the operator's
// directory, and given to one node, from which it spreads. If no node can be reached the signed
// roster is kept all the same and can be pushed later (exit status 75).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/roster.h"
#include "node/ctl/context.h"
#include "node/ctl/session.h"

namespace riftbus::ctl {

struct RosterChange {
  std::function<Result<Roster>(const Roster&)> edit;
  std::string done;        // "gpu-9 is revoked"
  bool push = true;        // no: with --no-push
  bool await_all = false;  // report when every node that can be reached has it
};

// Returns the exit status.
int apply_change(Context& context, const RosterChange& change);

// Gives `roster` to the session's node, and says so.
[[nodiscard]] Status push_roster(Context& context, Session& session, const SignedRoster& roster);

// Asks all members until each has at least `version` or --timeout passes; says who has it. 1514.
[[nodiscard]] Status await_adoption(Context& context, Session& session, RosterVersion version);

}  // namespace riftbus::ctl
