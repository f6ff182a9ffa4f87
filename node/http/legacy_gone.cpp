// What the former orchestrator did and this one does not, or does by itself: said, not pretended.
#include <algorithm>
#include <array>

#include "node/http/http_desk.h"
#include "node/http/routes.h"

namespace riftbus::node {

namespace {

struct Gone {
  std::string_view pattern;
  const char* why;
  const char* next;
};

constexpr const char* kNoFiles = "files are not carried over HTTP";
constexpr const char* kNoDeleting = "nothing is deleted on a node's disk over HTTP";
constexpr const char* kByJob = "describe a kind of job for it in the cluster file, and add work";

constexpr auto kGone = std::to_array<Gone>(
    {{"/raft/lock/{id}", "the log holds no locks", "add work with `dedupe`: one at a time"},
     {"/sync/file", kNoFiles, kByJob},
     {"/sync/start", kNoFiles, kByJob},
     {"/sync/training", kNoFiles, kByJob},
     {"/data_manifest", kNoFiles, kByJob},
     {"/cleanup", kNoDeleting, kByJob},
     {"/cleanup/files", kNoDeleting, kByJob},
     {"/admin/add_peer", "who belongs to the cluster is in the signed roster",
      "riftbus key approve NODE"}});

}  // namespace

void answer_gone(HttpDesk&, const HttpCallPtr& call) {
  const auto& route = http_routes()[call->request.route];
  const auto found = std::find_if(kGone.begin(), kGone.end(),
                                  [&](const Gone& gone) { return gone.pattern == route.pattern; });
  const Gone gone = found == kGone.end() ? Gone{route.pattern, "not done here", ""} : *found;
  reply_trouble(call, {410, "GONE", gone.why, {{"next", gone.next}}});
}

// Who has left is a member again when it is started; nobody else can make it one.
void unretire_node(HttpDesk& desk, const HttpCallPtr& call) {
  const NodeView view = desk.view();
  const auto id = NodeId::parse(argument_of(*call, "node_id"));
  if (!id) return desk.fail(call, Error{1503, "node_id is missing or no id", "", "name a node"});
  const auto* member = view.membership->find(*id);
  if (member == nullptr) {
    return desk.fail(call, Error{1504, "no member of that name", "", "see /members"});
  }
  const bool has_left = member->standing == wire::Standing::left;
  reply_json(call, 200,
             {{"success", !has_left},
              {"node_id", id->value()},
              {"retired", has_left},
              {"message", has_left ? "start the node: it returns by itself" : "it is a member"}});
}

// The dead are forgotten after their time, and a way to a node is looked for as long as it lives.
void purge_nothing(HttpDesk&, const HttpCallPtr& call) {
  reply_json(call, 200,
             {{"success", true},
              {"purged", 0},
              {"purged_count", 0},
              {"message", "the dead are forgotten by themselves"}});
}

void clear_nothing(HttpDesk&, const HttpCallPtr& call) {
  reply_json(call, 200,
             {{"success", true},
              {"cleared", 0},
              {"message", "how a node is reached is found out anew all the time"}});
}

}  // namespace riftbus::node
