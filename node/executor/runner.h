// Runner: the daemon's hand on its jobs: starts them, moves their deadlines, stops them, and finds
// out how they ended, also those that an earlier life of the daemon started.
//
// Each job has a riftbus-job of its own (warden.h), which is no child of the daemon: it is started
// with an empty hand (no descriptors) and given to init. What connects the two is the job's folder
// (job_files.h). So nothing here is lost when the daemon dies, and recover() picks up the threads:
//   - riftbus-job lives (its lock is held): the job is adopted;
//   - it wrote the end: the end is reported;
//   - neither: it was killed, or the machine was; what is left of the job is killed, and the job is
//     not held any more.
// A job is over when that is certain: as long as a process of it cannot be killed, or the lock or
// /proc cannot be read, it stays watched, its GPUs stay taken, and look() tries again.
//
// Contract: one thread (the executor's own), blocking: files, one fork per start, and up to two
// seconds to kill the remains of a job without a riftbus-job. extend() and stop() may be called by
// another thread meanwhile, and clear_trash() by a third: a lease does not wait for a slow start,
// nor a start for the removal of a large tree. Errors 1745 to 1747.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/executor/gpu_desk.h"
#include "node/executor/job_files.h"
#include "node/jobs/events.h"

namespace riftbus::executor {

inline constexpr std::uint16_t kNotStarted = 1746;
inline constexpr std::uint16_t kNoHelper = 1747;
inline constexpr std::size_t kProgressBytesMax = 64;

class Runner {
 public:
  struct Options {
    std::string folder;  // absolute; made if need be
    std::string helper;  // riftbus-job
    std::string node;
    std::size_t finished_kept = 100;
    Nanos disk_check_every = Seconds{2};
  };

  explicit Runner(Options options);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Makes the folder and the FIFO. Once, before anything else.
  [[nodiscard]] Status open();
  // Readable when a job has news: then call look(). -1 before open(). Level-triggered; look()
  // drains it.
  [[nodiscard]] int wake_fd() const { return wake_; }
  // What was left behind. Once, after open(); again if it could not be listed.
  [[nodiscard]] Result<std::vector<jobs::FoundJob>> recover();

  // What there is to give to jobs that need some; their names in order, and what the node offers.
  void set_gpus(std::vector<std::string> names, work::Offer offer = {}) {
    gpus_.set(std::move(names));
    offer_ = std::move(offer);
  }
  // Started, or Ended with why it could not be.
  [[nodiscard]] jobs::Event start(const jobs::Start& start, const JobKind& kind);
  // False: it was not said, for a reason of ours; say it again. Who has ended hears nothing, and
  // look() tells.
  [[nodiscard]] bool extend(const Hold& hold, TimePoint stop_at) const;
  [[nodiscard]] bool stop(const Hold& hold, Cause cause) const;
  // The record goes; the output stays among the last `finished_kept`; the rest is trash.
  void discard(const Hold& hold);
  // Removes for good what was discarded, also what its program made read-only.
  [[nodiscard]] Status clear_trash() const;
  // Progress and ends since the last look.
  [[nodiscard]] std::vector<jobs::Event> look();

  [[nodiscard]] std::size_t size() const { return watched_.size(); }

 private:
  struct Watched {
    std::uint8_t percent = 0;
    std::string checkpoint;
    bool has_remains = false;  // riftbus-job is gone, some process of the job is not
  };
  // unknown: for want of a descriptor, say. Nothing may be concluded from that.
  enum class Life : std::uint8_t { lives, gone, unknown };
  [[nodiscard]] std::string folder_of(const Hold& hold) const;
  [[nodiscard]] Status prepare(const jobs::Start& start, const JobKind& kind,
                               std::vector<std::string> gpus) const;
  [[nodiscard]] Status spawn(const std::string& folder) const;
  // After riftbus-job did not say in time that the job runs: whether it may run all the same. If
  // not, it never will.
  [[nodiscard]] static bool may_run(const std::string& folder);
  [[nodiscard]] bool send(const Hold& hold, const std::string& line) const;
  // Gone: the lock is the caller's now, to close (-1: there is no such folder).
  [[nodiscard]] static Life life_of(const std::string& folder, int& lock);
  // Kills what is left of a job whose riftbus-job is gone, and says how it ended. Nothing: some of
  // it cannot be killed, or nobody can tell.
  [[nodiscard]] static std::optional<Exit> bury(const std::string& folder, int kill_rounds);
  void remove_folder(const Hold& hold) const;
  void prune_finished() const;

  Options options_;
  int wake_ = -1;
  std::map<Hold, Watched> watched_;
  GpuDesk gpus_;
  work::Offer offer_;
};

// Standard output or error of a job that runs or is over; Error 1745: not here (any more).
[[nodiscard]] Result<std::string> read_output(const std::string& jobs_folder, work::WorkId id,
                                              bool is_error, std::size_t bytes_max);
// 0 to 100, of what a program wrote as its progress.
[[nodiscard]] std::uint8_t parse_percent(const std::string& text);
// In thousandths.
[[nodiscard]] std::int64_t gpus_needed(const work::Terms& terms);
// Beside this program, else wherever PATH finds it.
[[nodiscard]] std::string find_helper();

}  // namespace riftbus::executor
