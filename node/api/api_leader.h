// The documents about leadership (api.h): who leads, who votes, and why.
#pragma once

#include "node/api/api_json.h"
#include "node/quorum/leader_watch.h"
#include "node/quorum/voter_shell.h"

namespace riftbus::node {

// What they are written from. `voter`: null where this node keeps no log. `trouble`: why it takes
// no part although it should; null if it does.
struct LeadershipView {
  const LeaderWatch* leader = nullptr;  // never null
  const VoterShell* voter = nullptr;
  const ServerNames* names = nullptr;  // never null
  const Error* trouble = nullptr;
};

// {"leader":id,"term":n,"role":...}: the part of `status`, and the heart of leader.show.
[[nodiscard]] Json leadership_json(const LeadershipView& leadership, const NodeView& view);
[[nodiscard]] Json leader_show_document(const LeadershipView& leadership, const NodeView& view);
[[nodiscard]] Json voter_list_document(const LeadershipView& leadership, const NodeView& view,
                                       bool stale);
// Who has voted, who is missing, since when.
[[nodiscard]] Json why_leader_document(const LeadershipView& leadership, const NodeView& view,
                                       bool stale);

}  // namespace riftbus::node
