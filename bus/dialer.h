// Dialer: does anybody listen there? A bare TCP connect to each of a peer's addresses.
//
// The answer is evidence for the failure detector: a host that refuses at once has no such process
// any more, which says more than silence. Nothing is sent; an accepted connection is closed. All
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

enum class DialOutcome : std::uint8_t { accepted, refused, silent };

struct DialTarget {
  std::string host;  // numeric
  std::uint16_t port = 0;
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
  // Descriptors to poll for writability; they change with generation().
  void collect_descriptors(std::vector<int>& out) const;
  [[nodiscard]] bool idle() const { return dials_.empty(); }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] TimePoint next_deadline() const;
  // Looks at every open descriptor without waiting.
  void step(TimePoint now, std::vector<Finished>& out);

 private:
  struct Dial {
    NodeId peer;
    std::vector<int> descriptors;
    TimePoint deadline{};
    bool accepted = false;
    bool refused = false;
  };
  void open(Dial& dial, const DialTarget& target);
  void look(Dial& dial);
  static void close_all(Dial& dial);

  const Limits& limits_;
  std::list<Dial> dials_;
  std::uint64_t generation_ = 0;
};

}  // namespace riftbus::bus
