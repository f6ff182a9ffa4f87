// WorkClient: asks the leader of the work queue, wherever it is, until it answers or time is up.
//
// A request is sent to whoever is believed to lead: this node itself, what the last answer said, or
// one voter after the other. Moved, busy, a lost connection and silence all mean the same: it is
// unknown whether anything happened, so the same bytes are sent again. Commands are made for that
// (node/work/command.h): a claim with the same request number is answered with the same grant, an
// Add with the same nonce adds nothing twice. This class never alters a request; whoever submits an
// Add draws the nonce, whoever claims anew takes the next request number.
//
// A failed call (an Error) therefore says nothing about what happened, except that it must not be
// given up: a worker whose claim failed asks again with the same request number.
//
// An answer of an earlier generation than one that was heard of is none: it comes from the remains
// of a log that an operator has replaced, and is asked for again elsewhere.
//
// Bounds: kCallsMax calls under way; more fail at once with kTooManyCalls. Retries are paced.
//
// Loop thread only. Callbacks are run from on_reply(), on_local() or tick(), never
// from within submit(); they may submit. Everything passed by reference outlives this object.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "node/quorum/leader_watch.h"
#include "node/work/command.h"
#include "node/work/lease_book.h"

namespace riftbus::node {

class MemberShell;

class WorkClient {
 public:
  static constexpr std::size_t kCallsMax = 16 * 1024;
  // Codes of a failed call: no leader in time, an unreadable answer, too many calls.
  static constexpr std::uint16_t kOutOfTime = 1723;
  static constexpr std::uint16_t kBadAnswer = 1724;
  static constexpr std::uint16_t kTooManyCalls = 1725;

  using OnReply = std::function<void(const Result<work::Reply>&)>;
  using OnRenewed = std::function<void(const Result<std::vector<work::RenewedAnswer>>&)>;
  // The raw answer, `done`. An Error: time is up, or this request can never succeed.
  using OnRaw = std::function<void(const Result<wire::WorkReply>&)>;
  using Number = std::uint64_t;
  // Hands a request to this node's own replica, which leads; on_local() follows.
  using Here = std::function<void(Number, const wire::WorkRequest&, TimePoint now)>;

  WorkClient(const NodeId& self, bus::Bus& bus, MemberShell& members, LeaderWatch& leader,
             Here here);

  // `wait`: a Claim's, for how long it may wait for work; the deadline should be later than that.
  // `client`: in whose name, if not in this node's own (node/quorum/work_desk.h).
  void submit(const work::Command& command, Nanos wait, TimePoint deadline, OnReply done,
              const NodeId& client = {});
  void renew(const work::Renewal& renewal, TimePoint deadline, OnRenewed done);
  void call(wire::WorkRequest request, TimePoint deadline, OnRaw done);

  // From the bus: a WorkReply, or a Refusal with one of our correlations. False: not ours.
  bool on_reply(const bus::Received& received, TimePoint now);
  // What this node's own replica made of it.
  void on_local(Number number, const Result<wire::WorkReply>& reply, TimePoint now);
  // Sends what is to be sent (again), ends what is over.
  void tick(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;
  [[nodiscard]] std::size_t open() const { return calls_.size(); }

 private:
  struct Call {
    wire::WorkRequest request;
    OnRaw done;
    TimePoint deadline;
    TimePoint next;  // to be sent (again) then
    NodeId target;   // of the try under way; empty: none is
    int tries = 0;
  };

  void attempt(Number number, Call& call, TimePoint now);
  void finish(Number number, const Result<wire::WorkReply>& reply);
  // Moved, busy, silent or lost: once more, from `at` on.
  void again(Call& call, TimePoint at);
  // Calls that wait for a node that no longer leads need not wait any longer.
  void follow_leader(TimePoint now);

  NodeId self_;
  bus::Bus& bus_;
  MemberShell& members_;
  LeaderWatch& leader_;
  Here here_;
  Number next_;
  std::map<Number, Call> calls_;
  std::set<std::pair<TimePoint, Number>> due_;  // each call once, at its `next`
  std::vector<OnRaw> refused_;                  // beyond kCallsMax: told by the next tick()
  std::uint64_t followed_ = 0;                  // version of the leader's identity
};

}  // namespace riftbus::node
