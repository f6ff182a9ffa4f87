// Stand: one membership core, and a town of peers played by the test, in the test's own time.
//
// A peer that `lives` beats each second and answers at once; what it says of others is what it
// would remember had it heard every beat of theirs. A peer that was `silenced` does neither. Time
// passes only in run(), in steps of 10 ms.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/membership/membership.h"
#include "test/node/membership/vocabulary.h"

namespace riftbus::membership {

struct Peer {
  bool beats = true;
  bool answers = true;
  bool can_hear_others = true;  // what it says when asked about others
  bool says_refused = false;    // likewise: its own connection was refused
  DialOutcome dialled = DialOutcome::accepted;
  bool answers_dials = true;
  bool is_relayed = false;  // before it is taken in
  std::uint64_t incarnation = 1;
  std::uint64_t instance = 1;
  std::uint64_t seq = 0;
  TimePoint started;
  TimePoint last_beat;
  TimePoint next_beat;
};

class Stand : public testing::Test {
 protected:
  explicit Stand(Timing timing = wan_timing());

  // ---- the town
  // n1..n<count>, taken in; then time passes until all of them are heard.
  void with_members(int count);
  void take_in(const NodeId& member);
  Peer& peer(const NodeId& member) { return peers_[member]; }
  Peer& peer(int number) { return peers_[numbered("n", number)]; }
  void silence(const NodeId& member);  // SIGSTOP: connections stay
  void kill(const NodeId& member);     // kill -9: FIN now, refusals from now on
  // The other watchers of a member, as the core under test sees it.
  [[nodiscard]] std::vector<NodeId> other_watchers(const NodeId& member) const;

  // ---- time and events
  void run(Nanos span);
  // Until it was announced; fails after `limit`. Returns the time it took.
  Nanos run_until(Happening happening, const NodeId& subject, Nanos limit);
  // The process stands still: nothing is called.
  void stand_still(Nanos span);
  void step(const Event& event);
  void beat(const NodeId& from, Nanos queued = Nanos::zero());
  void hear_flood(const NodeId& from, const wire::Claim& claim);
  void hear_call(const NodeId& from, wire::Body body, std::uint64_t reply_to = 0,
                 Correlation correlation = {});

  // ---- what came out
  [[nodiscard]] int count(Happening happening, const NodeId& subject) const;
  [[nodiscard]] int count(Happening happening) const;
  [[nodiscard]] const Announce* last(Happening happening) const;
  // Claims about the subject with this standing that were published / sent to `to`.
  [[nodiscard]] std::vector<wire::Claim> published(const NodeId& subject,
                                                   wire::Standing standing) const;
  [[nodiscard]] std::vector<wire::Claim> told(const NodeId& to, const NodeId& subject,
                                              wire::Standing standing) const;
  template <class Message>
  [[nodiscard]] std::vector<Message> sent(const NodeId& to) const {
    std::vector<Message> found;
    for (const auto& send : sends_) {
      const auto* message = std::get_if<Message>(&send.body);
      if (send.to == to && message != nullptr) found.push_back(*message);
    }
    return found;
  }
  [[nodiscard]] wire::Standing standing(const NodeId& member) const;
  [[nodiscard]] WatchReport report(const NodeId& member) const;
  void forget_output();

  // ---- settings before start()
  void start();
  Settings settings_;
  bool disk_works_ = true;

  Random random_{1};
  TimePoint now_{Seconds(1000)};
  std::unique_ptr<Membership> core_;
  std::vector<Announce> announced_;
  std::vector<wire::Body> publishes_;
  std::vector<Send> sends_;
  std::vector<Reply> replies_;
  std::vector<NodeId> dials_;
  std::vector<Incarnation> stores_;
  std::set<NodeId> subscribed_;
  int subscriptions_ = 0;  // ever made

 private:
  void execute(Actions actions);
  void answer(const Send& send);
  [[nodiscard]] wire::Envelope envelope(const NodeId& from, Seq seq, Correlation correlation,
                                        wire::Body body);
  std::map<NodeId, Peer> peers_;
  std::deque<Event> events_;
  bool stepping_ = false;
  std::uint64_t call_seq_ = 0;
};

}  // namespace riftbus::membership
