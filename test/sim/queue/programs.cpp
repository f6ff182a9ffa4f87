#include "test/sim/queue/programs.h"

#include <algorithm>
#include <utility>

#include "test/sim/queue/client.h"

namespace riftbus::consensus {

namespace {

constexpr std::int64_t kLater = 75;
constexpr std::int64_t kNever = 100;

// Some programs heed TERM at once, some need what they are given, some ignore it.
Nanos time_to_die(Random& random, Nanos grace) {
  return random.chance(0.2) ? grace : Nanos(random.between(0, grace.count()));
}

}  // namespace

void Programs::at_local(TimePoint local, std::function<void()> what) {
  const TimePoint now = schedule_.now();
  const TimePoint when =
      local == TimePoint::max() ? local : std::max(clock_.to_virtual(local), now);
  if (when == TimePoint::max()) return;
  schedule_.at(when, [this, what = std::move(what)] {
    if (frozen_) {
      held_up_.push_back(what);
    } else {
      what();
    }
  });
}

Programs::Program* Programs::find_running(const jobs::Hold& hold) {
  const auto found = programs_.find(hold);
  return found == programs_.end() || found->second.ended ? nullptr : &found->second;
}

void Programs::start(const jobs::Start& start) {
  Program program{
      start.grant, start.kill_grace, start.stop_at, TimePoint::max(), jobs::Cause::itself, false,
      {}};
  programs_.insert_or_assign(start.hold, std::move(program));
  on_begin(start);
  const Nanos longest = random_.chance(style_.lasts) ? style_.lasting_run_max : style_.run_max;
  const TimePoint now = local_now();
  const Nanos span(random_.between(style_.run_min.count(), longest.count()));
  at_local(now + Millis(random_.between(0, 5)),
           [this, hold = start.hold] { tell(jobs::Started{hold}); });
  if (random_.chance(0.3)) {
    at_local(now + span / 2, [this, hold = start.hold] {
      if (find_running(hold) == nullptr) return;
      const auto percent = static_cast<std::uint8_t>(random_.below(101));
      tell(jobs::Progressed{hold, percent, "at " + std::to_string(percent)});
    });
  }
  at_local(now + span, [this, hold = start.hold] { finish(hold); });
  watch(start.hold);
}

// A program that is not told to go on ends by itself.
void Programs::watch(const jobs::Hold& hold) {
  Program* program = find_running(hold);
  if (program == nullptr) return;
  const TimePoint now = local_now();
  if (now >= program->kill_at) {
    const std::uint8_t signal = 15;
    return end(hold, {program->cause, true, 0, signal, "", "", "", 0});
  }
  if (now >= program->stop_at) stop(hold, jobs::Cause::lease);
  at_local(std::min(program->stop_at > now ? program->stop_at : TimePoint::max(), program->kill_at),
           [this, hold] { watch(hold); });
}

void Programs::extend(const jobs::Hold& hold, TimePoint stop_at) {
  Program* program = find_running(hold);
  if (program == nullptr) return;
  program->stop_at = stop_at;
  watch(hold);
}

void Programs::stop(const jobs::Hold& hold, jobs::Cause cause) {
  Program* program = find_running(hold);
  if (program == nullptr || program->kill_at != TimePoint::max()) return;
  program->cause = cause;
  // Whoever slept through the end of its lease has slept through its grace, whatever comes first
  // when it wakes (log-chaos, seed 80504: an eviction).
  const TimePoint since = std::min(local_now(), program->stop_at);
  program->kill_at = since + time_to_die(random_, program->kill_grace);
  watch(hold);
}

void Programs::finish(const jobs::Hold& hold) {
  const Program* program = find_running(hold);
  if (program == nullptr || program->cause != jobs::Cause::itself) return;
  jobs::Exit exit;
  exit.result = "result";
  if (random_.chance(style_.fails)) {
    exit.code = random_.chance(0.8) ? 1 : random_.chance(0.3) ? kLater : kNever;
    exit.checkpoint = "point";
  }
  end(hold, exit);
}

void Programs::end(const jobs::Hold& hold, jobs::Exit exit) {
  Program& program = programs_.at(hold);
  program.ended = true;
  program.exit = std::move(exit);
  tell(jobs::Ended{hold, program.exit});
}

std::vector<jobs::FoundJob> Programs::recover() const {
  std::vector<jobs::FoundJob> found;
  for (const auto& [hold, program] : programs_) {
    found.push_back({hold, program.grant.kind, program.grant.terms, program.grant.attempt,
                     program.kill_grace, program.stop_at, program.ended, program.exit});
  }
  return found;
}

void Programs::fall() {
  frozen_ = false;
  held_up_.clear();
  for (auto& [hold, program] : programs_) {
    if (program.ended) continue;
    program.ended = true;
    program.exit = {jobs::Cause::runner_failed, true, 0, 0, "", "", "", 0};
  }
}

void Programs::thaw() {
  frozen_ = false;
  for (const auto& what : std::exchange(held_up_, {})) what();
}

bool Programs::runs(work::WorkId id) const {
  // Whatever is due to be killed while the machine stands still does nothing either.
  return std::any_of(programs_.begin(), programs_.end(), [&](const auto& each) {
    const Program& program = each.second;
    if (each.first.id != id || program.ended) return false;
    const bool is_over = local_now() >= std::min(program.kill_at, program.stop_at) && frozen_;
    return !is_over && program.stop_at != TimePoint::max();
  });
}

bool Programs::is_idle() const {
  return std::all_of(programs_.begin(), programs_.end(),
                     [](const auto& each) { return each.second.ended; });
}

}  // namespace riftbus::consensus
