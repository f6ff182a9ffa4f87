#include "node/quorum/leader_watch.h"

#include <algorithm>
#include <utility>

#include "node/mesh/member_shell.h"
#include "node/mesh/roster_shell.h"

namespace riftbus::node {

namespace {

// Beside the pings of the desk and the calls of the work client.
constexpr std::uint64_t kWatchCorrelation = kOwnerCorrelation + (std::uint64_t{1} << 60U);
constexpr std::uint64_t kWatchCorrelations = std::uint64_t{1} << 32U;

}  // namespace

LeaderWatch::LeaderWatch(const NodeId& self, std::vector<NodeId> voters, bus::Bus& bus,
                         MemberShell& members)
    : self_(self), voters_(std::move(voters)), bus_(bus), members_(members) {
  for (const char letter : self.value()) {
    spread_ = spread_ * 31 + static_cast<unsigned char>(letter);
  }
  turn_ = spread_;
}

void LeaderWatch::set_voters(std::vector<NodeId> voters) {
  voters_ = std::move(voters);
  if (std::find(voters_.begin(), voters_.end(), adviser_) == voters_.end()) adviser_ = NodeId();
}

void LeaderWatch::change(const NodeId& leader, std::uint64_t reign, TimePoint now) {
  if (leader_ == leader && reign_ == reign) return;
  if (leader_ != leader) {
    since_ = now;
    heard_ = now;
    confirmed_ = TimePoint();
  }
  leader_ = leader;
  reign_ = reign;
  ++version_;
}

void LeaderWatch::set(const NodeId& leader, std::uint64_t reign, TimePoint now) {
  const bool is_over = is_past(reign, reign_);
  is_resting_ = false;
  if (leader.empty() || is_over) {
    if (is_told_) change(NodeId(), is_over ? reign_ : reign, now);
    is_told_ = false;
    return;
  }
  is_told_ = true;
  change(leader, reign, now);
  heard_ = confirmed_ = now;
}

void LeaderWatch::hint(const NodeId& leader, std::uint64_t reign, TimePoint now) {
  if (is_told_ || leader.empty()) return;
  if (reign < reign_ || (reign == reign_ && !leader_.empty())) return;
  change(leader, reign, now);
  ask_due_ = now;
}

void LeaderWatch::doubt(const NodeId& node, TimePoint now) {
  if (is_told_ || node != leader_ || node.empty()) return;
  change(NodeId(), reign_, now);
  ask_due_ = now;
}

NodeId LeaderWatch::next_voter() {
  for (std::size_t i = 0; i < voters_.size(); ++i) {
    const NodeId& voter = voters_[turn_++ % voters_.size()];
    if (voter != self_) return voter;
  }
  return {};
}

bool LeaderWatch::is_answer(const bus::Received& received) {
  const auto number = received.envelope.correlation.value();
  return number >= kWatchCorrelation && number < kWatchCorrelation + kWatchCorrelations;
}

bool LeaderWatch::on_reply(const bus::Received& received, TimePoint now) {
  if (!is_answer(received)) return false;
  const auto* reply = std::get_if<wire::WorkReply>(&received.envelope.body);
  if (reply == nullptr || is_told_) return true;
  const NodeId& from = received.envelope.origin;
  const bool vouched = from == reply->leader || !reply->stale;
  if (!leader_.empty() && reply->leader == leader_ && reply->term >= reign_ && vouched) {
    heard_ = confirmed_ = now;
    if (from != leader_) adviser_ = from;
    has_vouched_ = has_vouched_ || from == adviser_;
    if (!has_vouched_) choose_adviser(now);  // its silence is why the leader was asked
  }
  if (reply->leader.empty()) {
    if (from == leader_ && reply->term >= reign_) doubt(from, now);
  } else if (reply->term > reign_ || (reply->term == reign_ && leader_.empty())) {
    change(reply->leader, reply->term, now);
    if (vouched) confirmed_ = now;
    ask_due_ = now;
  }
  return true;
}

void LeaderWatch::need(TimePoint now) {
  if (now >= needed_until_) ask_due_ = std::min(ask_due_, now);
  needed_until_ = now + kNeedFor;
}

void LeaderWatch::look(TimePoint now) {
  if (is_resting_) ask_due_ = std::min(ask_due_, now);
}

void LeaderWatch::when_known(std::function<void()> question, TimePoint now) {
  const bool waits = is_resting_ || !waiting_.empty();
  need(now);
  if (!waits || waiting_.size() >= kQuestionsMax) return question();
  waiting_.push_back(std::move(question));
}

void LeaderWatch::run_waiting(TimePoint now) {
  if (waiting_.empty() || is_resting_ || !is_settled(now)) return;
  for (const auto& question : std::exchange(waiting_, {})) question();
}

void LeaderWatch::tick(TimePoint now) {
  if (is_told_ || now < ask_due_) return;
  if (now >= needed_until_ && is_confirmed(now)) {
    is_resting_ = true;
    // Half of kIdleAsk to one and a half, by turns: nodes that start together do not ask together.
    const auto part = (spread_ + asked_ * 7919) % 1000;
    ask_due_ = now + kIdleAsk / 2 + Millis(part * kIdleAsk.count());
    return;
  }
  if (is_resting_) {
    heard_ = now;  // nobody was asked: the silence until now means nothing
    has_vouched_ = false;
  }
  is_resting_ = false;
  ask_due_ = now + kAskEvery;
  if (!leader_.empty() && now - heard_ >= kDoubtAfter) change(NodeId(), reign_, now);
  ask(now);
}

void LeaderWatch::choose_adviser(TimePoint now) {
  adviser_ = next_voter();
  if (adviser_ == leader_) adviser_ = next_voter();
  advised_ = now;
  has_vouched_ = false;
}

void LeaderWatch::ask(TimePoint now) {
  // Not vouched for once: the leader itself is asked, and another voter.
  const bool is_quiet = now - heard_ > 2 * Nanos(kAskEvery);
  const bool is_lost = now < needed_until_ ? leader_.empty() || is_quiet
                                           : now - std::max(heard_, advised_) > kPatience;
  if (adviser_.empty() || is_lost) choose_adviser(now);
  std::vector<NodeId> asked{adviser_};
  if (is_quiet && leader_ != adviser_) asked.push_back(leader_);
  for (const NodeId& node : asked) {
    if (node.empty()) continue;
    members_.make_known(node);
    const Correlation number(kWatchCorrelation + (asked_++ % kWatchCorrelations));
    bus_.send(node, number, wire::WorkRequest{wire::WorkAsk::leader, {}, 0, {}});
  }
}

TimePoint LeaderWatch::next_deadline() const { return is_told_ ? TimePoint::max() : ask_due_; }

}  // namespace riftbus::node
