// Dialer: does anybody listen there? A bare TCP connect to each of a peer's addresses.
//
// The answer is evidence for the failure detector: a host that refuses at once has no such process
// any more, which says more than silence. Nothing is sent; an accepted connection is closed. A
// relay is asked for the node: what it answers at once is about itself as well (`relay_lost`). All
// addresses are tried at the same time. A dial ends with the first acceptance, when every address
// has answered, or when its patience ends.
//
// Contract: loop thread; never blocks; bounded by limits.dials_max, beyond which a dial is `silent`
// at once, which is no evidence against anybody.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "bus/bus_limits.h"
#include "config/types.h"

namespace riftbus::bus {

// With relays among the targets: silent: one of them answered, and leads nowhere; relay_lost: none
// of them did. A refusal is theirs then, and counts for nothing.
enum class DialOutcome : std::uint8_t { accepted, refused, silent, relay_lost };

struct DialTarget {
  std::string host;  // numeric
  std::uint16_t port = 0;
  std::string name;  // what a relay is asked for; empty: it is the node itself
  std::uint16_t number = 0;
};

class Dialer {
 public:
  struct Finished {
    NodeId peer;
    DialOutcome outcome = DialOutcome::silent;
  };

  explicit Dialer(const Limits& limits) : limits_(limits) {}
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  void start(const NodeId& peer, const std::vector<DialTarget>& targets, Nanos patience,
             TimePoint now);
  // What to poll for; changes with generation().
  struct Waiting {
    int descriptor = -1;
    bool is_asking = false;  // for readability, else for writability
  };
  void collect_descriptors(std::vector<Waiting>& out) const;
  [[nodiscard]] bool idle() const { return dials_.empty(); }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] TimePoint next_deadline() const;
  // Looks at every open descriptor without waiting.
  void step(TimePoint now, std::vector<Finished>& out);

 private:
  struct Try {
    int descriptor = -1;
    std::string question;  // for a relay, and not asked yet
    bool is_asking = false;
    std::string answer;
  };
  struct Dial {
    NodeId peer;
    std::vector<Try> tries;
    TimePoint deadline{};
    bool accepted = false;
    bool refused = false;
    bool relayed = false;
    bool relay_answered = false;
  };
  void open(Dial& dial, const DialTarget& target);
  void look(Dial& dial);
  // True: this one is over.
  bool look_at(Try& one, Dial& dial);
  static bool take_answer(Try& one, Dial& dial);
  [[nodiscard]] static DialOutcome outcome_of(const Dial& dial);
  static void close_all(Dial& dial);

  const Limits& limits_;
  std::list<Dial> dials_;
  std::uint64_t generation_ = 0;
};

}  // namespace riftbus::bus
