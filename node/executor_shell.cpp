#include "node/executor_shell.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "bus/clock.h"
#include "bus/log.h"
#include "node/jobs/kinds.h"

namespace riftbus::node {

namespace {

std::string jobs_folder(const NodeSettings& settings) { return settings.paths.data_dir + "/jobs"; }

executor::Runner::Options runner_options(const NodeSettings& settings) {
  executor::Runner::Options options;
  options.folder = jobs_folder(settings);
  options.helper = executor::find_helper();
  options.node = settings.node_id.value();
  options.finished_kept = static_cast<std::size_t>(settings.executor.finished_kept);
  return options;
}

jobs::Settings core_settings(const NodeSettings& settings, Instance instance) {
  return {settings.node_id, instance, static_cast<std::size_t>(settings.executor.slots),
          settings.jobs};
}

}  // namespace

ExecutorShell::ExecutorShell(const NodeSettings& settings, Instance instance, bus::Bus& bus,
                             WorkClient& work, Journal& journal)
    : settings_(settings),
      bus_(bus),
      work_(work),
      journal_(journal),
      runner_(std::make_shared<executor::Runner>(runner_options(settings))),
      gpus_(std::make_shared<executor::GpuProbe>()),
      core_(core_settings(settings, instance)) {}

ExecutorShell::~ExecutorShell() {
  *alive_ = false;
  job_thread_.reset();
  measuring_thread_.reset();
}

Status ExecutorShell::open(bool draining, TimePoint now) {
  if (auto status = runner_->open(); !status) return status;
  job_news_ = runner_->wake_fd();
  job_thread_ = std::make_unique<DiskThread>();
  measuring_thread_ = std::make_unique<DiskThread>();
  news_wake_ = bus_.add_wakeup(job_news_);
  job_wake_ = bus_.add_wakeup(job_thread_->wake_fd());
  measured_wake_ = bus_.add_wakeup(measuring_thread_->wake_fd());
  look_due_ = now + kLookEvery;
  if (draining) {
    step(jobs::Drain{true, false}, now);
    note({}, "takes no more work, as it was told in a former life", now);
  }
  measure(now);
  post([](executor::Runner& runner) {
    return std::vector<jobs::Event>{jobs::Found{runner.recover()}};
  });
  return Ok{};
}

// ---- the threads -----------------------------------------------------------------------------

void ExecutorShell::post(std::function<std::vector<jobs::Event>(executor::Runner&)> work) {
  auto events = std::make_shared<std::vector<jobs::Event>>();
  const bool taken = job_thread_->post({[runner = runner_, events, work = std::move(work)] {
                                          *events = work(*runner);
                                          return Status(Ok{});
                                        },
                                        [this, events](const Status&) {
                                          for (auto& event : *events) {
                                            inbox_.push_back(std::move(event));
                                          }
                                        }});
  if (!taken) bus::log_warn("the job thread is stuck: a disk does not answer");
}

void ExecutorShell::look() {
  if (looking_) return;
  looking_ = true;
  auto events = std::make_shared<std::vector<jobs::Event>>();
  const bool taken = job_thread_->post({[runner = runner_, events] {
                                          *events = runner->look();
                                          return Status(Ok{});
                                        },
                                        [this, events](const Status&) {
                                          looking_ = false;
                                          for (auto& event : *events) {
                                            inbox_.push_back(std::move(event));
                                          }
                                        }});
  if (!taken) looking_ = false;
}

void ExecutorShell::measure(TimePoint now) {
  measure_due_ = now + kMeasureEvery;
  if (measuring_) return;  // a driver holds it up: what was measured last stands
  measuring_ = true;
  auto machine = std::make_shared<executor::Machine>();
  auto work = [machine, gpus = gpus_, folder = jobs_folder(settings_)] {
    machine->limits = executor::measure_limits();
    machine->disk_free_mb = executor::measure_disk_free_mb(folder);
    machine->load = executor::measure_load();
    auto found = gpus->measure();
    if (found) machine->gpus = std::move(*found);
    for (auto& gpu : executor::measure_amd_gpus()) machine->gpus.all.push_back(std::move(gpu));
    return found ? Status(Ok{}) : Status(found.error());
  };
  const auto done = [this, machine](const Status& status) {
    measuring_ = false;
    const std::string trouble = status ? "" : status.error().to_string();
    if (!trouble.empty() && trouble != gpu_trouble_) bus::write_error(status.error());
    gpu_trouble_ = trouble;
    machine_ = *machine;
    std::vector<std::string> names;
    for (const auto& gpu : machine_.gpus.all) names.push_back(gpu.id);
    post([names = std::move(names)](executor::Runner& runner) {
      runner.set_gpus(names);
      return std::vector<jobs::Event>{};
    });
    inbox_.emplace_back(
        jobs::Measured{executor::offer_of(machine_, settings_.executor, settings_.tags)});
  };
  if (!measuring_thread_->post({std::move(work), done})) measuring_ = false;
}

bool ExecutorShell::on_woken(bus::WakeId id, TimePoint now) {
  if (news_wake_ && id == *news_wake_) {
    std::array<char, 4096> drained{};
    while (read(job_news_, drained.data(), drained.size()) > 0) {
    }
    look_due_ = now;
    return true;
  }
  if (job_wake_ && id == *job_wake_) {
    job_thread_->run_done();
    return true;
  }
  if (measured_wake_ && id == *measured_wake_) {
    measuring_thread_->run_done();
    return true;
  }
  return false;
}

// ---- the core --------------------------------------------------------------------------------

void ExecutorShell::tick(TimePoint now) {
  if (job_thread_ == nullptr) return;
  if (now >= measure_due_) measure(now);
  if (now >= look_due_ && !looking_) {
    look_due_ = now + kLookEvery;
    look();
  }
  while (!inbox_.empty()) {
    const auto event = std::move(inbox_.front());
    inbox_.pop_front();
    step(event, now);
  }
  if (now >= core_.next_deadline()) step(jobs::Tick{}, now);
}

TimePoint ExecutorShell::next_deadline() const {
  if (job_thread_ == nullptr) return TimePoint::max();
  if (!inbox_.empty()) return TimePoint{};
  auto due = std::min(core_.next_deadline(), measure_due_);
  if (!looking_) due = std::min(due, look_due_);
  return due;
}

void ExecutorShell::step(const jobs::Event& event, TimePoint now) {
  if (const auto* ended = std::get_if<jobs::Ended>(&event)) {
    ++jobs_ended_;
    const auto& exit = ended->exit;
    note(ended->hold,
         exit.cause == jobs::Cause::itself
             ? (exit.signal != 0 ? "died of signal " + std::to_string(exit.signal)
                                 : "exited with " + std::to_string(exit.code))
             : std::string("ended: ") + jobs::to_string(exit.cause),
         now);
  }
  jobs::Actions actions;
  core_.step(event, now, actions);
  for (const auto& action : actions) act(action, now);
}

void ExecutorShell::act(const jobs::Action& action, TimePoint now) {
  if (const auto* ask_now = std::get_if<jobs::Ask>(&action)) {
    ask(*ask_now, now);
  } else if (const auto* renew_now = std::get_if<jobs::Renew>(&action)) {
    renew(*renew_now, now);
  } else if (const auto* started = std::get_if<jobs::Start>(&action)) {
    ++jobs_started_;
    note(started->hold, "started " + started->grant.kind, now);
    start(*started);
  } else if (const auto* extend = std::get_if<jobs::Extend>(&action)) {
    post([extend = *extend](executor::Runner& runner) {
      runner.extend(extend.hold, extend.stop_at);
      return std::vector<jobs::Event>{};
    });
  } else if (const auto* stop = std::get_if<jobs::Stop>(&action)) {
    ++jobs_stopped_;
    note(stop->hold, std::string("stopped: ") + jobs::to_string(stop->cause), now);
    post([stop = *stop](executor::Runner& runner) {
      runner.stop(stop.hold, stop.cause);
      return std::vector<jobs::Event>{};
    });
  } else if (const auto* discard = std::get_if<jobs::Discard>(&action)) {
    post([hold = discard->hold](executor::Runner& runner) {
      runner.discard(hold);
      return std::vector<jobs::Event>{};
    });
  } else if (const auto* say = std::get_if<jobs::Say>(&action)) {
    note(say->hold, say->text, now);
  }
}

void ExecutorShell::start(const jobs::Start& start) {
  const auto kind = settings_.jobs.find(start.grant.kind);
  if (kind == settings_.jobs.end()) return;  // the core starts only kinds of this node
  post([start, kind = kind->second](executor::Runner& runner) {
    return std::vector<jobs::Event>{runner.start(start, kind)};
  });
}

void ExecutorShell::ask(const jobs::Ask& ask, TimePoint now) {
  const bool is_claim = std::holds_alternative<work::Claim>(ask.command);
  const Nanos wait = is_claim ? core_.claim_wait_max() : Nanos{0};
  work_.submit(ask.command, wait, now + kAnswerWithin + wait,
               [this, alive = alive_, ticket = ask.ticket](const Result<work::Reply>& reply) {
                 if (!*alive) return;
                 if (reply) {
                   inbox_.emplace_back(jobs::Answered{ticket, *reply});
                 } else {
                   inbox_.emplace_back(jobs::Unanswered{ticket});
                 }
               });
}

void ExecutorShell::renew(const jobs::Renew& renew, TimePoint now) {
  work_.renew(renew.renewal, now + kAnswerWithin,
              [this, alive = alive_,
               ticket = renew.ticket](const Result<std::vector<work::RenewedAnswer>>& answers) {
                if (!*alive) return;
                if (answers) {
                  inbox_.emplace_back(jobs::Answered{ticket, *answers});
                } else {
                  inbox_.emplace_back(jobs::Unanswered{ticket});
                }
              });
}

void ExecutorShell::note(const jobs::Hold& hold, const std::string& text, TimePoint now) {
  const std::string whole =
      hold.id == work::WorkId() ? text : "job " + std::to_string(hold.id.value()) + " " + text;
  journal_.note("job", settings_.node_id, whole, {now, bus::wall_now_ms()});
  bus::log_info(whole);
}

}  // namespace riftbus::node
