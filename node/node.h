// Node: the daemon. One loop thread that waits on the bus, feeds the cores, and runs what is due.
//
// Beside it run libzmq's own I/O thread, the gatekeeper's (bus/zap.h) and the disk's; they share
// messages and immutable rosters, nothing else. A turn of the loop empties the sockets before it
// looks at the clock, so that beats which waited during a pause are heard before silence is judged.
//
// SIGTERM and SIGINT: says goodbye to the cluster, gives the words a moment to leave, ends with 0.
// A second signal ends at once.
#pragma once

#include <memory>

#include "config/result.h"
#include "node/startup.h"

namespace riftbus::node {

class Node {
 public:
  explicit Node(Prepared prepared);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Starts the gatekeeper, proves that it refuses strangers, opens the sockets. Logs one line for
  // each listener.
  [[nodiscard]] Status open();
  // Until a signal asks for the end.
  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace riftbus::node
