// Founding: when a first voter may begin the log of a new cluster.
//
// The voters that start without a log all write the same first entry: the list of first voters. If
// two had different lists, or one had lost its disk and began anew, two majorities could stand side
// by side, with two leaders and two queues. So nobody begins alone: the first start takes all first
// voters at once, and two steps. Each asks all others until every one has said that it has the same
// list and has not begun either, or only just begun: then it writes the first entry. It campaigns
// when every one has said that it has written it, too. From then on a majority is enough, as
// always, and a first voter without a log is one that has lost it.
//
// Such a one must not simply take the log from the leader again and vote: it may have acknowledged
// what is on no other disk of the majority that it would then elect. Whoever hears of a leader, or
// of a log with more than its beginning in it, begins nothing and follows nobody, until the leader
// lists it as a learner (`riftbus voter remove`, `riftbus voter add`): a learner has caught up with
// everything before it votes.
//
// What was said counts for kHeardFresh: who has answered and died agrees to nothing. Only that it
// has begun stays true.
//
// The questions are WorkRequests: `leader`, to whose answers founding_note() is the body, and
// voter.list to a leader that was named.
//
// Loop thread only. Everything passed by reference outlives this object.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/bus.h"

namespace riftbus::node {

class MemberShell;

// How far the answering node's own log is: there is none and none is due, it is about to begin, its
// first entry is written, or it is in use (or was, and is damaged).
enum class LogStage : std::uint8_t { none, fresh, begun, used };

// "fresh n1,n2,n3": the stage, and the first voters that this node knows of, in order.
[[nodiscard]] std::string founding_note(LogStage stage, std::vector<NodeId> voters);

class Founding {
 public:
  static constexpr Millis kAskEvery{100};        // while the others may be starting
  static constexpr Millis kAskLaterEvery{1000};  // after kTroubleAfter
  static constexpr Seconds kTroubleAfter{5};     // how long a start may take before it is told
  static constexpr Seconds kHeardFresh{3};       // above kAskLaterEvery: an answer may be lost

  Founding(const NodeId& self, std::vector<NodeId> voters, bus::Bus& bus, MemberShell& members,
           TimePoint now);

  // Everyone agrees: write the first entry, and say so with begin().
  [[nodiscard]] bool is_agreed(TimePoint now) const;
  void begin() { has_begun_ = true; }
  // Everyone has written it: campaign.
  [[nodiscard]] bool is_over() const;
  // The leader counts us among its learners: it may bring us the log.
  [[nodiscard]] bool is_called(TimePoint now) const {
    return is_learner_ && now - listed_at_ < kHeardFresh;
  }
  [[nodiscard]] const std::vector<NodeId>& voters() const { return voters_; }
  // What keeps it from beginning, once that has lasted; 1710 other lists, 1712 voters missing, 1713
  // there is a log already.
  [[nodiscard]] std::optional<Error> trouble(TimePoint now) const;
  // It is one of these.
  [[nodiscard]] static bool is_waiting(const Error& error);

  // An answer to a question of a Founding, perhaps of one that is over.
  [[nodiscard]] static bool is_answer(const bus::Received& received);
  void on_reply(const bus::Received& received, TimePoint now);
  void tick(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const { return due_; }

 private:
  struct Heard {
    std::string note;
    NodeId leader;
    TimePoint at{};
  };
  [[nodiscard]] bool agrees(const Heard& heard) const;
  [[nodiscard]] bool has_begun(const Heard& heard) const;
  // Nullptr: it has not answered, or too long ago.
  [[nodiscard]] const Heard* fresh_word_of(const NodeId& voter, TimePoint now) const;
  void ask(const NodeId& whom, wire::WorkRequest request, bool is_list);
  void hear_list(const wire::WorkReply& reply, TimePoint now);

  NodeId self_;
  std::vector<NodeId> voters_;
  std::string fresh_, begun_;  // notes that a voter with our list gives
  bus::Bus& bus_;
  MemberShell& members_;
  TimePoint since_;
  TimePoint due_;
  std::uint64_t asked_ = 0;
  std::map<NodeId, Heard> heard_;  // the newest answer of each
  bool has_begun_ = false;
  bool is_learner_ = false;
  TimePoint listed_at_{};
};

}  // namespace riftbus::node
