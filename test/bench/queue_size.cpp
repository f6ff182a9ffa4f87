// queue_size: what a large queue costs: memory, snapshots, a restart, claims, and the loop's time.
//
//   queue_size [--queued N] [--finished N] [--directory DIR] [--json FILE]
//
// One voter as the daemon runs it, without the bus (node/quorum/log_disk.h). It is filled through
// commands, like any queue: items of 128 bytes are added, claimed and completed until so many are
// finished, then so many more are left waiting. A turn is what the daemon's loop does for the log
// between two waits; its longest one is how long the daemon would have heard nobody.
//
// "finished": the queue remembers what became of its last Settings::history_max items (a million),
// 50 bytes each, and no more; results of the last 4096. So a million is as large as it gets.
#include <malloc.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bus/clock.h"
#include "config/check.h"
#include "node/disk/sqlite_log_store.h"
#include "node/quorum/voter_shell.h"
#include "node/work/codec.h"
#include "node/work/snapshot.h"

namespace riftbus::bench {
namespace {

using bus::boot_now;

constexpr std::size_t kItemsPerAdd = 256;
constexpr std::size_t kPipeline = 32;  // commands under way
constexpr std::size_t kRound = kItemsPerAdd * kPipeline;
constexpr double kStallGoalMs = 50;

double ms_of(Nanos span) { return std::chrono::duration<double, std::milli>(span).count(); }

double processor_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

double resident_mb() {
  ::malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::cerr << "queue_size: " << result.error().to_string() << std::endl;
  std::exit(1);
}

struct Turns {
  double wall_ms_max = 0, processor_ms_max = 0;
};

class Voter {
 public:
  explicit Voter(const std::string& folder) {
    const consensus::ServerId self(1);
    const consensus::ClusterKey cluster(7);
    auto store = must(disk::SqliteLogStore::open(folder, {cluster, self}));
    const auto first =
        consensus::bootstrap({consensus::Generation(1), {{self, consensus::Standing::voter, 0}}});
    auto start = must(node::LogDisk::load(*store, &first));
    replica::ReplicaSettings settings;
    settings.log.self = self;
    settings.log.cluster = cluster;
    settings.log.memory = std::move(start.memory);
    node::bound_turns(settings);
    replica_ = std::make_unique<replica::QueueReplica>(std::move(settings), std::move(start.queue),
                                                       random_);
    disk_ = std::make_unique<node::LogDisk>(std::move(store));
  }

  void turn() {
    const TimePoint before = boot_now();
    const TimePoint due = replica_->next_deadline(before);
    if (due > before) {
      pollfd item{disk_->wake_fd(), POLLIN, 0};
      ::poll(&item, 1, static_cast<int>(std::min(ms_of(due - before), 100.0)) + 1);
    }
    const TimePoint now = boot_now();
    const double processor = processor_ms();
    work(now);
    turns.wall_ms_max = std::max(turns.wall_ms_max, ms_of(boot_now() - now));
    turns.processor_ms_max = std::max(turns.processor_ms_max, processor_ms() - processor);
  }

  void submit(work::Command command) {
    std::string bytes = work::encode(command);
    ++open;
    replica_->take(
        replica::Submit{replica::Ticket(++tickets_), std::move(command), std::move(bytes), Nanos()},
        boot_now());
  }
  std::vector<work::Reply> settle() {
    while (open > 0) turn();
    return std::exchange(replies_, {});
  }

  [[nodiscard]] const replica::QueueReplica& replica() const { return *replica_; }
  [[nodiscard]] node::LogDisk::Figures figures() const { return disk_->figures(); }

  Turns turns;
  std::size_t open = 0;
  double snapshot_ms = 0;  // the last one

 private:
  void work(TimePoint now) {
    done_.clear();
    disk_->collect(done_);
    for (node::DiskDone& done : done_) {
      if (const auto* event = std::get_if<consensus::Event>(&done)) {
        if (std::holds_alternative<consensus::SnapshotTaken>(*event)) {
          snapshot_ms = ms_of(now - snapshot_began_);
        }
        replica_->take(*event, now);
      }
      if (std::holds_alternative<node::PieceWritten>(done)) replica_->piece_written();
      RIFTBUS_CHECK(!std::holds_alternative<node::DiskTrouble>(done));
    }
    if (now >= replica_->log().next_deadline()) {
      replica_->take(consensus::Event(consensus::Tick{}), now);
    }
    actions_.clear();
    replica_->flush(now, actions_);
    for (replica::Action& action : actions_) execute(action, now);
    disk_->commit();
  }

  void execute(replica::Action& action, TimePoint now) {
    std::visit(
        [&](auto& one) {
          using One = std::decay_t<decltype(one)>;
          if constexpr (std::is_same_v<One, replica::Answer>) {
            --open;
            auto* reply = std::get_if<work::Reply>(&one.body);
            RIFTBUS_CHECK(reply != nullptr);
            replies_.push_back(std::move(*reply));
          } else if constexpr (!std::is_same_v<One, consensus::Send> &&
                               !std::is_same_v<One, consensus::Announce>) {
            if constexpr (requires { one.is_first; }) {
              if (one.is_first) snapshot_began_ = now;
            }
            disk_->post(std::move(one));
          }
        },
        action);
  }

