// riftbus-sim: the protocol cores in virtual time. Exit code 0: everything held; 1: something did
// not; 2: wrong usage.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "test/sim/options.h"
#include "test/sim/pool.h"
#include "test/sim/report.h"
#include "test/sim/scenario.h"
#include "test/sim/script.h"

namespace riftbus::sim {

namespace {

constexpr unsigned kWallSecondsMax = 900;
constexpr std::size_t kFailuresShown = 5;

struct Tally {
  std::size_t runs = 0, failures = 0;
  double simulated_s = 0;
  std::uint64_t jobs = 0;
  std::uint64_t first_hash = 0;
};

std::vector<const Scenario*> chosen(const Options& options) {
  std::vector<const Scenario*> list;
  for (const std::string& name : options.scenarios) {
    if (const Scenario* one = find_scenario(name)) {
      list.push_back(one);
      continue;
    }
    if (name != "all" && name != "fast") {
      std::fprintf(stderr, "riftbus-sim: no scenario \"%s\"; see riftbus-sim list\n", name.c_str());
      return {};
    }
    for (const Scenario& scenario : all_scenarios()) {
      if (name == "all" || scenario.fast) list.push_back(&scenario);
    }
  }
  return list;
}

std::string replay_command(const Task& task) {
  std::string text = std::string("riftbus-sim --scenario ") + task.scenario->name + " --seed " +
                     std::to_string(task.args.seed);
  if (task.args.nodes) text += " --nodes " + std::to_string(*task.args.nodes);
  if (task.args.minutes) {
    char number[32];
    std::snprintf(number, sizeof number, " --minutes %g", *task.args.minutes);
    text += number;
  }
  return text;
}

// Runs a failed seed again, with its trace: the hash must be the same.
void explain_failure(const Task& task, const RunResult& result, std::size_t tail) {
  std::fprintf(stderr, "FAILED %s seed %llu: %s\n  replay: %s\n", task.scenario->name,
               static_cast<unsigned long long>(task.args.seed), result.violation.c_str(),
               replay_command(task).c_str());
  if (tail == 0 || result.hash == 0) return;
  Args again = task.args;
  again.trace_lines = tail;
  const Outcome outcome = task.scenario->run(again);
  if (outcome.hash != result.hash) std::fprintf(stderr, "  NOT DETERMINISTIC: hash differs\n");
  for (const std::string& line : outcome.tail) std::fprintf(stderr, "  %s\n", line.c_str());
}

// One seed of each scenario twice: anything that depends on memory addresses or real time shows.
bool is_deterministic(const Task& task, std::uint64_t hash) {
  if (task.scenario->run(task.args).hash == hash) return true;
  std::fprintf(stderr, "FAILED %s seed %llu: two runs of one seed differ\n", task.scenario->name,
               static_cast<unsigned long long>(task.args.seed));
  return false;
}

void write_json(const Options& options, const std::vector<Task>& tasks,
                const std::vector<RunResult>& results) {
  if (options.json.empty()) return;
  nlohmann::json list = nlohmann::json::array();
  for (const RunResult& result : results) {
    const Task& task = tasks[result.task];
    nlohmann::json one = {{"scenario", task.scenario->name},
                          {"seed", task.args.seed},
                          {"ok", result.violation.empty()},
                          {"violation", result.violation},
                          {"simulated_s", result.simulated_s}};
    for (const auto& [name, value] : result.figures) one["figures"][name] = value;
    list.push_back(one);
  }
  std::ofstream(options.json) << list.dump(1) << "\n";
}

int run(const Options& options) {
  std::vector<Task> tasks;
  for (const Scenario* scenario : chosen(options)) {
    for (std::uint64_t seed = options.seed_first; seed <= options.seed_last; ++seed) {
      Args args{seed, options.nodes, options.minutes, 0, {}};
      if (options.trace) args.trace_sink = [](const std::string& line) { std::puts(line.c_str()); };
      tasks.push_back({scenario, args});
    }
  }
  if (tasks.empty()) return 2;
  const auto begin = std::chrono::steady_clock::now();
  std::map<std::string, Tally> tallies;
  std::vector<RunResult> results, failures;
  run_pool(tasks, options.jobs, kWallSecondsMax, [&](const RunResult& result) {
    Tally& tally = tallies[tasks[result.task].scenario->name];
    ++tally.runs;
    tally.simulated_s += result.simulated_s;
    tally.jobs += result.jobs;
    if (tasks[result.task].args.seed == options.seed_first) tally.first_hash = result.hash;
    results.push_back(result);
    if (!result.violation.empty()) {
      ++tally.failures;
      failures.push_back(result);
    }
    if (!options.quiet && results.size() % 200 == 0) {
      std::fprintf(stderr, "%zu of %zu runs, %zu failed\n", results.size(), tasks.size(),
                   failures.size());
    }
    return failures.empty() || !options.until_failure;
  });
  for (std::size_t i = 0; i < std::min(failures.size(), kFailuresShown); ++i) {
    explain_failure(tasks[failures[i].task], failures[i], options.trace ? 0 : options.tail);
  }
  bool deterministic = true;
  for (const Task& task : tasks) {
    const Tally& tally = tallies[task.scenario->name];
    const bool is_first = task.args.seed == options.seed_first && task.scenario->fast;
    if (is_first && tally.first_hash != 0 && !options.trace) {
      deterministic = is_deterministic(task, tally.first_hash) && deterministic;
    }
  }
  write_json(options, tasks, results);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  for (const auto& [name, tally] : tallies) {
    std::printf("%-16s %6zu runs  %4zu failed  %10.0f s simulated  %12llu events\n", name.c_str(),
                tally.runs, tally.failures, tally.simulated_s,
                static_cast<unsigned long long>(tally.jobs));
  }
  if (tasks.size() == 1 && !options.quiet) {
    for (const auto& [name, value] : results[0].figures) {
      std::printf("  %-28s %g\n", name.c_str(), value);
    }
    std::printf("  %-28s %016llx\n", "trace hash",
                static_cast<unsigned long long>(results[0].hash));
  }
  std::printf("%zu runs, %zu failed, %.1f s\n", results.size(), failures.size(), took.count());
  return failures.empty() && deterministic ? 0 : 1;
}

// More seeds than CI has time for: RIFTBUS_SIM_SEEDS=100000 ctest -L sim.
void heed_environment(Options& options) {
  const char* text = options.seeds_env == 0 ? nullptr : std::getenv("RIFTBUS_SIM_SEEDS");
  if (text == nullptr) return;
  const auto seeds = std::strtoull(text, nullptr, 10) / options.seeds_env;
  options.seed_last = std::max<std::uint64_t>(options.seed_first, seeds);
}

int list() {
  for (const Scenario& scenario : all_scenarios()) {
    std::printf("%-16s %s\n", scenario.name, scenario.what);
  }
  return 0;
}

}  // namespace

}  // namespace riftbus::sim

int main(int argc, char** argv) {
  using namespace riftbus::sim;
  Options options = parse_options(std::vector<std::string>(argv + 1, argv + argc));
  if (!options.problem.empty()) {
    std::fprintf(stderr, "riftbus-sim: %s; see riftbus-sim --help\n", options.problem.c_str());
    return 2;
  }
  if (options.command == "help") {
    std::fputs(usage(), stdout);
    return 0;
  }
  if (options.command == "list") return list();
  if (options.command == "report") return run_report(options.sizes, options.json);
  if (options.command == "script") return run_scripts(options.files, options.rewrite);
  if (options.scenarios.empty()) {
    std::fputs(usage(), stderr);
    return 2;
  }
  heed_environment(options);
  return run(options);
}
