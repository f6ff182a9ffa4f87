// Programs: what runs on one worker's machine, as the daemon's runner and wardens would keep it.
//
// It is the I/O under jobs::Executor and nothing more: it starts a program when told, ends it on
// TERM within its grace and by force after that, and lets it run no longer than the last `stop_at`
// it was told, whether the daemon lives or not. Programs outlive the daemon and are found by the
// next one; a machine that falls takes them along, and the next daemon is told so.
//
// Not thread-safe; lives on one Schedule.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "config/random.h"
#include "node/jobs/events.h"
#include "test/sim/host_clock.h"
#include "test/sim/schedule.h"

namespace riftbus::consensus {

struct WorkStyle;

class Programs {
 public:
  Programs(sim::Schedule& schedule, const WorkStyle& style, std::uint64_t seed)
      : schedule_(schedule), style_(style), random_(seed) {}
  // To the daemon, if there is one that listens.
  std::function<void(const jobs::Event&)> tell;
  std::function<void(const jobs::Start&)> on_begin;

  void set_clock(const sim::HostClock& clock) { clock_ = clock; }
  void start(const jobs::Start& start);
  void extend(const jobs::Hold& hold, TimePoint stop_at);
  void stop(const jobs::Hold& hold, jobs::Cause cause);
  void discard(const jobs::Hold& hold) { programs_.erase(hold); }
  [[nodiscard]] std::vector<jobs::FoundJob> recover() const;
  // The machine falls, or stands still and goes on.
  void fall();
  void freeze() { frozen_ = true; }
  void thaw();

  // It runs this now, under a lease or with nobody's leave (on_disconnect finish).
  [[nodiscard]] bool runs(work::WorkId id) const;
  [[nodiscard]] bool is_idle() const;

 private:
  struct Program {
    work::Grant grant;
    Nanos kill_grace{};
    TimePoint stop_at;  // local
    TimePoint kill_at = TimePoint::max();
    jobs::Cause cause = jobs::Cause::itself;
    bool ended = false;
    jobs::Exit exit;
  };
  [[nodiscard]] TimePoint local_now() const { return clock_.local(schedule_.now()); }
  Program* find_running(const jobs::Hold& hold);
  void at_local(TimePoint local, std::function<void()> what);
  void watch(const jobs::Hold& hold);
  void finish(const jobs::Hold& hold);
  void end(const jobs::Hold& hold, jobs::Exit exit);

  sim::Schedule& schedule_;
  const WorkStyle& style_;
  Random random_;
  sim::HostClock clock_;
  std::map<jobs::Hold, Program> programs_;
  std::vector<std::function<void()>> held_up_;  // while frozen
  bool frozen_ = false;
};

}  // namespace riftbus::consensus
