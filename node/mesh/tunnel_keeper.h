// TunnelKeeper: the riftbus-tunnel processes that a node runs for itself, one for each relay.
//
// A tunnel looks after its session; this looks after the tunnel's process: starts it, starts it
// again after a pause that grows from kPauseMin to kPauseMax and begins anew after kStable, and
// ends it when it is not wished for any more. When the node itself is gone, however that happens,
// the kernel ends its tunnels too, so none is left behind.
//
// Contract: the thread that makes it is the only one to use it, and lives as long as the process:
// the kernel takes that thread's end for the node's. stop() blocks for at most twice kEndMax.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/types.h"
#include "node/mesh/journal.h"

namespace riftbus::node {

class TunnelKeeper {
 public:
  static constexpr Millis kPauseMin{1000};
  static constexpr Millis kPauseMax{60'000};
  static constexpr Seconds kStable{30};
  static constexpr Seconds kEndMax{3};  // from TERM to KILL

  // Each is `program --attach RELAY arguments...` and writes its state to folder/tunnel-RELAY.json.
  TunnelKeeper(std::string program, std::vector<std::string> arguments, std::string folder,
               Journal& journal);
  ~TunnelKeeper() { stop(); }
  TunnelKeeper(const TunnelKeeper&) = delete;
  TunnelKeeper& operator=(const TunnelKeeper&) = delete;

  // Starts what is wished for and does not run, ends what is not, buries what has ended.
  void tend(const std::vector<NodeId>& wished, Moment now);
  // Makes a new session at once: a signal to its process. False: none runs.
  bool reconnect(const NodeId& relay, TimePoint now);
  // SIGHUP: logs are reopened.
  void pass_on(int number);
  void stop();

  struct Run {
    int pid = 0;               // 0: does not run
    std::uint64_t starts = 0;  // of its process
    TimePoint started{};
    TimePoint due{};  // to start, while it does not run
    Millis pause = kPauseMin;
    std::string ended_by;          // the last time; empty: never
    TimePoint kill_due = kNobody;  // it was told to end
    bool is_wished = false;
  };
  [[nodiscard]] const std::map<NodeId, Run>& runs() const { return runs_; }

 private:
  static constexpr TimePoint kNobody = TimePoint::max();
  void start(const NodeId& relay, Run& run, Moment now);
  void end(Run& run, TimePoint now);
  void bury(Moment now);

  std::string program_;
  std::vector<std::string> arguments_;
  std::string folder_;
  Journal& journal_;
  std::map<NodeId, Run> runs_;
};

}  // namespace riftbus::node
