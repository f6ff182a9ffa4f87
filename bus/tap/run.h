// Run: a tap from its options to its last line.
//
// run_live() ends when as many messages as wanted were shown, when SIGINT or SIGTERM came, when
// nobody reads the output, or when the last tapped node is gone and did not come back in time. Both
// print the totals on `err`; run_live() also who went away, who is back, and what was dropped. Exit
// statuses are those of config/exit_status.h.
#pragma once

#include <csignal>
#include <ostream>

#include "bus/tap/options.h"
#include "config/effective.h"
#include "config/result.h"

namespace riftbus::tap {

// While it lives SIGINT and SIGTERM wait to be asked about instead of ending the process, and a
// closed pipe is an error of the write. One object, before other threads start.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  [[nodiscard]] bool pending() const;

 private:
  sigset_t before_{};
};

[[nodiscard]] int run_recorded(const Options& options, std::ostream& out, std::ostream& err);
[[nodiscard]] int run_live(const Options& options, const Environment& environment,
                           const StopSignals& stop, std::ostream& out, std::ostream& err);
// Prints the error and returns the status that fits its code.
[[nodiscard]] int report(const Error& error, std::ostream& err);

}  // namespace riftbus::tap
