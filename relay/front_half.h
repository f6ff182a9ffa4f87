// FrontHalf: the program riftbus-relay-front, from prepared settings to a clean end.
//
// It lets members reach the attached nodes: relay/front/front.h. Its status is a file beside the
// nodes' sockets, front.json:
//
//   {"schema": 1, "pid": 4711, "state": "running", "wall_ms": ..., "front": "0.0.0.0:7723",
//    "connections": 12, "counters": {"accepted": 812, "opened": 800, "unreachable": 9, ...}}
//
// SIGTERM and SIGINT end every connection and return; SIGHUP reopens the log.
//
// Contract: one per process (it blocks these signals and gives up rights in open()). open(), then
// run(), which returns at the end of the program.
#pragma once

#include <optional>
#include <string>

#include "bus/signal_watch.h"
#include "bus/ssh/status_file.h"
#include "config/cluster.h"
#include "relay/front/front.h"

namespace riftbus::relay {

[[nodiscard]] std::string front_status_file(const RelayConfig& config);

class FrontHalf : private bus::Watcher {
 public:
  static constexpr Seconds kStatusEvery{5};      // besides after changes
  static constexpr Millis kStatusPause{250};     // but no more often than that
  static constexpr Millis kLastStatusMax{1000};  // what the end waits for it

  explicit FrontHalf(const NodeSettings& settings);
  ~FrontHalf() override;
  FrontHalf(const FrontHalf&) = delete;
  FrontHalf& operator=(const FrontHalf&) = delete;

  [[nodiscard]] Status open();  // 1817, 1845
  void run();

 private:
  void on_ready(bus::Readiness what) override;  // a signal
  void write_state(TimePoint now, bool is_running);
  void judge_writing(TimePoint now);
  [[nodiscard]] TimePoint status_due() const;

  const RelayConfig config_;
  bus::Loop loop_;
  bus::SignalWatch signals_;
  Front front_;
  ssh::StatusWriter status_writer_;
  std::uint64_t changes_shown_ = 0;
  TimePoint status_written_{};
  std::optional<TimePoint> status_failing_;  // since
  bool status_told_ = false;
  bool is_stopping_ = false;
};

}  // namespace riftbus::relay
