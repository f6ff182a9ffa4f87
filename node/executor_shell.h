// ExecutorShell: joins the executor's core to the world: the leader through the WorkClient, jobs
// through the Runner, the machine through its measurement, operators through queries.
//
// Two threads do what may block: one starts, stops and looks after jobs, in order; the other
// measures the machine, and may be held up by a driver. Their results come back into the loop.
//
// What operators may ask of a node (node/api/README.md): `job.list`, `job.output`, and with the
// admin role `job.drain`. Draining is remembered by the owner (on_drained).
//
// When the daemon ends its jobs run on: the next one adopts them, and without one their leases end
// them. Loop thread only; everything passed by reference outlives this object.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "bus/bus.h"
#include "node/api/api.h"
#include "node/disk/disk_thread.h"
#include "node/executor/machine.h"
#include "node/executor/runner.h"
#include "node/jobs/executor.h"
#include "node/mesh/journal.h"
#include "node/quorum/work_client.h"

namespace riftbus::node {

class ExecutorShell {
 public:
  static constexpr Seconds kMeasureEvery{30};
  static constexpr Seconds kLookEvery{2};     // at the jobs, besides when they say so
  static constexpr Seconds kAnswerWithin{5};  // then a question counts as unanswered
  static constexpr std::size_t kOutputBytesMax = 256 * 1024;  // of one job.output

  ExecutorShell(const NodeSettings& settings, Instance instance, bus::Bus& bus, WorkClient& work,
                Journal& journal);
  ~ExecutorShell();

  using OnDrained = std::function<void(bool draining)>;

  // Makes the jobs folder and takes up what a former life left. An Error: this node runs no work.
  // `draining`: as an operator ordered in a former life.
  [[nodiscard]] Status open(bool draining, TimePoint now);
  void on_drained(OnDrained remember) { remember_ = std::move(remember); }

  // True: it was one of ours.
  bool on_woken(bus::WakeId id, TimePoint now);
  void tick(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

  [[nodiscard]] static bool takes(std::string_view query);
  void on_query(const bus::Received& received, const std::set<Role>& roles, TimePoint now);

  [[nodiscard]] JobsView glance() const;
  void add_counters(std::map<std::string, std::uint64_t>& counters) const;

 private:
  void step(const jobs::Event& event, TimePoint now);
  void act(const jobs::Action& action, TimePoint now);
  void ask(const jobs::Ask& ask, TimePoint now);
  void renew(const jobs::Renew& renew, TimePoint now);
  void start(const jobs::Start& start);
  // Runs on the job thread; what it returns becomes events here.
  void post(std::function<std::vector<jobs::Event>(executor::Runner&)> work);
  void look();
  void measure(TimePoint now);
  void take_events();
  void note(const jobs::Hold& hold, const std::string& text, TimePoint now);
  void send_output(const bus::Received& received, const wire::Query& query);
  void reply(const bus::Received& received, Result<std::string> document);
  [[nodiscard]] std::string list_document(TimePoint now) const;

  NodeSettings settings_;
  bus::Bus& bus_;
  WorkClient& work_;
  Journal& journal_;
  std::shared_ptr<executor::Runner> runner_;  // used on the job thread only, once it runs
  std::shared_ptr<executor::GpuProbe> gpus_;  // on the measuring thread only
  std::unique_ptr<DiskThread> job_thread_;
  std::unique_ptr<DiskThread> measuring_thread_;
  int job_news_ = -1;
  std::optional<bus::WakeId> job_wake_;
  std::optional<bus::WakeId> measured_wake_;
  std::optional<bus::WakeId> news_wake_;
  jobs::Executor core_;
  executor::Machine machine_;
  std::string gpu_trouble_;
  OnDrained remember_;
  std::deque<jobs::Event> inbox_;  // what the threads and the leader said, for the next tick
  TimePoint look_due_;
  TimePoint measure_due_;
  bool looking_ = false;
  bool measuring_ = false;
  std::uint64_t jobs_started_ = 0;
  std::uint64_t jobs_ended_ = 0;
  std::uint64_t jobs_stopped_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // answers may outlive us
};

}  // namespace riftbus::node
