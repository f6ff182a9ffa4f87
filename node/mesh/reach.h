// Reach: whether others can dial this node, by their own word.
//
// No node can tell this of itself: its router, its provider's firewall and its mapped ports look
// the same from within whether they let anybody in or not. So it asks. Round after round two
// members dial its addresses with its key (bus/prover.h) and say what came of it; both succeeded:
// it can be dialled; both failed: it cannot. If they disagree, further ones are asked until two say
// the same. Witnesses are drawn at random, first those that do not share a network with this node,
// and of different failure domains: a neighbour's success says little about everybody else, and
// nothing where somebody from elsewhere failed.
//
// The verdict is never sticky, and good news needs the same evidence as bad: rounds go on at the
// same pace whatever the verdict, start at once when the addresses change, and a verdict that no
// round has confirmed for kTrusted is forgotten. Who answers nothing, or cannot (an older version),
// is no evidence either way and rests for a while.
//
// Pure: `now` never decreases, chance comes from the Random that was passed in. Bounded by
// kWitnessesMax a round; tries of addresses that are not this node's any more are ignored.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "bus/wire/message.h"
#include "config/random.h"
#include "config/types.h"

namespace riftbus::node {

enum class Reachability : std::uint8_t { unknown, direct, blocked };
[[nodiscard]] const char* to_string(Reachability reachability);

// What one witness found at one address.
struct DialTry {
  wire::Address address;
  bool worked = false;
  std::string trouble;       // if it did not
  std::optional<Nanos> rtt;  // if it did
  bool operator==(const DialTry&) const = default;
};

// A member that could be asked now.
struct Witness {
  NodeId id;
  std::string domain;
  bool is_near = false;  // shares a network with this node
};

// ---- events ----------------------------------------------------------------------------------

// Once a second: how things are.
struct ReachLook {
  std::vector<wire::Address> addresses;  // this node's own, without relays
  std::vector<Witness> witnesses;
};
struct ReachSaid {
  NodeId witness;
  std::vector<DialTry> tries;
};
struct ReachSilent {
  NodeId witness;
  std::string why;
};
using ReachEvent = std::variant<ReachLook, ReachSaid, ReachSilent>;

struct ReachActions {
  std::vector<NodeId> ask;   // each ends with a ReachSaid or a ReachSilent
  bool has_changed = false;  // the verdict
};

// What came of asking one member, for people.
struct Testimony {
  NodeId witness;
  TimePoint at{};                // of the answer, or of the question while there is none
  std::vector<DialTry> tries;    // of addresses that are ours
  std::string silence;           // why there is no answer; empty: there is one, or it is awaited
  std::optional<bool> can_dial;  // its vote
};

class Reach {
 public:
  static constexpr std::size_t kVotes = 2;
  static constexpr std::size_t kWitnessesMax = 5;  // of one round
  static constexpr Seconds kFirst{5};              // after the addresses are known: others hear
  static constexpr Seconds kEvery{30};             // between rounds, a quarter more or less
  static constexpr Seconds kTrusted{150};
  static constexpr Seconds kRest{120};      // of a witness that did not answer
  static constexpr Seconds kRoundMax{90};   // answers that are lost end it
  static constexpr Seconds kAnswerMax{20};  // what the owner waits for one

  Reach(std::string own_domain, Random& random)
      : own_domain_(std::move(own_domain)), random_(random) {}

  void step(const ReachEvent& event, TimePoint now, ReachActions& out);

  [[nodiscard]] Reachability verdict() const { return verdict_; }
  [[nodiscard]] TimePoint since() const { return since_; }  // it is so
  // The verdict of the last round that had one, also when it is forgotten by now. For what must not
  // be torn down for want of somebody to ask.
  [[nodiscard]] Reachability last_found() const { return last_found_; }
  [[nodiscard]] TimePoint next_round() const { return due_; }
  // Of the round that decided last; with `unknown`, of the last one.
  [[nodiscard]] const std::vector<Testimony>& evidence() const { return evidence_; }
  // Why there is no verdict; empty: there is one.
  [[nodiscard]] std::string doubt() const;

 private:
  void on(const ReachLook& look, TimePoint now, ReachActions& out);
  void on(const ReachSaid& said, TimePoint now, ReachActions& out);
  void on(const ReachSilent& silent, TimePoint now, ReachActions& out);
  void begin(const ReachLook& look, TimePoint now);
  void advance(TimePoint now, ReachActions& out);
  void end(Reachability found, TimePoint now, ReachActions& out);
  void set(Reachability verdict, TimePoint now, ReachActions& out);
  [[nodiscard]] Testimony* awaited(const NodeId& witness);
  [[nodiscard]] std::size_t votes(bool can_dial) const;
  [[nodiscard]] std::vector<NodeId> line(const ReachLook& look, TimePoint now);

  const std::string own_domain_;
  Random& random_;
  std::vector<wire::Address> addresses_;
  Reachability verdict_ = Reachability::unknown;
  Reachability last_found_ = Reachability::unknown;
  TimePoint since_{};
  TimePoint confirmed_{};
  TimePoint due_ = TimePoint::max();
  std::size_t candidates_ = 0;  // at the last look
  bool is_asking_ = false;
  TimePoint began_{};
  std::vector<NodeId> line_;  // whom this round may still ask, best last
  std::set<NodeId> near_;     // of this round's: neighbours
  std::vector<Testimony> round_;
  std::vector<Testimony> evidence_;
  std::map<NodeId, TimePoint> resting_;  // until then
};

// Whether two private addresses look as if they were on one network: IPv4 in the same /24.
[[nodiscard]] bool share_network(const wire::Address& a, const wire::Address& b);
[[nodiscard]] bool share_network(const std::vector<wire::Address>& a,
                                 const std::vector<wire::Address>& b);

}  // namespace riftbus::node
