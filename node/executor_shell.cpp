#include "node/executor_shell.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "bus/clock.h"
#include "bus/log.h"
#include "config/check.h"

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

std::string describe(const jobs::Exit& exit) {
  if (exit.cause == jobs::Cause::node_trouble) return "could not be started: " + exit.tail;
  if (exit.cause != jobs::Cause::itself)
    return std::string("ended: ") + jobs::to_string(exit.cause);
  if (exit.signal != 0) return "died of signal " + std::to_string(exit.signal);
  return "exited with " + std::to_string(exit.code);
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
  talking_thread_.reset();  // first: a lease may wait for what it has to say
  job_thread_.reset();
  clearing_thread_.reset();
  measuring_thread_.reset();
}

Status ExecutorShell::open(const jobs::Drain& ordered, TimePoint now) {
  if (auto status = runner_->open(); !status) return status;
  job_news_ = runner_->wake_fd();
  news_wake_ = bus_.add_wakeup(job_news_);
  for (auto* thread : {&job_thread_, &talking_thread_, &clearing_thread_, &measuring_thread_}) {
    *thread = std::make_unique<DiskThread>();
    thread_of_[bus_.add_wakeup((*thread)->wake_fd())] = thread->get();
  }
  look_due_ = now + kLookEvery;
  if (ordered.on) {
    step(ordered, now);
    note({}, "takes no more work, as it was told in a former life", now);
  }
  measure(now);
  dispatch(now);
  return Ok{};
}

// ---- the threads -----------------------------------------------------------------------------

void ExecutorShell::dispatch(TimePoint now) {
  talk(now);
  dispatch_job(now);
  clear_trash();
}

void ExecutorShell::dispatch_job(TimePoint now) {
  if (job_since_) {
    if (is_stuck_said_ || now - *job_since_ < kStuckAfter) return;
    is_stuck_said_ = true;
    note({}, "no job is started or looked after: a disk does not answer", now);
    return;
  }
  if (!is_recovered_) {
    if (now >= recover_due_) recover(now);
    return;
  }
  if (gpu_names_) {
    run_on_job(
        [names = *std::exchange(gpu_names_, std::nullopt),
         offer = offered_](executor::Runner& runner) {
          runner.set_gpus(names, offer);
          return std::vector<jobs::Event>{};
        },
        [] {}, now);
    return;
  }
  // In turn, as either may have no end.
  const bool look_first = now >= look_due_ && !looked_;
  auto errand = look_first ? std::nullopt : errands_.next_errand();
  if (errand) return run_errand(std::move(*errand), now);
  looked_ = false;
  if (now < look_due_) return;
  look_due_ = now + kLookEvery;
  looked_ = true;
  run_on_job([](executor::Runner& runner) { return runner.look(); }, [] {}, now);
}

void ExecutorShell::run_on_job(std::function<std::vector<jobs::Event>(executor::Runner&)> work,
                               std::function<void()> then, TimePoint now) {
  job_since_ = now;
  auto events = std::make_shared<std::vector<jobs::Event>>();
  const bool taken = job_thread_->post({[runner = runner_, events, work = std::move(work)] {
                                          *events = work(*runner);
                                          return Status(Ok{});
                                        },
                                        [this, events, then = std::move(then)](const Status&) {
                                          job_since_.reset();
                                          is_stuck_said_ = false;
                                          then();
                                          for (auto& event : *events) {
                                            inbox_.push_back(std::move(event));
                                          }
                                        }});
  RIFTBUS_CHECK(taken);  // one at a time, and kOutputsMax of an operator's
}

void ExecutorShell::run_errand(jobs::Errands::Errand errand, TimePoint now) {
  looked_ = false;
  const auto then = [this, errand] {
    errands_.done(errand);
    if (std::holds_alternative<jobs::Discard>(errand)) has_trash_ = true;
  };
  if (const auto* discard = std::get_if<jobs::Discard>(&errand)) {
    run_on_job(
        [hold = discard->hold](executor::Runner& runner) {
          runner.discard(hold);
          return std::vector<jobs::Event>{};
        },
        then, now);
    return;
  }
  auto& start = std::get<jobs::Start>(errand);
  const auto& kind = settings_.jobs.at(start.grant.kind);  // the core starts no others
  run_on_job(
      [start, kind](executor::Runner& runner) {
        return std::vector<jobs::Event>{runner.start(start, kind)};
      },
      then, now);
}

