#include "test/sim/queue/stories.h"

namespace riftbus::consensus {

const std::vector<sim::Scenario>& all_stories() {
  static const std::vector<sim::Scenario> all = {
      {"log-chaos", "voters, workers and clients under a random mask of faults, then peace", true,
       run_log_chaos},
  };
  return all;
}

}  // namespace riftbus::consensus
