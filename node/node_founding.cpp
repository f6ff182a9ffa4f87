// How a node comes to keep a log: it begins one with all first voters, or a leader calls on it.
#include "bus/log.h"
#include "node/consensus/codec.h"
#include "node/node_state.h"

namespace riftbus::node {

namespace {

// A leader makes this node a server of the log: nobody else sends entries.
bool is_call(const bus::Received& received) {
  const auto message = consensus::decode(std::get<wire::Consensus>(received.envelope.body).bytes);
  return message && (std::holds_alternative<consensus::Append>(message->body) ||
                     std::holds_alternative<consensus::SnapshotChunk>(message->body));
}

}  // namespace

std::string Node::State::own_note() const {
  LogStage stage = founding ? LogStage::fresh : voter_trouble ? LogStage::used : LogStage::none;
  // An empty log was called into being by a leader.
  if (voter) {
    const bool is_fresh = voter->replica().log().status().last == consensus::Index(1);
    stage = is_fresh ? LogStage::fresh : LogStage::used;
  }
  return founding_note(stage, first_voters());
}

void Node::State::turn_founding() {
  founding->tick(now);
  if (!founding->is_agreed()) return;
  const auto voters = founding->voters();
  end_founding();
  open_voter(voters);
}

void Node::State::end_founding() {
  founding.reset();
  founding_trouble.reset();
  leader_questions->set_trouble(nullptr);
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
  if (!voter && !voter_trouble && is_call(received)) {
    end_founding();
    open_voter({});
  }
  if (voter) voter->on_consensus(received, now);
}

}  // namespace riftbus::node