void ExecutorShell::recover(TimePoint now) {
  recover_due_ = now + kRecoverEvery;
  auto trouble = std::make_shared<std::string>();
  run_on_job(
      [trouble](executor::Runner& runner) {
        auto found = runner.recover();
        if (found) return std::vector<jobs::Event>{jobs::Found{std::move(*found)}};
        *trouble = found.error().to_string();
        return std::vector<jobs::Event>{};
      },
      [this, trouble, now] {
        is_recovered_ = trouble->empty();
        if (!is_recovered_ && *trouble != recover_trouble_) note({}, *trouble, now);
        recover_trouble_ = *trouble;
      },
      now);
}

void ExecutorShell::talk(TimePoint now) {
  if (talking_ || now < talk_due_) return;
  talk_due_ = TimePoint{};
  auto words = std::make_shared<std::vector<jobs::Words>>(errands_.next_words());
  if (words->empty()) return;
  talking_ = true;
  const bool taken =
      talking_thread_->post({[runner = runner_, words] {
                               std::erase_if(*words, [&](const jobs::Words& each) {
                                 const bool told =
                                     !each.stop_at || runner->extend(each.hold, *each.stop_at);
                                 return (!each.stop || runner->stop(each.hold, *each.stop)) && told;
                               });
                               return Status(Ok{});
                             },
                             [this, words](const Status&) {
                               talking_ = false;
                               for (const auto& unheard : *words) errands_.put_back(unheard);
                               if (!words->empty()) talk_due_ = bus::boot_now() + kLookEvery;
                             }});
  RIFTBUS_CHECK(taken);
}

void ExecutorShell::clear_trash() {
  if (clearing_ || !has_trash_ || !is_recovered_) return;
  has_trash_ = false;
  clearing_ = true;
  const bool taken = clearing_thread_->post({[runner = runner_] { return runner->clear_trash(); },
                                             [this](const Status& status) {
                                               clearing_ = false;
                                               const std::string trouble =
                                                   status ? "" : status.error().to_string();
                                               if (!trouble.empty() && trouble != trash_trouble_)
                                                 bus::write_error(status.error());
                                               trash_trouble_ = trouble;
                                             }});
  RIFTBUS_CHECK(taken);
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
    gpu_names_ = std::move(names);
    offered_ = executor::offer_of(machine_, settings_.executor, settings_.tags);
    inbox_.emplace_back(jobs::Measured{offered_});
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
  const auto thread = thread_of_.find(id);
  if (thread == thread_of_.end()) return false;
  thread->second->run_done();
  return true;
}

// ---- the core --------------------------------------------------------------------------------

void ExecutorShell::tick(TimePoint now) {
  if (job_thread_ == nullptr) return;
  if (now >= measure_due_) measure(now);
  while (!inbox_.empty()) {
    const auto event = std::move(inbox_.front());
    inbox_.pop_front();
    step(event, now);
  }
  if (now >= core_.next_deadline()) step(jobs::Tick{}, now);
  dispatch(now);
}

TimePoint ExecutorShell::next_deadline() const {
  if (job_thread_ == nullptr) return TimePoint::max();
  if (!inbox_.empty()) return TimePoint{};
  auto due = std::min(core_.next_deadline(), measure_due_);
  if (!talking_ && talk_due_ > TimePoint{}) due = std::min(due, talk_due_);
  if (job_since_) return is_stuck_said_ ? due : std::min(due, *job_since_ + kStuckAfter);
  return std::min(due, is_recovered_ ? look_due_ : recover_due_);
}

void ExecutorShell::step(const jobs::Event& event, TimePoint now) {
  if (const auto* ended = std::get_if<jobs::Ended>(&event)) {
    ++jobs_ended_;
    note(ended->hold, describe(ended->exit), now);
  }
  if (const auto* found = std::get_if<jobs::Found>(&event)) {
    for (const auto& job : found->jobs) errands_.adopt(job.hold);
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
    errands_.take(*started);
  } else if (const auto* extend = std::get_if<jobs::Extend>(&action)) {
    errands_.take(*extend);
  } else if (const auto* stop = std::get_if<jobs::Stop>(&action)) {
    ++jobs_stopped_;
    note(stop->hold, std::string("stopped: ") + jobs::to_string(stop->cause), now);
    if (auto ended = errands_.take(*stop)) inbox_.emplace_back(std::move(*ended));
  } else if (const auto* discard = std::get_if<jobs::Discard>(&action)) {
    errands_.take(*discard);
  } else if (const auto* say = std::get_if<jobs::Say>(&action)) {
    note(say->hold, say->text, now);
  }
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
