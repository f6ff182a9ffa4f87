// World: voters, workers and clients in virtual time, and whatever a scenario does to them.
//
// One Schedule orders everything, one seed decides everything. Nothing reads a wall clock, so one
// that jumps cannot matter: there is none here to jump. Not thread-safe; worlds share nothing.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "test/sim/queue/links.h"
#include "test/sim/queue/voter.h"
#include "test/sim/queue/witness.h"
#include "test/sim/queue/worker.h"
#include "test/sim/scenario.h"
#include "test/sim/trace.h"

namespace riftbus::consensus {

struct Scene {
  std::size_t voters = 3;
  std::size_t spares = 0;  // servers without a log: to be added as learners
  std::size_t workers = 0;
  std::size_t clients = 0;
  bool wire = false;  // every message through the codec
  std::int64_t drift_ppm_max = 0;
  Nanos turn_max{};
  consensus::Timing timing;
  consensus::Limits limits;
  replica::ReplicaLimits replica;
  LinkPace links;
  DiskPace disks;
  WorkStyle work;
};

class World {
 public:
  World(const sim::Args& args, const Scene& scene);

  // `only_voters`: workers and clients are started one by one.
  void start(bool only_voters = false);
  void run(Nanos span);
  sim::Outcome finish();

  [[nodiscard]] const Scene& scene() const { return scene_; }
  [[nodiscard]] sim::Schedule& schedule() { return schedule_; }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] Links& links() { return links_; }
  [[nodiscard]] sim::Trace& trace() { return trace_; }
  [[nodiscard]] Witness& witness() { return witness_; }
  [[nodiscard]] Nanos elapsed() const { return schedule_.now() - begin_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Voter>>& voters() const { return voters_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Adder>>& adders() const { return adders_; }
  [[nodiscard]] Voter& voter(std::uint64_t number) { return *voters_.at(number - 1); }
  [[nodiscard]] const Voter* find(ServerId id) const;
  [[nodiscard]] Voter* find(ServerId id);
  // Up, running, settled, of the highest term; nullptr: nobody.
  [[nodiscard]] Voter* leader();
  // Cuts every way between this process and everybody else.
  void isolate(Port port);

  void deliver(consensus::Message message);
  // For scripts: true loses it; and what voters say of themselves.
  std::function<bool(const consensus::Message&)> loses;
  std::function<void(const Voter&, const consensus::Announce&)> on_news;
  std::function<void(const Worker&, const std::string&)> on_program;
  [[nodiscard]] replica::Ticket next_ticket() { return replica::Ticket(++tickets_); }
  void blame(const std::string& what);
  [[nodiscard]] bool ok() const { return violations_.empty(); }
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  void figure(const std::string& name, double value) { figures_.emplace_back(name, value); }

  // Nothing hinders anybody any more; who was down is up.
  void heal();
  // All that are in the configuration have applied everything, and all work is at its end.
  // Empty then; otherwise what is missing.
  [[nodiscard]] std::string find_unrest();
  // They wait for work that waits for an operator.
  [[nodiscard]] static std::set<work::WorkId> find_blocked(const work::Ledger& ledger);
  // The whole end of a story: heal, rest within `limit`, compare everything.
  void expect_rest(Nanos limit);

 private:
  sim::Args args_;
  Scene scene_;
  sim::Schedule schedule_;
  sim::Trace trace_;
  Random random_;
  Links links_;
  Witness witness_;
  TimePoint begin_{};
  std::vector<std::unique_ptr<Voter>> voters_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Adder>> adders_;
  std::vector<std::string> violations_;
  std::vector<std::pair<std::string, double>> figures_;
  std::uint64_t tickets_ = 0;
};

}  // namespace riftbus::consensus
