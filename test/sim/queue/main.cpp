// riftbus-queue-sim: consensus, queue and workers together in virtual time. Exit code 0: everything
// held; 1: something did not; 2: wrong usage. Options as riftbus-sim's; so is `script`.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "test/sim/options.h"
#include "test/sim/pool.h"
#include "test/sim/queue/script.h"
#include "test/sim/queue/stories.h"

namespace riftbus::consensus {

namespace {

constexpr unsigned kWallSecondsMax = 300;
constexpr std::size_t kFailuresShown = 5;

std::vector<sim::Task> make_tasks(const sim::Options& options) {
  std::vector<sim::Task> tasks;
  for (const std::string& name : options.scenarios) {
    for (const sim::Scenario& story : all_stories()) {
      const bool is_chosen = name == story.name || name == "all" || (name == "fast" && story.fast);
      for (std::uint64_t seed = options.seed_first; is_chosen && seed <= options.seed_last;
           ++seed) {
        sim::Args args{seed, options.nodes, options.minutes, 0, {}};
        if (options.trace) {
          args.trace_sink = [](const std::string& line) { std::puts(line.c_str()); };
        }
        tasks.push_back({&story, args});
      }
    }
  }
  return tasks;
}

// Again, with its trace: the hash must be the same.
void explain(const sim::Task& task, const sim::RunResult& result, std::size_t tail) {
  std::fprintf(stderr,
               "FAILED %s seed %llu: %s\n  replay: riftbus-queue-sim --scenario %s --seed %llu\n",
               task.scenario->name, static_cast<unsigned long long>(task.args.seed),
               result.violation.c_str(), task.scenario->name,
               static_cast<unsigned long long>(task.args.seed));
  if (tail == 0 || result.hash == 0) return;
  sim::Args again = task.args;
  again.trace_lines = tail;
  const sim::Outcome outcome = task.scenario->run(again);
  if (outcome.hash != result.hash) std::fprintf(stderr, "  NOT DETERMINISTIC: hash differs\n");
  for (const std::string& line : outcome.tail) std::fprintf(stderr, "  %s\n", line.c_str());
}

struct Tally {
  std::size_t runs = 0, failures = 0;
  double simulated_s = 0;
  std::uint64_t events = 0;
  std::map<std::string, double> sums;
};

void print(const std::map<std::string, Tally>& tallies) {
  for (const auto& [name, tally] : tallies) {
    std::printf("%-22s %7zu runs %4zu failed %9.0f s simulated %12llu events", name.c_str(),
                tally.runs, tally.failures, tally.simulated_s,
                static_cast<unsigned long long>(tally.events));
    for (const auto& [figure, sum] : tally.sums) {
      std::printf("  %s %.1f", figure.c_str(), sum / static_cast<double>(tally.runs));
    }
    std::printf("\n");
  }
}

int run(const sim::Options& options) {
  const std::vector<sim::Task> tasks = make_tasks(options);
  if (tasks.empty()) return 2;
  const auto begin = std::chrono::steady_clock::now();
  std::map<std::string, Tally> tallies;
  std::vector<sim::RunResult> failures;
  std::map<std::string, sim::RunResult> firsts;
  sim::run_pool(tasks, options.jobs, kWallSecondsMax, [&](const sim::RunResult& result) {
    const char* name = tasks[result.task].scenario->name;
    Tally& tally = tallies[name];
    ++tally.runs;
    tally.simulated_s += result.simulated_s;
    tally.events += result.jobs;
    for (const auto& [figure, value] : result.figures) tally.sums[figure] += value;
    if (tasks[result.task].args.seed == options.seed_first) firsts[name] = result;
    if (!result.violation.empty()) {
      ++tally.failures;
      failures.push_back(result);
    }
    return failures.empty() || !options.until_failure;
  });
  for (std::size_t i = 0; i < std::min(failures.size(), kFailuresShown); ++i) {
    explain(tasks[failures[i].task], failures[i], options.trace ? 0 : options.tail);
  }
  bool same = true;
  for (const auto& [name, result] : firsts) {
    if (options.trace || result.hash == 0) continue;
    const sim::Task& task = tasks[result.task];
    if (task.scenario->run(task.args).hash == result.hash) continue;
    std::fprintf(stderr, "FAILED %s: two runs of one seed differ\n", name.c_str());
    same = false;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  print(tallies);
  std::printf("%zu runs, %zu failed, %.1f s\n", tasks.size(), failures.size(), took.count());
  return failures.empty() && same ? 0 : 1;
}

}  // namespace

}  // namespace riftbus::consensus

int main(int argc, char** argv) {
  using namespace riftbus;
  sim::Options options = sim::parse_options(std::vector<std::string>(argv + 1, argv + argc));
  if (options.command == "script" && options.problem.empty()) {
    return sim::run_scripts(options.files, options.rewrite, consensus::play_queue_script);
  }
  if (!options.problem.empty() || options.scenarios.empty()) {
    std::fprintf(stderr, "usage: riftbus-queue-sim --scenario NAME|fast|all [options]: %s\n%s",
                 options.problem.c_str(), sim::usage());
    for (const sim::Scenario& story : consensus::all_stories()) {
      std::fprintf(stderr, "  %-22s %s\n", story.name, story.what);
    }
    return 2;
  }
  const char* seeds = options.seeds_env == 0 ? nullptr : std::getenv("RIFTBUS_SIM_SEEDS");
  if (seeds != nullptr) {
    options.seed_last = std::max<std::uint64_t>(
        options.seed_first, std::strtoull(seeds, nullptr, 10) / options.seeds_env);
  }
  return consensus::run(options);
}
