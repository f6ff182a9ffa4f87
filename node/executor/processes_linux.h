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
// Blocking, but quick: some microseconds per process of the machine.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace riftbus::executor {

[[nodiscard]] bool become_subreaper();

// Not the root itself; zombies count until they are waited for.
[[nodiscard]] std::vector<pid_t> find_descendants(pid_t root);
// In ticks since boot; 0: no such process. With the pid it names one process for ever.
[[nodiscard]] std::uint64_t start_time_of(pid_t pid);
// Whose environment says that they belong to this job; not this process.
[[nodiscard]] std::vector<pid_t> find_by_job_dir(const std::string& folder);

// Kills what is left of a job whose riftbus-job is gone: the program, if the pid still is what it
// was, and all that carry its folder. Returns when none is left, or after two seconds: false.
[[nodiscard]] bool kill_remains(const std::string& folder, pid_t pid, std::uint64_t pid_started);

}  // namespace riftbus::executor
