// ExecutorShell: joins the executor's core to the world: the leader through the WorkClient, jobs
// through the Runner, the machine through its measurement, operators through queries.
//
// What may block is done by threads, and none waits for what another one waits for. One starts jobs
// and looks after them, one thing at a time; one only speaks to those that run, so that no lease
// ends because another job's start is slow; one removes what jobs left; one measures the machine
// and may be held up by a driver. Their results come back into the loop. What they are to do next
// stays here (jobs::Errands): a thread that hangs makes no queue overflow, and no order is lost.
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
#include "node/jobs/errands.h"
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
  static constexpr std::size_t kOutputsMax = 16;              // job.output under way
  static constexpr Seconds kRecoverEvery{10};                 // until it works
  static constexpr Seconds kStuckAfter{30};                   // then the journal says so

  ExecutorShell(const NodeSettings& settings, Instance instance, bus::Bus& bus, WorkClient& work,
                Journal& journal);
  ~ExecutorShell();

  using OnDrained = std::function<void(bool draining, bool evicting)>;

  // Makes the jobs folder and takes up what a former life left. An Error: this node runs no work.
  // `ordered`: as an operator did in a former life.
  [[nodiscard]] Status open(const jobs::Drain& ordered, TimePoint now);
  void on_drained(OnDrained remember) { remember_ = std::move(remember); }

  // True: it was one of ours.
  bool on_woken(bus::WakeId id, TimePoint now);
  void tick(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

  [[nodiscard]] static bool takes(std::string_view query);
  void on_query(const bus::Received& received, const std::set<Role>& roles, TimePoint now);

  using OnDocument = std::function<void(const Result<std::string>&)>;
  // Of job.output, later.
  void answer_output(const wire::Query& query, OnDocument done);
  // As on_query(), for whoever asks in this process; not job.output.
  [[nodiscard]] Result<std::string> answer(const wire::Query& query, const std::set<Role>& roles,
                                           TimePoint now);

  [[nodiscard]] JobsView glance() const;
  // How many jobs of each kind there are here.
  [[nodiscard]] std::map<std::string, std::size_t> count_kinds() const;
  void add_counters(std::map<std::string, std::uint64_t>& counters) const;

 private:
  void step(const jobs::Event& event, TimePoint now);
  void act(const jobs::Action& action, TimePoint now);
  void ask(const jobs::Ask& ask, TimePoint now);
  void renew(const jobs::Renew& renew, TimePoint now);
  // What is next for each thread, if it is free.
  void dispatch(TimePoint now);
  void dispatch_job(TimePoint now);
  void talk(TimePoint now);
  void clear_trash();
  // On the job thread, which must be free; what it returns becomes events here.
  void run_on_job(std::function<std::vector<jobs::Event>(executor::Runner&)> work,
                  std::function<void()> then, TimePoint now);
  void run_errand(jobs::Errands::Errand errand, TimePoint now);
  void recover(TimePoint now);
  void measure(TimePoint now);
  void note(const jobs::Hold& hold, const std::string& text, TimePoint now);
  void reply(const bus::Received& received, const Result<std::string>& document);
  [[nodiscard]] std::string list_document(TimePoint now) const;

  NodeSettings settings_;
  bus::Bus& bus_;
  WorkClient& work_;
  Journal& journal_;
  std::shared_ptr<executor::Runner> runner_;  // the threads', as runner.h allows, once they run
  std::shared_ptr<executor::GpuProbe> gpus_;  // on the measuring thread only
  std::unique_ptr<DiskThread> job_thread_;
  std::unique_ptr<DiskThread> talking_thread_;
  std::unique_ptr<DiskThread> clearing_thread_;
  std::unique_ptr<DiskThread> measuring_thread_;
  std::map<bus::WakeId, DiskThread*> thread_of_;
  int job_news_ = -1;
  std::optional<bus::WakeId> news_wake_;
  jobs::Executor core_;
  executor::Machine machine_;
  work::Offer offered_;  // as measured
  std::string gpu_trouble_;
  OnDrained remember_;
  std::deque<jobs::Event> inbox_;  // what the threads and the leader said, for the next tick
  TimePoint look_due_;
  TimePoint measure_due_;
  jobs::Errands errands_;
  std::optional<std::vector<std::string>> gpu_names_;  // for the runner, which has not heard yet
  bool is_recovered_ = false;
  TimePoint recover_due_;
  std::string recover_trouble_;
  std::optional<TimePoint> job_since_;  // its thread does something
  bool is_stuck_said_ = false;
  bool looked_ = false;  // the last thing that it did
  bool talking_ = false;
  TimePoint talk_due_;  // not before
  bool clearing_ = false;
  bool has_trash_ = true;
  std::string trash_trouble_;
  std::size_t outputs_ = 0;
  bool measuring_ = false;
  std::uint64_t jobs_started_ = 0;
  std::uint64_t jobs_ended_ = 0;
  std::uint64_t jobs_stopped_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // answers may outlive us
};

}  // namespace riftbus::node
