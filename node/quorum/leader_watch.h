// LeaderWatch: who leads, for this node and whoever asks it.
//
// A server of the log that follows a leader knows by itself: it is told. Any other node asks one
// voter, always the same one, so that a cluster's nodes spread over the voters. While it has a use
// for the answer (need()) it asks twice a second, with one small message. A node that asks nothing
// of the leader looks every few minutes, so that its connection to the voter is closed in between:
// of 200 idle nodes a third kept one to each voter, 3 MB, and all of them one to the leader when it
// was the leader that was asked, 10 MB. For the same reason it keeps asking its own voter for a
// while when that does not answer: of 200 nodes that started together each asked every voter. Once
// the leader has had to answer in its place, it asks another one next time. A voter that is told
// vouches for the leader it names, as the leader itself does. What anybody else says is a hint whom
// to ask, not news; a later term wins. Only what was vouched for is passed on, and as hearsay
// (`stale`), or two nodes could keep a dead leader's name alive between them.
//
// Leaderships are ordered by their reign: the generation above, the term below. An operator who
// begins a generation anew (`leader recover`) so ends every leadership before it: once it is heard
// of, no leader of an earlier one is believed, whatever its term, and be it by our own replica.
//
// A leader that nobody has vouched for in kDoubtAfter of asking is doubted: leader() is empty until
// somebody names one. So a node without need may for minutes name a leader that has been replaced;
// it says so (is_confirmed), and its own need, or the leader's death, makes it ask at once.
//
// Loop thread only. Everything passed by reference outlives this object.
#pragma once

#include <functional>
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
  static constexpr Seconds kNeedFor{60};
  static constexpr Seconds kPatience{5};   // with a voter that vouches for nobody, without need
  static constexpr Seconds kIdleAsk{300};  // several times bus::kIdle, after which links are closed
  static constexpr std::size_t kQuestionsMax = 64;

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
  void set_voters(std::vector<NodeId> voters);
  // Somebody said so. Ignored while our own replica tells us.
  void hint(const NodeId& leader, std::uint64_t reign, TimePoint now);
  // The leader may be another one, but nobody needs to know: asks until it is confirmed.
  void look(TimePoint now);
  // The leader's name matters for the next kNeedFor. Asks at once if nobody had needed it.
  void need(TimePoint now);
  // Whoever asks a node that has long asked nobody is to hear who leads now, not who led minutes
  // ago. Needs the name, and runs `question` at once or, after a rest, from run_waiting() when a
  // voter has spoken or none has in kDoubtAfter; in the order of asking. Beyond kQuestionsMax at
  // once, with what is known.
  void when_known(std::function<void()> question, TimePoint now);
  // After tick().
  void run_waiting(TimePoint now);
  // Nobody needs the name, and so it may be an old one. After need(), is_settled() tells when a
  // voter has spoken, or none has in kDoubtAfter.
  [[nodiscard]] bool is_resting() const { return is_resting_; }
  [[nodiscard]] bool is_settled(TimePoint now) const {
    return is_told_ || leader_.empty() || is_confirmed(now);
  }
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
  void choose_adviser(TimePoint now);
  void ask(TimePoint now);

  NodeId self_;
  std::vector<NodeId> voters_;
  bus::Bus& bus_;
  MemberShell& members_;
  NodeId leader_;
  std::uint64_t reign_ = 0;
  TimePoint since_{};
  TimePoint heard_{};         // when it became our leader, was vouched for, or asking began anew
  TimePoint confirmed_{};     // by itself, or by a voter that is told
  NodeId adviser_;            // the voter that is asked
  TimePoint advised_{};       // since it is
  bool has_vouched_ = false;  // the adviser, since it is asked, or since the last rest
  std::uint64_t version_ = 0;
  bool is_told_ = false;  // by our own replica
  TimePoint ask_due_{};
  TimePoint needed_until_{};
  bool is_resting_ = false;
  std::vector<std::function<void()>> waiting_;
  std::uint64_t asked_ = 0;
  std::size_t spread_ = 0;  // of this node's own, so that not all do the same at the same time
  std::size_t turn_ = 0;
};

}  // namespace riftbus::node
