// Keeper: the program riftbus-relay. It starts the relay's two halves and starts them again.
//
// It speaks with nobody: the SSH half and the front each talk to strangers, with as few rights as
// they need, and the end of one leaves the other as it is. Pauses between starts grow from
// kPauseMin to kPauseMax, and begin anew after kStable. When the keeper itself is gone, however
// that happens, the kernel ends its halves too.
//
// A half that ends by its configuration kRefusalsMax times in a row ends the relay; the first times
// it may have been a predecessor that had not quite gone.
//
// SIGTERM and SIGINT end both halves, and run() when they have ended; SIGHUP is passed on.
//
// Contract: one per process, which has no other children.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "bus/loop.h"
#include "bus/signal_watch.h"
#include "config/result.h"
#include "config/types.h"

namespace riftbus::relay {

class Keeper {
 public:
  static constexpr Millis kPauseMin{250};
  static constexpr Millis kPauseMax{5000};
  static constexpr Seconds kStable{10};
  static constexpr int kRefusalsMax = 4;

  // Programs in the folder, each given all the arguments.
  Keeper(const std::string& folder, std::vector<std::string> arguments);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // 1847: by its configuration.
  [[nodiscard]] Status run();

 private:
  struct Half {
    std::string name;
    std::string path;
    int pid = 0;  // 0: does not run
    TimePoint started{};
    TimePoint due{};  // to start
    Millis pause = kPauseMin;
    int refusals = 0;  // in a row
  };
  void start(Half& half, TimePoint now);
  void pass_on(int number);
  void bury(TimePoint now);
  [[nodiscard]] bool is_anybody_there() const;

  std::vector<std::string> arguments_;
  std::array<Half, 2> halves_;
  bus::SignalWatch signals_;
  bool is_stopping_ = false;
  Status outcome_ = Ok{};
};

}  // namespace riftbus::relay
