// LeaderWatch: who leads, for this node and whoever asks it.
//
// A server of the log that follows a leader knows by itself: it is told. Any other node asks one
// voter, twice a second, with one small message; always the same one, so that a cluster's nodes
// spread over the voters. (Asking the leader, each of 200 nodes kept a connection to it: 10 MB.)
// A voter that is told vouches for the leader it names, as the leader itself does. What anybody
// else says is a hint whom to ask, not news; a later term wins. Only what was vouched for is passed
// on, and as hearsay (`stale`), or two nodes could keep a dead leader's name alive between them.
//
// Leaderships are ordered by their reign: the generation above, the term below. An operator who
// begins a generation anew (`leader recover`) so ends every leadership before it: once it is heard
// of, no leader of an earlier one is believed, whatever its term, and be it by our own replica.
//
// A leader that nobody has vouched for in kDoubtAfter is doubted: leader() is empty until
// somebody names one.
//
// Loop thread only. Everything passed by reference outlives this object.
#pragma once

#include <vector>

#include "bus/bus.h"
#include "node/consensus/types.h"

namespace riftbus::node {

class MemberShell;

// What stands as `term` in a WorkReply. In the first generation, and for ever if nothing bad
// happens, it is the term.
inline constexpr unsigned kReignTermBits = 48;
[[nodiscard]] constexpr std::uint64_t reign_of(consensus::Generation generation,
                                               consensus::Term term) {
  const std::uint64_t above = generation.value() == 0 ? 0 : generation.value() - 1;
  return above << kReignTermBits | term.value();
}
[[nodiscard]] constexpr std::uint64_t term_in(std::uint64_t reign) {
  return reign & ((std::uint64_t{1} << kReignTermBits) - 1);
}
// Of an earlier generation.
[[nodiscard]] constexpr bool is_past(std::uint64_t reign, std::uint64_t known) {
  return reign >> kReignTermBits < known >> kReignTermBits;
}

class LeaderWatch {
 public:
  static constexpr Millis kAskEvery{500};
  static constexpr Millis kDoubtAfter{1600};

  LeaderWatch(const NodeId& self, std::vector<NodeId> voters, bus::Bus& bus, MemberShell& members);

  [[nodiscard]] const NodeId& leader() const { return leader_; }
  [[nodiscard]] std::uint64_t reign() const { return reign_; }
  [[nodiscard]] std::uint64_t term() const { return term_in(reign_); }
  [[nodiscard]] TimePoint since() const { return since_; }
  // By our own replica: our word is first-hand.
  [[nodiscard]] bool is_told() const { return is_told_; }
  [[nodiscard]] bool is_self() const { return leader_ == self_; }
  // Changes whenever leader() does.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] const std::vector<NodeId>& voters() const { return voters_; }

  // Whether the leader's name may be told to others.
  [[nodiscard]] bool is_confirmed(TimePoint now) const {
    return !leader_.empty() && (is_told_ || now - confirmed_ < kDoubtAfter);
  }

  // Of our own replica: the truth as far as this node can know it. Nobody: it has lost its leader,
  // or is no longer part of the log.
  void set(const NodeId& leader, std::uint64_t reign, TimePoint now);
  void set_voters(std::vector<NodeId> voters) { voters_ = std::move(voters); }
  // Somebody said so. Ignored while our own replica tells us.
  void hint(const NodeId& leader, std::uint64_t reign, TimePoint now);
  // It does not lead, or does not answer.
  void doubt(const NodeId& node, TimePoint now);
  // One voter after the other, never ourselves. Empty: there is none.
  NodeId next_voter();

  [[nodiscard]] static bool is_answer(const bus::Received& received);
  // From a voter, and naming one or nobody, as the caller has made sure. False: not an answer to
  // us.
  bool on_reply(const bus::Received& received, TimePoint now);
  void tick(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

 private:
  void change(const NodeId& leader, std::uint64_t reign, TimePoint now);

  NodeId self_;
  std::vector<NodeId> voters_;
  bus::Bus& bus_;
  MemberShell& members_;
  NodeId leader_;
  std::uint64_t reign_ = 0;
  TimePoint since_{};
  TimePoint heard_{};      // when it became our leader, or was vouched for
  TimePoint confirmed_{};  // by itself, or by a voter that is told
  NodeId adviser_;         // the voter that is asked
  std::uint64_t version_ = 0;
  bool is_told_ = false;  // by our own replica
  TimePoint ask_due_{};
  std::uint64_t asked_ = 0;
  std::size_t turn_ = 0;
};

}  // namespace riftbus::node
