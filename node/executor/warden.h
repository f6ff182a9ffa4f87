// Warden: watches over one job from its start to the end of its last process; the loop of
// riftbus-job.
//
// It exists so that a job does not depend on the daemon: the daemon may be killed, stopped or
// updated, and the job goes on, is bounded and is fenced all the same. The daemon only moves the
// deadline (`stop_at`) further with each acknowledged renewal; when it passes, whatever the reason,
// the job is ended. So a node whose daemon hangs lets go of its work in time.
//
// Guarantees:
//   - nothing that may wait for a disk stands between the deadline and the end of the program: that
//     is all done by another thread (scribe.h), from the start to the end of the last process;
//   - one program, in its own session and process group, with its own working directory, default
//     signals and limits, no descriptor but its three, nothing of the daemon's rank or sockets;
//   - the end is reported when no process of the job is left, wherever it hid (processes_linux.h);
//   - TERM first, KILL after the grace, again and again until nothing is left, first soon, then
//     every second;
//   - the end is written even if the disk is full: room for it is taken before the start, and for a
//     minute it is tried again;
//   - output and tail are bounded, working directory and time are watched.
// Limits: a program may write faster than its directory is measured (every disk_check_every); a
// single file is bounded by the kernel (RLIMIT_FSIZE). A Warden that is itself killed takes its
// program along (PR_SET_PDEATHSIG) and leaves the rest to Runner::recover(). riftbus-job is read
// from a disk, too: what of it was never in memory cannot run while that one does not answer.
//
// Used by one thread; blocks in run() until all is over. SIGCHLD and SIGTERM are taken while it
// lives.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "node/executor/job_files.h"
#include "node/executor/scribe.h"

namespace riftbus::executor {

class Warden {
 public:
  static constexpr Seconds kLeftoverGrace{2};  // for what the program left behind when it ended
  static constexpr Millis kKillAgainMin{50};   // twice as long each time: /proc is read for it
  static constexpr Seconds kKillAgainMax{1};
  static constexpr Millis kWriteAgain{200};  // the end, on a full disk
  static constexpr Seconds kWriteEndWithin{60};
  static constexpr Seconds kLookAgain{1};  // at the clock: poll() does not count suspended time

  // `folder` must be absolute; its lock is held by the caller.
  Warden(std::string folder, JobSpec spec);
  ~Warden();
  Warden(const Warden&) = delete;
  Warden& operator=(const Warden&) = delete;

  // Starts the program and writes the first state. The program runs, or its end is written.
  void start();
  // Until all is over. The daemon is told by the caller, once that has let go of the lock.
  void run();

 private:
  [[nodiscard]] bool open_control();
  void fork_program();
  [[noreturn]] void become_program(pid_t warden, int out, int err, int trouble);
  void read_trouble();
  void fail_start(const std::string& why, Cause cause);
  void turn();
  void keep_bounds(TimePoint now);
  void read_control();
  void obey(const std::string& line);
  void take_signals();
  void reap(TimePoint now);
  void on_program_ended(int status, TimePoint now);
  void begin_stop(Cause cause, TimePoint now);
  void kill_after(Nanos grace, TimePoint now);
  void signal_all(int number) const;
  void finish();
  void reserve_room() const;
  void write_end(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

  std::string folder_;
  JobSpec spec_;
  JobState state_;
  Scribe scribe_;
  int control_ = -1;
  int signals_ = -1;
  int trouble_ = -1;  // open until the program begins; says what is wrong if it does not
  std::string trouble_text_;
  std::string control_text_;
  pid_t program_ = 0;
  bool program_ended_ = false;
  bool over_ = false;
  TimePoint started_;
  std::optional<Cause> stopping_;
  TimePoint kill_at_;
  Nanos kill_again_ = kKillAgainMin;
  TimePoint end_again_at_ = TimePoint::max();  // when the end is written again
  TimePoint end_given_up_at_;
};

}  // namespace riftbus::executor
