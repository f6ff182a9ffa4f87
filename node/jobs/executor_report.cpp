#include <algorithm>

#include "node/jobs/executor.h"

namespace riftbus::jobs {

namespace {

constexpr std::int64_t kExitNever = 100;  // "never again": to the dead letters
constexpr std::int64_t kExitLater = 75;   // EX_TEMPFAIL: not now, and not my fault
constexpr std::uint64_t kLaterMs = 60'000;
// The queue counts GPUs in parts of one: it may go on believing that there is room where no single
// one has enough. Not at once again, then, and another node may be found meanwhile.
constexpr std::uint64_t kNoGpuMs = 10'000;
constexpr std::uint64_t kTroubleMs = 10'000;  // another node may be found meanwhile

std::uint64_t release_delay_ms(const Exit& exit, bool asked) {
  if (exit.cause == Cause::no_gpu) return kNoGpuMs;
  if (exit.cause == Cause::node_trouble) return kTroubleMs;
  if (exit.cause == Cause::runner_failed) return kLaterMs;
  return !asked && exit.code == kExitLater ? kLaterMs : 0;
}

work::Failure failure_of(const Hold& hold, const Exit& exit, const std::string& checkpoint) {
  return {hold, true, exit.code, exit.signal, exit.tail, checkpoint};
}

}  // namespace

// The program's word counts only if nobody asked it to end: many programs exit with 0 on TERM.
Executor::Report Executor::how_to_report(const Job& job) {
  const Exit& exit = job.exit;
  const bool asked = job.stopping != Cause::itself || exit.cause == Cause::cancel ||
                     exit.cause == Cause::preempt || exit.cause == Cause::evict ||
                     exit.cause == Cause::lease || exit.cause == Cause::stale ||
                     exit.cause == Cause::no_gpu || exit.cause == Cause::node_trouble ||
                     exit.cause == Cause::runner_failed;  // the last three: not its doing
  const bool well = exit.started && exit.cause == Cause::itself && exit.signal == 0;
  if (job.lost)
    return may_finish(job) && well && !asked && exit.code == 0 ? Report::complete : Report::nothing;
  if (asked) return Report::release;
  if (!well) return Report::fail;
  if (exit.code == 0) return Report::complete;
  if (exit.code == kExitNever) return Report::bury;
  return exit.code == kExitLater ? Report::release : Report::fail;
}

std::size_t Executor::bytes_of(Report how, const Job& job) {
  const Exit& exit = job.exit;
  const std::size_t text = how == Report::complete  ? exit.result.size()
                           : how == Report::release ? job.checkpoint.size()
                                                    : exit.tail.size() + job.checkpoint.size();
  return text + work::kElementOverheadBytes;
}

// Reports are kept until answered. Which of them travel together may differ from try to try: the
// queue judges each by its own fence.
void Executor::report(TimePoint now, Actions& out) {
  std::vector<Hold> forgotten;
  struct Bundle {  // what travels together
    std::vector<Job*> jobs;
    std::size_t bytes = 0;
  };
  std::map<Report, Bundle> due;
  for (auto& [hold, job] : jobs_) {
    if (job.phase != Phase::reporting || job.report_ticket != 0 || now < job.report_at) continue;
    const Report how = how_to_report(job);
    if (how == Report::nothing) {
      forgotten.push_back(hold);
    } else if (attached_ && !superseded_) {
      Bundle& bundle = due[how];
      const std::size_t more = bytes_of(how, job);
      const bool fits = bundle.bytes + more <= work::kCommandBytesAim;
      if (!bundle.jobs.empty() && (!fits || bundle.jobs.size() >= report_count_)) continue;
      bundle.bytes += more;
      bundle.jobs.push_back(&job);
    }
  }
  for (const auto& [how, bundle] : due) ask_report(how, bundle.jobs, now, out);
  for (const auto& hold : forgotten) drop(hold, out);
}

void Executor::ask_report(Report how, const std::vector<Job*>& jobs, TimePoint now, Actions& out) {
  work::Complete complete{settings_.self, {}};
  work::Fail fail{settings_.self, {}};
  work::Bury bury{settings_.self, {}};
  work::Release release{settings_.self, {}};
  const Ticket ticket = next_ticket_++;
  for (Job* job : jobs) {
    job->report_ticket = ticket;
    job->report_at = now;
    ++job->report_tries;
    if (how == Report::complete) complete.works.push_back({job->hold, job->exit.result});
    if (how == Report::fail) {
      fail.works.push_back(failure_of(job->hold, job->exit, job->checkpoint));
    }
    if (how == Report::bury) {
      bury.works.push_back(failure_of(job->hold, job->exit, job->checkpoint));
    }
    if (how == Report::release) {
      const auto delay_ms = release_delay_ms(job->exit, job->stopping != Cause::itself);
      const bool lost = job->exit.cause == Cause::runner_failed;
      release.works.push_back({job->hold, delay_ms, job->percent, job->checkpoint, lost});
    }
  }
  if (how == Report::complete) out.push_back(Ask{ticket, std::move(complete)});
  if (how == Report::fail) out.push_back(Ask{ticket, std::move(fail)});
  if (how == Report::bury) out.push_back(Ask{ticket, std::move(bury)});
  if (how == Report::release) out.push_back(Ask{ticket, std::move(release)});
}

}  // namespace riftbus::jobs
