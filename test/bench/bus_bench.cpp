// bus_bench: messages through our bus against bare libzmq, both with CURVE, in the same minutes.
//
// Each measurement is a pair of fresh processes, server and client, over loopback; ours and bare
// ones alternate, so that the machine's other work falls on both; the best round of each counts.
// Ours does everything the daemon does per message: encode and decode, compare the origin with the
// key, look for duplicates and floods, count. Bare moves the same number of bytes and looks at none
// of them. What a number means stands in test/bench/README.md.
#include "test/bench/bus_bench.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "config/check.h"

namespace riftbus::bench {
namespace {

constexpr double kGoal = 0.7;

pid_t start(const std::function<void()>& work) {
  const pid_t child = ::fork();
  RIFTBUS_CHECK(child >= 0);
  if (child == 0) {
    work();
    ::_exit(0);
  }
  return child;
}

struct Outcome {
  double rate = 0;
  double cpu_us = 0;  // of both processes, start and connection included, per message
};

double children_cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

Outcome run_once(const Shape& shape, bool ours) {
  const double cpu_before = children_cpu_us();
  Pair pair;
  for (int* ends : {pair.to_server, pair.to_client, pair.to_parent}) {
    RIFTBUS_CHECK(::pipe(ends) == 0);
  }
  const pid_t server = start([&] { ours ? serve_ours(pair, shape) : serve_bare(pair, shape); });
  const pid_t client = start([&] {
    const double rate = ours ? ask_ours(pair, shape) : ask_bare(pair, shape);
    write_all(pair.to_parent[1], &rate, sizeof rate);
    write_all(pair.to_server[1], "q", 1);
  });
  int status = 0;
  ::waitpid(client, &status, 0);
  double rate = 0;
  if (status == 0) read_all(pair.to_parent[0], &rate, sizeof rate);
  if (status != 0) ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  for (int* ends : {pair.to_server, pair.to_client, pair.to_parent}) {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  return {rate, (children_cpu_us() - cpu_before) / static_cast<double>(shape.messages)};
}

// Other work on the machine only ever slows a round down, so the fastest says most.
void keep_best(Outcome& best, const Outcome& next, int round) {
  best.rate = std::max(best.rate, next.rate);
  best.cpu_us = round == 0 ? next.cpu_us : std::min(best.cpu_us, next.cpu_us);
}

int run(int rounds, double scale, const std::string& only, const std::string& json_path) {
  const Shape shapes[] = {
      {"PUB/SUB, beats", true, false, 0, 100'000},
      {"PUB/SUB, gossip of 200 bytes", true, true, 0, 60'000},
      {"calls, 1 in flight, ping", false, false, 1, 5'000},
      {"calls, 1 in flight, gossip of 200 bytes", false, true, 1, 5'000},
      {"calls, 64 in flight, ping", false, false, 64, 50'000},
      {"calls, 64 in flight, gossip of 200 bytes", false, true, 64, 40'000},
  };
  nlohmann::ordered_json report = nlohmann::ordered_json::array();
  bool all_met = true;
  std::printf("%-42s %10s %10s %6s %8s %8s  goal %.2f\n", "", "ours/s", "bare/s", "ratio",
              "ours us", "bare us", kGoal);
  for (Shape shape : shapes) {
    if (std::string(shape.name).find(only) == std::string::npos) continue;
    shape.messages = static_cast<std::size_t>(static_cast<double>(shape.messages) * scale);
    Outcome ours;
    Outcome bare;
    for (int round = 0; round < rounds; ++round) {
      keep_best(ours, run_once(shape, true), round);
      keep_best(bare, run_once(shape, false), round);
    }
    const double ratio = bare.rate > 0 ? ours.rate / bare.rate : 0;
    const bool met = ratio >= kGoal;
    all_met = all_met && met;
    std::printf("%-42s %10.0f %10.0f %6.2f %8.1f %8.1f  %s\n", shape.name, ours.rate, bare.rate,
                ratio, ours.cpu_us, bare.cpu_us, met ? "met" : "MISSED");
    std::fflush(stdout);
    report.push_back({{"name", shape.name},
                      {"ours", ours.rate},
                      {"peer", bare.rate},
                      {"ratio", ratio},
                      {"unit", "messages/s"},
                      {"goal", kGoal},
                      {"met", met},
                      {"cpu_us_ours", ours.cpu_us},
                      {"cpu_us_peer", bare.cpu_us}});
  }
  if (!json_path.empty()) std::ofstream(json_path) << report.dump(2) << '\n';
  return all_met ? 0 : 1;
}

}  // namespace
}  // namespace riftbus::bench

int main(int argc, char** argv) {
  int rounds = 15;
  double scale = 1;
  std::string json_path;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool has_value = i + 1 < argc;
    if (word == "--quick") {
      rounds = 5;
      scale = 0.5;
    } else if (word == "--json" && has_value) {
      json_path = argv[++i];
    } else if (word == "--rounds" && has_value) {
      rounds = std::max(1, static_cast<int>(std::strtol(argv[++i], nullptr, 10)));
    } else if (word == "--only" && has_value) {
      only = argv[++i];
    } else {
      std::cerr << "usage: bus_bench [--quick] [--rounds N] [--only TEXT] [--json FILE]\n";
      return word == "--help" ? 0 : 2;
    }
  }
  return riftbus::bench::run(rounds, scale, only, json_path);
}
