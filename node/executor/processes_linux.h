// Processes: who descends from whom, as /proc tells. Linux only.
//
// riftbus-job is a child subreaper (PR_SET_CHILD_SUBREAPER): whatever its program forks, however it
// hides (setsid, double fork), stays below it in the tree, because orphans are given to the nearest
// subreaper. So "all that the program started" is "all that descends from riftbus-job", and that is
// what these functions find. What a container runtime starts elsewhere on request is not below it.
//
// When riftbus-job itself was killed, its descendants belong to somebody else by then. They are
// known by the variable RIFTBUS_JOB_DIR, which each of them inherited, unless it cleared its
// environment.
//
// Blocking, but quick: some tens of microseconds per process of the machine, and up to 200 ms more
// while any hangs that begins a program.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace riftbus::executor {

[[nodiscard]] bool become_subreaper();

// Not the root itself; zombies count until they are waited for.
[[nodiscard]] std::vector<pid_t> find_descendants(pid_t root);
// In ticks since boot; 0: no such process. With the pid it names one process for ever.
[[nodiscard]] std::uint64_t start_time_of(pid_t pid);
// Whose environment says that they belong to this job; not this process.
struct JobProcesses {
  std::vector<pid_t> pids;
  // False: there may be more. /proc, or some process of it, cannot be read for a reason of our own
  // (descriptors, memory), or hangs while it begins a program.
  bool is_sure = true;
};
// `since`: nobody belongs to the job who was there before, in ticks since boot.
[[nodiscard]] JobProcesses find_by_job_dir(const std::string& folder, std::uint64_t since = 0);

inline constexpr int kKillRounds = 100;  // of 20 ms

// Kills what is left of a job whose riftbus-job is gone: the program, if the pid still is what it
// was, and all that carry its folder. True when it is certain that none is left; false when some
// are after `rounds_max`, or when there may be some that are not found.
[[nodiscard]] bool kill_remains(const std::string& folder, pid_t pid, std::uint64_t pid_started,
                                int rounds_max = kKillRounds);

}  // namespace riftbus::executor
