// queue_load: one run of one load against one queue that is already up; one line of JSON.
//
//   queue_load SYSTEM SHAPE --port P --clients N [--threads T] [--seconds S] [--payload BYTES]
//              [--batch N] [--node ID --server-key Z85 --keys PREFIX]
//
// What the shapes mean stands in queue_load.h; test/bench/queue_bench.py starts the queues.
#include "test/bench/queue_load.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

namespace riftbus::bench {

void give_up(const std::string& why) {
  std::cerr << "queue_load: " << why << std::endl;
  std::_Exit(1);
}

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

std::uint64_t stamp_of(std::string_view payload) {
  std::uint64_t stamp = 0;
  if (payload.size() < sizeof stamp) give_up("an item came back without its payload");
  std::memcpy(&stamp, payload.data(), sizeof stamp);
  return stamp;
}

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kWarmUp = kSecond / 2;
// For what is under way when the time is up. NATS loses sight of what it gave to a pull that had
// expired, hands it out anew after ack_wait, more than once in a row, and now and then never.
constexpr std::uint64_t kSettleMax = 120 * kSecond;

// Shared by the threads of a run.
struct Run {
  LoadOptions options;
  bool is_trip = false;
  std::uint64_t warm_ns = 0;
  std::uint64_t end_ns = 0;
  std::atomic<std::uint64_t> added{0};
  std::atomic<std::uint64_t> finished{0};
  std::atomic<std::uint64_t> lost{0};
};

struct Samples {
  std::vector<std::uint64_t> add_ns;
  std::vector<std::uint64_t> trip_ns;
  std::uint64_t failed = 0;
};

// One connection and its share of the clients.
class Loop {
 public:
  Loop(Run& run, LoadDriver& driver, std::size_t clients)
      : run_(run), driver_(driver), payload_(run.options.payload_bytes, 'x') {
    for (std::size_t i = 0; i < clients; ++i) idle_.push_back(static_cast<std::uint32_t>(i));
    sent_ns_.assign(clients, 0);
  }

  Samples work() {
    if (run_.is_trip) driver_.consume(run_.options.batch);
    while (now_ns() < run_.end_ns) {
      release();
      turn(idle_.empty() ? Millis(100) : Millis(1));
    }
    settle();
    return std::move(samples_);
  }

 private:
  void release() {
    if (run_.is_trip && run_.added - run_.finished > run_.options.backlog) return;
    for (const std::uint32_t client : idle_) {
      sent_ns_[client] = now_ns();
      std::memcpy(payload_.data(), &sent_ns_[client], sizeof(std::uint64_t));
      driver_.add(client, payload_);
    }
    open_ += idle_.size();
    idle_.clear();
  }

  void turn(Millis patience) {
    came_.added.clear();
    came_.finished_ns.clear();
    came_.failed.clear();
    driver_.turn(patience, came_);
    const std::uint64_t now = now_ns();
    const bool counts = now >= run_.warm_ns && now < run_.end_ns;
    for (const std::uint32_t client : came_.added) {
      if (counts) samples_.add_ns.push_back(now - sent_ns_[client]);
      idle_.push_back(client);
    }
    for (const std::uint64_t stamp : came_.finished_ns) {
      if (counts) samples_.trip_ns.push_back(now - stamp);
    }
    idle_.insert(idle_.end(), came_.failed.begin(), came_.failed.end());
    samples_.failed += came_.failed.size();
    open_ -= came_.added.size() + came_.failed.size();
    run_.added += came_.added.size();
    run_.finished += came_.finished_ns.size();
  }

  // Everything that is under way ends, so that the next run begins with an empty queue.
  void settle() {
    const std::uint64_t deadline = now_ns() + kSettleMax;
    while (open_ > 0 || (run_.is_trip && run_.finished < run_.added)) {
      if (now_ns() > deadline) return lose();
      turn(Millis(10));
    }
  }

  // A peer's loss is in the report and costs it nothing: the measured time is over.
  void lose() {
    if (run_.options.system == "ours") give_up("requests were not answered");
    if (run_.is_trip) {
      run_.lost = run_.added - run_.finished;  // of all threads together
    } else {
      run_.lost += open_;
    }
  }

  Run& run_;
  LoadDriver& driver_;
  std::string payload_;
  std::vector<std::uint32_t> idle_;
  std::vector<std::uint64_t> sent_ns_;
  std::size_t open_ = 0;
  LoadTurn came_;
  Samples samples_;
};

double quantile_ms(std::vector<std::uint64_t>& sorted, double part) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * part);
  return static_cast<double>(sorted[at]) / 1e6;
}

