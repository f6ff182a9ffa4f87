// How a node comes to keep a log: it begins one with all first voters, or a leader calls on it.
#include <memory>
#include <optional>

#include "bus/log.h"
#include "node/consensus/codec.h"
#include "node/node_state.h"

namespace riftbus::node {

namespace {

// A leader of this cluster makes this node a server of the log: nobody else sends entries. It
// speaks for itself, and to us: what consensus would refuse must not begin a log either.
bool is_call(const bus::Received& received, consensus::ClusterKey cluster, const NodeId& self) {
  const auto message = consensus::decode(std::get<wire::Consensus>(received.envelope.body).bytes);
  if (!message || message->cluster != cluster) return false;
  const bool is_true = message->from == replica::server_id_of(received.envelope.origin) &&
                       message->to == replica::server_id_of(self);
  return is_true && (std::holds_alternative<consensus::Append>(message->body) ||
                     std::holds_alternative<consensus::SnapshotChunk>(message->body));
}

}  // namespace

std::string Node::State::own_note() const {
  LogStage stage = founding ? LogStage::fresh : voter_trouble ? LogStage::used : LogStage::none;
  // An empty log was called into being by a leader.
  if (voter) {
    const bool is_begun = voter->replica().log().glance().last == consensus::Index(1);
    stage = is_begun ? LogStage::begun : LogStage::used;
  }
  return founding_note(stage, first_voters());
}

void Node::State::turn_founding() {
  founding->tick(now);
  if (!voter && !voter_trouble && founding->is_agreed(now)) open_log(founding->voters());
  if (voter_trouble || founding->is_over()) end_founding();
}

// The first entry of a new log, by all these voters; without any, what a leader will send. Syncing
// it may take a disk seconds, during which this node must be heard.
void Node::State::open_log(const std::vector<NodeId>& first) {
  if (is_opening_log) return;
  const bool is_called = first.empty();
  const auto opened = std::make_shared<std::optional<Result<OpenedLog>>>();
  const auto open = [setup = voter_setup(first), opened] {
    opened->emplace(VoterShell::open_log(setup));
    return Status(Ok{});
  };
  const auto keep = [this, first, opened, is_called](const Status&) {
    is_opening_log = false;
    keep_log(voter_setup(first), std::move(**opened));  // orders may have come meanwhile
    if (voter && is_called) end_founding();             // there is a leader
    if (voter && founding) founding->begin();
    work_desk->set_note(own_note());
  };
  is_opening_log = disk.post({open, keep});  // not taken: asked again in the next turn
}

void Node::State::end_founding() {
  founding.reset();
  founding_trouble.reset();
  leader_questions->set_trouble(voter_trouble ? &*voter_trouble : nullptr);
}

void Node::State::tend_founding() {
  const auto trouble = founding->trouble(now);
  if (!trouble) return;
  const bool is_news = !founding_trouble || founding_trouble->to_string() != trouble->to_string();
  founding_trouble = trouble;
  leader_questions->set_trouble(&*founding_trouble);
  if (is_news) bus::write_error(*founding_trouble);
}

// Whoever may speak of the log may rewrite it: this takes the role that an admin signed for.
void Node::State::on_consensus(const bus::Received& received, const std::set<Role>& roles) {
  if (!roles.contains(Role::voter)) return;
  // Read a second time only until this node follows: afterwards each entry passes here.
  if ((!voter || founding) && is_call(received, cluster_key(), prepared.settings.node_id)) {
    if (!voter && !voter_trouble && (!founding || founding->is_called(now))) open_log({});
    if (voter) end_founding();  // there is a leader
  }
  if (voter) voter->on_consensus(received, now);
}

}  // namespace riftbus::node
