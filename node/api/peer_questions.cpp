#include "node/api/peer_questions.h"

#include <algorithm>
#include <utility>

#include "node/mesh/roster_shell.h"

namespace riftbus::node {

namespace {

// A range of its own among the correlations of this node's owner.
constexpr std::uint64_t kFirstQuestion = kOwnerCorrelation + (std::uint64_t{1} << 59U);
constexpr std::uint64_t kCount = std::uint64_t{1} << 32U;

Error no_answer(const NodeId& peer, const std::string& why) {
  return {PeerQuestions::kNoAnswer, "the node does not answer: " + why, peer.value(),
          "see riftbus why node " + peer.value()};
}

}  // namespace

void PeerQuestions::ask(const NodeId& peer, const wire::Query& query, TimePoint deadline,
                        OnDocument done) {
  if (asked_.size() >= kAskedMax) {
    return done(Error{1725, "too many questions to other nodes are under way", "", "ask again"});
  }
  if (members_.core().find(peer) == nullptr) {
    return done(Error{1504, "no such member", peer.value(), "see riftbus node list"});
  }
  members_.make_known(peer);
  const std::uint64_t number = kFirstQuestion + next_++ % kCount;
  const auto outcome = bus_.send(peer, Correlation(number), query);
  if (outcome != bus::SendOutcome::sent && outcome != bus::SendOutcome::queued) {
    return done(no_answer(peer, bus::to_string(outcome)));
  }
  asked_[number] = {peer, deadline, std::move(done)};
}

bool PeerQuestions::on_answer(const bus::Received& received) {
  const std::uint64_t number = received.envelope.correlation.value();
  const auto* answer = std::get_if<wire::Answer>(&received.envelope.body);
  const auto* refusal = std::get_if<wire::Refusal>(&received.envelope.body);
  const bool is_ours = number >= kFirstQuestion && number < kFirstQuestion + kCount;
  if (!is_ours || (answer == nullptr && refusal == nullptr)) return false;
  const auto found = asked_.find(number);
  if (found == asked_.end() || found->second.peer != received.envelope.origin) return true;
  const auto asked = asked_.extract(found);
  if (answer != nullptr) {
    asked.mapped().done(answer->json);
  } else {
    asked.mapped().done(
        Error{refusal->code, refusal->what, asked.mapped().peer.value(), refusal->next});
  }
  return true;
}

void PeerQuestions::tick(TimePoint now) {
  for (auto at = asked_.begin(); at != asked_.end();) {
    const auto one = at++;
    if (now < one->second.deadline) continue;
    const auto late = asked_.extract(one);
    late.mapped().done(no_answer(late.mapped().peer, "in time"));
  }
}

TimePoint PeerQuestions::next_deadline() const {
  TimePoint due = TimePoint::max();
  for (const auto& [number, asked] : asked_) due = std::min(due, asked.deadline);
  return due;
}

}  // namespace riftbus::node