nlohmann::ordered_json describe(std::vector<std::uint64_t>& samples, double seconds) {
  std::sort(samples.begin(), samples.end());
  return {{"per_s", static_cast<double>(samples.size()) / seconds},
          {"p50_ms", quantile_ms(samples, 0.5)},
          {"p99_ms", quantile_ms(samples, 0.99)},
          {"max_ms", quantile_ms(samples, 1)}};
}

using Maker = std::unique_ptr<LoadDriver> (*)(const LoadOptions&, std::size_t);
const std::map<std::string, Maker> kMakers = {
    {"ours", make_ours}, {"etcd", make_etcd}, {"nats", make_nats}, {"redis", make_redis}};

int run(const LoadOptions& options) {
  Run shared;
  shared.options = options;
  shared.is_trip = options.shape == "trip";
  const std::size_t threads = std::min(options.threads, options.clients);
  std::vector<std::unique_ptr<LoadDriver>> drivers;
  for (std::size_t i = 0; i < threads; ++i) {
    drivers.push_back(kMakers.at(options.system)(options, i + 1));
  }
  shared.warm_ns = now_ns() + kWarmUp;
  shared.end_ns = shared.warm_ns + static_cast<std::uint64_t>(options.seconds * 1e9);
  std::vector<Samples> samples(threads);
  std::vector<std::thread> loops;
  for (std::size_t i = 0; i < threads; ++i) {
    const std::size_t share = options.clients / threads + (i < options.clients % threads ? 1 : 0);
    loops.emplace_back([&, i, share] { samples[i] = Loop(shared, *drivers[i], share).work(); });
  }
  for (std::thread& loop : loops) loop.join();
  for (auto& driver : drivers) driver->clean();
  Samples all;
  for (Samples& one : samples) {
    all.add_ns.insert(all.add_ns.end(), one.add_ns.begin(), one.add_ns.end());
    all.trip_ns.insert(all.trip_ns.end(), one.trip_ns.begin(), one.trip_ns.end());
    all.failed += one.failed;
  }
  nlohmann::ordered_json report = {{"system", options.system},
                                   {"shape", options.shape},
                                   {"clients", options.clients},
                                   {"add", describe(all.add_ns, options.seconds)},
                                   {"trip", describe(all.trip_ns, options.seconds)},
                                   {"failed", all.failed},
                                   {"lost", shared.lost.load()}};
  std::cout << report.dump() << std::endl;
  return 0;
}

LoadOptions parse(int argc, char** argv) {
  LoadOptions options;
  if (argc < 3) give_up("usage: queue_load SYSTEM add|trip --port P ...; see queue_load.cpp");
  options.system = argv[1];
  options.shape = argv[2];
  const auto number = [](const char* text) { return std::strtoul(text, nullptr, 10); };
  const std::map<std::string, std::function<void(const char*)>> known = {
      {"--port", [&](auto* v) { options.port = static_cast<std::uint16_t>(number(v)); }},
      {"--clients", [&](auto* v) { options.clients = std::max(1ul, number(v)); }},
      {"--threads", [&](auto* v) { options.threads = std::max(1ul, number(v)); }},
      {"--batch", [&](auto* v) { options.batch = std::max(1ul, number(v)); }},
      {"--payload", [&](auto* v) { options.payload_bytes = std::max(8ul, number(v)); }},
      {"--backlog", [&](auto* v) { options.backlog = std::max(1ul, number(v)); }},
      {"--seconds", [&](auto* v) { options.seconds = std::max(0.1, std::strtod(v, nullptr)); }},
      {"--node", [&](auto* v) { options.node = v; }},
      {"--server-key", [&](auto* v) { options.server_key = v; }},
      {"--keys", [&](auto* v) { options.key_prefix = v; }}};
  for (int i = 3; i + 1 < argc; i += 2) {
    const auto found = known.find(argv[i]);
    if (found == known.end()) give_up(std::string("unknown option ") + argv[i]);
    found->second(argv[i + 1]);
  }
  if (!kMakers.contains(options.system)) give_up("no system called " + options.system);
  return options;
}

}  // namespace
}  // namespace riftbus::bench

int main(int argc, char** argv) { return riftbus::bench::run(riftbus::bench::parse(argc, argv)); }
