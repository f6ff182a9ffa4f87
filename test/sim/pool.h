// Pool: many runs on a few processes. Processes and not threads, because a broken CHECK inside the
// core ends the process that ran into it: the seed is then known, reported, and the others go on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "test/sim/scenario.h"

namespace riftbus::sim {

struct Task {
  const Scenario* scenario = nullptr;
  Args args;
};

struct RunResult {
  std::size_t task = 0;
  std::string violation;  // empty: all is well
  std::uint64_t hash = 0;
  std::uint64_t jobs = 0;
  double simulated_s = 0;
  std::vector<std::pair<std::string, double>> figures;
};

// Runs each task once; `on_result` is called in the order in which they end, and ends the pool by
// returning false. A run that takes longer than `wall_s_max` of real time is ended and reported.
void run_pool(const std::vector<Task>& tasks, unsigned processes, unsigned wall_s_max,
              const std::function<bool(const RunResult&)>& on_result);

}  // namespace riftbus::sim