  Random random_{1};
  std::unique_ptr<replica::QueueReplica> replica_;
  std::unique_ptr<node::LogDisk> disk_;
  std::uint64_t tickets_ = 0;
  TimePoint snapshot_began_{};
  std::vector<work::Reply> replies_;
  std::vector<node::DiskDone> done_;
  replica::Actions actions_;
};

// Its worker and its adder in one.
class Filler {
 public:
  explicit Filler(Voter& voter) : voter_(voter) {
    while (!voter_.replica().is_leading()) voter_.turn();
  }

  void add(std::size_t count) {
    for (std::size_t added = 0; added < count;) {
      for (std::size_t i = 0; i < kPipeline && added < count; ++i) {
        work::Add add{++nonce_, {}};
        for (; add.items.size() < kItemsPerAdd && added < count; ++added) {
          add.items.emplace_back();
          add.items.back().kind = "bench";
          add.items.back().payload.assign(128, 'x');
        }
        voter_.submit(std::move(add));
      }
      for (const work::Reply& reply : voter_.settle()) {
        RIFTBUS_CHECK(std::get<work::Added>(reply).outcome == work::Outcome::ok);
      }
    }
  }

  // Claims that many, as claims of at most `max`, and completes what it was given.
  void finish(std::size_t count, std::uint32_t max) {
    for (std::size_t done = 0; done < count;) {
      const std::size_t claims = std::min(kPipeline, (count - done + max - 1) / max);
      for (std::size_t i = 0; i < claims; ++i) submit_claim(max);
      for (const work::Reply& reply : voter_.settle()) {
        const auto& claimed = std::get<work::Claimed>(reply);
        RIFTBUS_CHECK(!claimed.grants.empty());
        work::Complete complete{worker_, {}};
        for (const work::Grant& grant : claimed.grants) {
          complete.works.push_back({{grant.id, claimed.fence}, {}});
        }
        done += claimed.grants.size();
        voter_.submit(std::move(complete));
      }
      for (const work::Reply& reply : voter_.settle()) {
        RIFTBUS_CHECK(std::get<work::Verdicts>(reply).outcome == work::Outcome::ok);
      }
    }
  }

  // One claim of one item at a time, each awaited; sorted.
  std::vector<double> time_claims(std::size_t count) {
    std::vector<double> spans_ms;
    for (std::size_t i = 0; i < count; ++i) {
      const TimePoint began = boot_now();
      submit_claim(1);
      RIFTBUS_CHECK(!std::get<work::Claimed>(voter_.settle().front()).grants.empty());
      spans_ms.push_back(ms_of(boot_now() - began));
    }
    std::sort(spans_ms.begin(), spans_ms.end());
    return spans_ms;
  }

 private:
  void submit_claim(std::uint32_t max) {
    voter_.submit(work::Claim{worker_, Instance(1), ++request_, max, {}});
  }

  Voter& voter_;
  const NodeId worker_ = *NodeId::parse("bench");
  // Above those of an earlier life.
  std::uint64_t nonce_ = static_cast<std::uint64_t>(boot_now().time_since_epoch().count());
  std::uint64_t request_ = nonce_;
};

struct Report {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  bool all_met = true;

