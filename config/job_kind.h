// JobKind: how one kind of work is run, as the cluster file says under `jobs`.
//
// Work in the queue names its kind and carries a payload; the program, its surroundings and its
// bounds stand here, on the nodes' side, so that nobody who may add work may choose programs. The
// same file on all nodes is the normal case; a node that lacks a kind does not take work of it.
//
// The program gets the payload on standard input and as a file; everything else it may want to
// know stands in RIFTBUS_* variables (node/jobs/README.md). It says "done" by exit status 0,
// "never again" by 100, "not now" by 75 (EX_TEMPFAIL), and anything else is a failed attempt.
//
// job_knobs() is the one table of the knobs: reader, reports and documentation follow it. Values
// without behaviour; pure.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"

namespace riftbus {

struct DocumentNode;
class DocumentReader;

struct JobKind {
  std::string name;                  // 1 to 64 characters, as a node id
  std::vector<std::string> command;  // program and arguments; no shell unless you name one
  std::map<std::string, std::string> environment;  // besides PATH, HOME, LANG and RIFTBUS_*
  std::string needs;                   // config/needs.h; empty: any node. One CPU unless it says
  std::string working_dir;             // empty: a fresh directory per attempt, gone at its end
  std::int64_t timeout_s = 3600;       // of one attempt; then it counts as failed
  std::int64_t lease_s = 600;          // long: a minute without quorum must not cost hours of work
  std::int64_t kill_grace_s = 10;      // from TERM to KILL: time to write a checkpoint
  std::int64_t attempts_max = 3;       // failures of the work itself, then it waits for an operator
  std::int64_t losses_max = 10;        // nodes that vanished under it: not its fault, so more
  std::int64_t backoff_base_s = 5;     // before the second attempt; doubles
  std::int64_t backoff_cap_s = 600;    // and ends here
  std::string on_disconnect = "kill";  // kill, finish: finish keeps running, for the record only
  bool overlap_ok = false;             // may start elsewhere while a dead node may still run it
  std::int64_t output_mb_max = 16;     // of standard output and of error, each: older parts go
  std::int64_t disk_mb_max = 10'240;   // in its working directory; then it is stopped as failed
  std::int64_t priority = 50;          // of work that does not say; 255 is most urgent
  std::int64_t nice = 10;              // below the daemon, whose beats must not wait
  SourcePlace where;

  bool operator==(const JobKind&) const = default;
};

inline constexpr std::size_t kJobKindsMax = 256;
inline constexpr std::size_t kCommandWordsMax = 256;
inline constexpr std::size_t kEnvironmentMax = 256;
inline constexpr std::int64_t kSecondsMax = 30LL * 24 * 3600;

// One number of a kind. Words and lists (command, environment, needs, ...) are read by hand.
struct JobKnob {
  std::string_view name;
  std::string_view unit;
  std::int64_t JobKind::*value;
  std::int64_t low;
  std::int64_t high;
};
[[nodiscard]] std::span<const JobKnob> job_knobs();
// Of every key that may stand under a kind.
[[nodiscard]] std::span<const std::string_view> job_keys();

// `jobs:` as read. Every mistake is a diagnostic with its place; what is wrong is left out.
[[nodiscard]] std::map<std::string, JobKind> read_jobs(const DocumentNode& jobs,
                                                       DocumentReader& reader);

// A kind as lines of key and value, in the order of job_keys(); numbers carry their unit.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> describe_job(const JobKind& kind);

}  // namespace riftbus
