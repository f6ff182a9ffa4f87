// JobFiles: what one job consists of on disk, shared by the daemon and by riftbus-job.
//
//   <jobs>/wake                 FIFO: riftbus-job tells the daemon that something changed
//   <jobs>/<id>-<fence>/        one attempt
//     spec.json                 what to run, written before anything is started
//     lock                      held (flock) by riftbus-job until all is over and written: the only
//                               proof of life, which no reused pid can give, and no zombie that
//                               nobody waits for
//     state.json                written by riftbus-job: running, or how it ended
//     control                   FIFO: "stop_at NANOS", "stop CAUSE", one line each
//     payload                   given on standard input
//     io/progress io/checkpoint io/result    written by the program
//     work/                     its working directory, unless its kind names another
//     reserve                   room on the disk for the end; gone once that is written
//     stdout.log stderr.log     its output; older parts in *.log.1, and how
//                               much there was before in *.log.begin
//   <jobs>/finished/<id>-<fence>/   output of jobs that are over
//   <jobs>/trash/                   what is being removed
//
// Nothing here needs to survive a crash of the machine: its jobs did not. A crash of the daemon
// loses no byte that was written. Records of an earlier boot are recognised by their boot id.
//
// Blocking; not for a loop thread. Errors 1745.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/job_kind.h"
#include "config/result.h"
#include "node/jobs/events.h"

namespace riftbus::executor {

using jobs::Cause;
using jobs::Exit;
using jobs::Hold;

inline constexpr std::uint16_t kBadJobFiles = 1745;
inline constexpr std::int64_t kMegabyte = 1024 * 1024;
inline constexpr const char* kFinishedFolder = "finished";
inline constexpr const char* kTrashFolder = "trash";

struct JobSpec {
  Hold hold;
  std::uint16_t attempt = 1;
  work::Terms terms;
  JobKind kind;
  std::vector<std::string> gpus;  // its own (gpu_desk.h)
  std::string node;
  std::string boot_id;
  TimePoint stop_at;  // max: none
  Nanos kill_grace{};
  Nanos disk_check_every = Seconds{2};
  std::uint64_t output_bytes_max = 0;  // of each stream
  std::uint64_t disk_bytes_max = 0;
};

struct JobState {
  bool ended = false;
  std::int64_t pid = 0;           // of the program
  std::uint64_t pid_started = 0;  // its start time, in ticks since boot: tells pids apart
  TimePoint stop_at;
  Exit exit;
};

[[nodiscard]] JobSpec make_spec(const jobs::Start& start, const JobKind& kind,
                                const std::string& node);

// "17-4711"
[[nodiscard]] std::string folder_name(const Hold& hold);
[[nodiscard]] std::optional<Hold> parse_folder_name(const std::string& name);
// Those that have a folder in `folder`, in no order; all of them, or an Error 1745.
[[nodiscard]] Result<std::vector<Hold>> find_attempts(const std::string& folder);

[[nodiscard]] Status write_spec(const std::string& folder, const JobSpec& spec);
[[nodiscard]] Result<JobSpec> read_spec(const std::string& folder);
[[nodiscard]] Status write_state(const std::string& folder, const JobState& state);
[[nodiscard]] Result<JobState> read_state(const std::string& folder);

// Empty: there is none. Larger files are cut at `bytes_max`, and `whole` says so.
[[nodiscard]] std::string read_part(const std::string& path, std::size_t bytes_max,
                                    bool* whole = nullptr);
[[nodiscard]] std::string boot_id();

}  // namespace riftbus::executor