  void add(const std::string& name, double value, const char* unit, double goal = 0) {
    const bool met = goal == 0 || value <= goal;
    all_met = all_met && met;
    std::printf("%-58s %10.3f %-6s", name.c_str(), value, unit);
    if (goal != 0) std::printf(" goal %g: %s", goal, met ? "met" : "MISSED");
    std::printf("\n");
    std::fflush(stdout);
    rows.push_back({{"name", name},
                    {"ours", value},
                    {"peer", nullptr},
                    {"ratio", nullptr},
                    {"unit", unit},
                    {"goal", goal == 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(goal)},
                    {"met", met}});
  }
  void add(const std::string& name, const Turns& turns) {
    add("longest turn of the loop, " + name, turns.wall_ms_max, "ms", kStallGoalMs);
    add("  of it on the processor", turns.processor_ms_max, "ms");
  }
};

void fill(Voter& voter, std::size_t finished, std::size_t queued, Report& report) {
  Filler filler(voter);
  const double empty_mb = resident_mb();
  report.add("memory, empty", empty_mb, "MB");
  const TimePoint began = boot_now();
  for (std::size_t done = 0; done < finished; done += kRound) {
    filler.add(std::min(kRound, finished - done));
    filler.finish(std::min(kRound, finished - done), work::kClaimMax);
  }
  const double span_s = ms_of(boot_now() - began) / 1e3;
  report.add("items added, claimed and completed", static_cast<double>(finished) / span_s, "/s");
  const double finished_mb = resident_mb();
  filler.add(queued);
  const double full_mb = resident_mb();
  report.add("memory, all finished", finished_mb, "MB");
  report.add("memory, and all queued", full_mb, "MB");
  report.add("while filling", voter.turns);
  voter.turns = {};
  // On at the full size, until a snapshot of it has ended.
  const std::uint64_t taken = voter.figures().snapshots;
  for (int i = 0; i < 1000 && voter.figures().snapshots < taken + 2; ++i) {
    filler.add(kRound);
    filler.finish(kRound, work::kClaimMax);
  }
  report.add("snapshot, from its beginning to durable", voter.snapshot_ms, "ms");
  report.add("  its size", static_cast<double>(voter.figures().snapshot_bytes) / 1e6, "MB");
  report.add("at full size, during snapshots", voter.turns);
  voter.turns = {};
  const auto claims_ms = filler.time_claims(1000);
  report.add("claim of one item, median", claims_ms[claims_ms.size() / 2], "ms");
  report.add("claim of one item, p99", claims_ms[claims_ms.size() * 99 / 100], "ms");
  report.add("during claims", voter.turns);
  report.add("memory at the end", resident_mb(), "MB");
}

// What one queue needs for itself, from a snapshot of this one.
void weigh(const Voter& voter, Report& report) {
  const auto& ledger = voter.replica().queue().ledger();
  const std::string bytes = work::write_snapshot(voter.replica().queue());
  const double before_mb = resident_mb();
  const TimePoint began = boot_now();
  const auto copy = must(work::read_snapshot(bytes));
  report.add("a queue read from its snapshot, time", ms_of(boot_now() - began), "ms");
  report.add("  its memory", resident_mb() - before_mb, "MB");
  report.add("  items unfinished", static_cast<double>(ledger.items.size()), "");
  report.add("  items finished and remembered", static_cast<double>(ledger.history.size()), "");
}

void weigh_items(Report& report) {
  const auto grow = [](std::size_t queued, std::size_t finished) {
    work::WorkQueue queue;
    const double before_mb = resident_mb();
    std::uint64_t index = 0;
    const NodeId worker = *NodeId::parse("bench");
    const auto apply = [&](const work::Command& command) {
      ++index;
      return queue.apply({index, 1, static_cast<work::LogMs>(index)}, command);
    };
    for (std::size_t i = 0; i < queued + finished; i += kItemsPerAdd) {
      work::Add add{i + 1, {}};
      add.items.resize(kItemsPerAdd);
      for (work::Spec& spec : add.items) {
        spec.kind = "bench";
        spec.payload.assign(128, 'x');
      }
      RIFTBUS_CHECK(std::get<work::Added>(apply(add)).outcome == work::Outcome::ok);
      if (i >= finished) continue;
      const auto claimed = std::get<work::Claimed>(
          apply(work::Claim{worker, Instance(1), i + 1, work::kClaimMax, {}}));
      work::Complete complete{worker, {}};
      for (const auto& grant : claimed.grants) {
        complete.works.push_back({{grant.id, claimed.fence}, {}});
      }
      apply(complete);
    }
    return (resident_mb() - before_mb) * 1e6 / static_cast<double>(queued + finished);
  };
  report.add("growth per queued item with 128 bytes of payload", grow(100 * 1024, 0), "bytes");
  report.add("growth per finished item", grow(0, 400 * 1024), "bytes");
}

int run(std::size_t queued, std::size_t finished, const std::string& directory,
        const std::string& json_path) {
  const std::string folder = directory + "/riftbus-queue-size." + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  Report report;
  weigh_items(report);
  {
    Voter voter(folder);
    fill(voter, finished, queued, report);
    weigh(voter, report);
  }
  const TimePoint began = boot_now();
  {
    Voter voter(folder);
    report.add("restart, until the log is read and verified", ms_of(boot_now() - began), "ms");
    Filler filler(voter);
    report.add("restart, until it leads again", ms_of(boot_now() - began), "ms");
    filler.time_claims(1);
    report.add("restart, until the first claim is granted", ms_of(boot_now() - began), "ms");
    report.add("after the restart", voter.turns);
  }
  std::filesystem::remove_all(folder);
  if (!json_path.empty()) std::ofstream(json_path) << report.rows.dump(1) << '\n';
  return report.all_met ? 0 : 1;
}

}  // namespace
}  // namespace riftbus::bench

int main(int argc, char** argv) {
  std::size_t queued = 100'000;
  std::size_t finished = 1'000'000;
  std::string directory = "/tmp";
  std::string json_path;
  for (int i = 1; i < argc; i += 2) {
    const std::string word = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (value != nullptr && word == "--queued") {
      queued = std::strtoul(value, nullptr, 10);
    } else if (value != nullptr && word == "--finished") {
      finished = std::strtoul(value, nullptr, 10);
    } else if (value != nullptr && word == "--directory") {
      directory = value;
    } else if (value != nullptr && word == "--json") {
      json_path = value;
    } else {
      std::cerr
          << "usage: queue_size [--queued N] [--finished N] [--directory DIR] [--json FILE]\n";
      return word == "--help" ? 0 : 2;
    }
  }
  return riftbus::bench::run(queued, finished, directory, json_path);
}
