#include "node/quorum/work_client.h"

#include <algorithm>
#include <utility>

#include "bus/clock.h"
#include "node/mesh/member_shell.h"
#include "node/mesh/roster_shell.h"
#include "node/replica/protocol.h"
#include "node/work/codec.h"

namespace riftbus::node {

namespace {

constexpr std::uint64_t kCallCorrelation = kOwnerCorrelation + (std::uint64_t{1} << 61U);
constexpr Seconds kTryMax{1};      // for an answer that should come at once
constexpr Millis kPauseFirst{20};  // before the same request is sent again
constexpr Millis kPauseMax{400};

Error out_of_time(const wire::WorkRequest& request, const NodeId& leader) {
  const bool is_question = request.ask == wire::WorkAsk::question;
  return {WorkClient::kOutOfTime, "no leader has answered in time", leader.value(),
          is_question ? "see `riftbus why leader`"
                      : "whether it was done is not known; repeat it as it was"};
}

Error bad_answer() {
  return {WorkClient::kBadAnswer, "the leader's answer cannot be read", "", "update this node"};
}

Nanos pause_after(int tries) {
  return std::min<Nanos>(kPauseMax, kPauseFirst * (1 << std::min(tries, 5)));
}

}  // namespace

WorkClient::WorkClient(const NodeId& self, bus::Bus& bus, MemberShell& members, LeaderWatch& leader,
                       Here here)
    : self_(self),
      bus_(bus),
      members_(members),
      leader_(leader),
      here_(std::move(here)),
      next_(kCallCorrelation) {}

// ---- typed -------------------------------------------------------------------------------------

void WorkClient::submit(const work::Command& command, Nanos wait, TimePoint deadline, OnReply done,
                        const NodeId& client) {
  wire::WorkRequest request;
  request.body = work::encode(command);
  request.client = client;
  request.wait_ms = static_cast<std::uint32_t>(to_ms(wait));
  call(std::move(request), deadline, [done = std::move(done)](const auto& raw) {
    if (!raw) return done(raw.error());
    auto reply = work::decode_reply(raw.value().body);
    if (!reply.ok()) return done(bad_answer());
    done(std::move(reply.value));
  });
}

void WorkClient::renew(const work::Renewal& renewal, TimePoint deadline, OnRenewed done) {
  wire::WorkRequest request;
  request.ask = wire::WorkAsk::renewal;
  request.body = replica::encode_renewal(renewal);
  call(std::move(request), deadline, [done = std::move(done)](const auto& raw) {
    if (!raw) return done(raw.error());
    auto answers = replica::decode_renewed(raw.value().body);
    if (!answers) return done(bad_answer());
    done(std::move(*answers));
  });
}

// ---- calls -------------------------------------------------------------------------------------

void WorkClient::call(wire::WorkRequest request, TimePoint deadline, OnRaw done) {
  if (calls_.size() >= kCallsMax) {
    refused_.push_back(std::move(done));
    return;
  }
  const Number number = next_++;
  Call& made = calls_[number];
  made.request = std::move(request);
  made.done = std::move(done);
  made.deadline = deadline;
  due_.emplace(made.next, number);
}

void WorkClient::again(Call& call, TimePoint at) {
  // The caller has taken the call out of due_ and puts it back.
  call.target = NodeId();
  call.next = std::min(at, call.deadline);
}

void WorkClient::attempt(Number number, Call& call, TimePoint now) {
  ++call.tries;
  NodeId target = leader_.leader();
  if (target.empty()) target = leader_.next_voter();
  if (target.empty()) return again(call, now + kPauseMax);
  const Nanos patience = Nanos(kTryMax) + Millis(call.request.wait_ms);
  call.next = std::min(call.deadline, now + patience);
  call.target = target;
  if (target == self_) return here_(number, call.request, now);
  members_.make_known(target);
  const auto outcome = bus_.send(target, Correlation(number), call.request);
  if (outcome == bus::SendOutcome::sent || outcome == bus::SendOutcome::queued) return;
  again(call, now + pause_after(call.tries));
}

void WorkClient::finish(Number number, const Result<wire::WorkReply>& reply) {
  auto found = calls_.extract(number);
  if (found.empty()) return;
  due_.erase({found.mapped().next, number});
  found.mapped().done(reply);
}

bool WorkClient::on_reply(const bus::Received& received, TimePoint now) {
  const Number number = received.envelope.correlation.value();
  if (number < kCallCorrelation || number >= bus::Bus::kOwnCorrelations) return false;
  const auto found = calls_.find(number);
  if (found == calls_.end() || found->second.target != received.envelope.origin) return true;
  if (const auto* refusal = std::get_if<wire::Refusal>(&received.envelope.body)) {
    on_local(number,
             Error{refusal->code, refusal->what, received.envelope.origin.value(), refusal->next},
             now);
  } else if (const auto* reply = std::get_if<wire::WorkReply>(&received.envelope.body)) {
    on_local(number, *reply, now);
  }
  return true;
}

void WorkClient::on_local(Number number, const Result<wire::WorkReply>& reply, TimePoint now) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;
  // Of a log that has ended: whatever it grants or promises, the cluster knows nothing of it.
  const bool is_over = reply && is_past(reply.value().term, leader_.reign());
  const bool is_done = !reply || reply.value().outcome == wire::WorkOutcome::done;
  if (is_done && !is_over) return finish(number, reply);
  Call& call = found->second;
  due_.erase({call.next, number});
  const NodeId asked = call.target;
  TimePoint at = now + pause_after(call.tries);
  if (is_done) {
    leader_.doubt(asked, now);
  } else if (reply.value().outcome == wire::WorkOutcome::moved) {
    const NodeId& named = reply.value().leader;
    if (named != asked) leader_.doubt(asked, now);
    leader_.hint(named, reply.value().term, now);
    if (!named.empty() && named != asked && leader_.leader() == named) at = now;
  }
  again(call, at);
  due_.emplace(call.next, number);
}

void WorkClient::follow_leader(TimePoint now) {
  if (followed_ == leader_.version()) return;
  followed_ = leader_.version();
  if (leader_.leader().empty()) return;
  for (auto& [number, call] : calls_) {
    if (call.target.empty() && call.tries == 0) continue;
    if (call.target == leader_.leader()) continue;
    due_.erase({call.next, number});
    again(call, now);
    due_.emplace(call.next, number);
  }
}

void WorkClient::tick(TimePoint now) {
  for (const OnRaw& done : std::exchange(refused_, {})) {
    done(Error{kTooManyCalls, "too many requests to the leader are under way", self_.value(),
               "ask again in a while"});
  }
  if (!calls_.empty()) leader_.need(now);
  follow_leader(now);
  // What a callback submits is looked at in the next turn.
  std::vector<Number> due;
  for (auto at = due_.begin(); at != due_.end() && at->first <= now; ++at)
    due.push_back(at->second);
  for (const Number number : due) {
    const auto found = calls_.find(number);
    if (found == calls_.end()) continue;
    Call& call = found->second;
    if (now >= call.deadline) {
      finish(number, out_of_time(call.request, leader_.leader()));
      continue;
    }
    due_.erase({call.next, number});
    if (!call.target.empty()) leader_.doubt(call.target, now);  // it was silent
    attempt(number, call, now);
    // Its own replica may have answered at once.
    if (const auto still = calls_.find(number); still != calls_.end()) {
      due_.emplace(still->second.next, number);
    }
  }
}

TimePoint WorkClient::next_deadline() const {
  if (!refused_.empty()) return TimePoint();
  return due_.empty() ? TimePoint::max() : due_.begin()->first;
}

}  // namespace riftbus::node
