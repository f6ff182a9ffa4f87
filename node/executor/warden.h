// Warden: watches over one job from its start to the end of its last process; the loop of
// riftbus-job.
//
// It exists so that a job does not depend on the daemon: the daemon may be killed, stopped or
// updated, and the job goes on, is bounded and is fenced all the same. The daemon only moves the
// deadline (`stop_at`) further with each acknowledged renewal; when it passes, whatever the reason,
// the job is ended. So a node whose daemon hangs lets go of its work in time.
//
// Guarantees:
//   - one program, in its own session and process group, with its own working directory, default
//     signals and limits, no descriptor but its three, nothing of the daemon's rank or sockets;
//   - the end is reported when no process of the job is left, wherever it hid (processes_linux.h);
//   - TERM first, KILL after the grace, again and again until nothing is left;
//   - the end is written even if the disk is full: room for it is taken before the start, and for a
//     minute it is tried again;
//   - output and tail are bounded, working directory and time are watched.
// Limits: a program may write faster than its directory is measured (every disk_check_every); a
// single file is bounded by the kernel (RLIMIT_FSIZE). A Warden that is itself killed takes its
// program along (PR_SET_PDEATHSIG) and leaves the rest to Runner::recover().
//
// One thread; blocks in run() until all is over. SIGCHLD and SIGTERM are taken while it lives.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "node/executor/job_files.h"
#include "node/executor/output_file.h"

namespace riftbus::executor {

class Warden {
 public:
  static constexpr Seconds kLeftoverGrace{2};  // for what the program left behind when it ended
  static constexpr Millis kKillAgain{50};
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
  void run();

 private:
  struct Stream {
    int fd = -1;
    OutputFile file;
    OutputTail tail;
  };

  [[nodiscard]] bool open_control();
  void fork_program();
  [[noreturn]] void become_program(pid_t warden, int out, int err, int trouble);
  void fail_start(const std::string& why);
  void turn();
  void read_control();
  void obey(const std::string& line);
  void read_stream(Stream& stream) const;
  void take_signals();
  void reap(TimePoint now);
  void on_program_ended(int status, TimePoint now);
  void begin_stop(Cause cause, TimePoint now);
  void signal_all(int number) const;
  void check_disk(TimePoint now);
  void finish();
  void reserve_room() const;
  void write_end(TimePoint now);
  void publish();
  void wake_daemon() const;
  [[nodiscard]] TimePoint next_deadline() const;

  std::string folder_;
  JobSpec spec_;
  JobState state_;
  Stream out_;
  Stream err_;
  int control_ = -1;
  int signals_ = -1;
  std::string control_text_;
  pid_t program_ = 0;
  bool program_ended_ = false;
  bool over_ = false;
  TimePoint started_;
  std::optional<Cause> stopping_;
  TimePoint kill_at_;
  TimePoint disk_check_at_;
  TimePoint end_again_at_ = TimePoint::max();  // when the end is written again
  TimePoint end_given_up_at_;
};

// What a directory holds, in bytes on disk; counts no more than `entries_max` entries.
[[nodiscard]] std::uint64_t measure_directory(const std::string& path, std::size_t entries_max);

}  // namespace riftbus::executor
