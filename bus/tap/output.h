// Output: where tapped messages go: the screen, a record, a summary; and when that is enough.
//
// The same for a live tap and for a record read back. One thread; writes to `screen` only lines of
// data, never messages about itself.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "bus/tap/format.h"
#include "bus/tap/options.h"
#include "bus/tap/record.h"
#include "bus/tap/summary.h"

namespace riftbus::tap {

class Output {
 public:
  // Opens the record, if there is to be one.
  [[nodiscard]] static Result<Output> open(const Options& options, bool several_nodes,
                                           std::ostream& screen);

  // One message or loss. Messages must have passed the filter.
  [[nodiscard]] Status take(const Entry& entry);
  // After each batch: hands everything to the system.
  [[nodiscard]] Status flush();
  // As many as -c asked for were shown, or nobody reads the screen any more.
  [[nodiscard]] bool done() const { return enough_ || !screen_->good(); }
  // The summary's last lines.
  void finish();
  [[nodiscard]] std::uint64_t shown() const { return shown_; }

 private:
  explicit Output(std::ostream& screen) : screen_(&screen) {}

  std::ostream* screen_;
  Format format_;
  std::uint64_t count_ = 0;
  std::optional<RecordWriter> record_;
  std::optional<Summary> summary_;
  std::uint64_t shown_ = 0;
  bool enough_ = false;
};

// "2 shown, 1204 matched filter, 0 dropped by node, 0 by tap"
[[nodiscard]] std::string totals_line(std::uint64_t shown, std::uint64_t matched,
                                      std::uint64_t by_node, std::uint64_t by_tap);

}  // namespace riftbus::tap
