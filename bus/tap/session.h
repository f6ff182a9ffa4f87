// Session: the live end of a tap: one or many nodes, their messages in one stream.
//
// It connects, starts a tap at each node, renews the leases, and turns what arrives into entries
// in order of arrival. A node that goes away does not end the others: it is tried again once a
// second, for `retry`, and tapped anew when it is back. What was lost is told apart: by the node
// (its bounded queue) and by the tap (on the way, or because this program was too slow to read).
// What a node saw while there was no connection nobody has counted; the notes say when that was.
//
// One thread. Errors are those of bus/call.h and of the nodes, 1558 for nodes that nobody knows.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bus/call.h"
#include "bus/operator_home.h"
#include "bus/tap/format.h"
#include "bus/tap/members.h"
#include "bus/wire/message.h"

namespace riftbus::tap {

struct SessionOptions {
  std::string filter;
  bool payloads = false;
  Millis timeout{5000};  // of each connection and question
  Millis retry{};        // how long a node that went away is tried again
};

class Session {
 public:
  // `home` is borrowed and gets a newer roster if a node has one.
  Session(zmq::context_t& context, bus::OperatorHome& home, SessionOptions options);

  // Connects to the first candidate that answers as it should, and returns its id. The Error is
  // that of the last one.
  [[nodiscard]] Result<NodeId> connect(const std::vector<bus::Target>& candidates);
  // All members that `node` knows and that can be reached by the roster.
  [[nodiscard]] Result<std::vector<Listed>> list_members(const NodeId& node);
  // Starts the tap at a connected node.
  [[nodiscard]] Status start(const NodeId& node);
  void disconnect(const NodeId& node) { client_.disconnect(node); }

  // Waits for at most `patience`, then appends all that is there. An Error names a node that was
  // lost for good; go on polling while tapped() > 0.
  [[nodiscard]] Status poll(Millis patience, std::vector<Entry>& out);
  // Nodes that are tapped, or will be when they are back.
  [[nodiscard]] std::size_t tapped() const { return taps_.size() + away_.size(); }
  // Lines for people: who went away, who is back. Each once.
  [[nodiscard]] std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }
  // Ends all taps, and appends what was still waiting at the nodes.
  void stop(std::vector<Entry>& out);

  // Over all nodes, those lost too.
  struct Totals {
    std::uint64_t matched = 0;
    std::uint64_t dropped_by_node = 0;
    std::uint64_t dropped_by_tap = 0;
  };
  [[nodiscard]] Totals totals() const;

 private:
  struct Tap {
    std::uint64_t received = 0;
    std::uint64_t matched = 0;
    std::uint64_t dropped = 0;
    std::uint64_t lost = 0;  // known only when it ended
    TimePoint renew_due;
    std::size_t unacknowledged = 0;  // taken in since the last TapStart, as frame_cost() counts
  };
  struct Away {
    TimePoint since;
    TimePoint try_due;
  };
  void take(const NodeId& node, const wire::TapData& data, std::vector<Entry>& out);
  bool empty_queue(const NodeId& node, std::vector<Entry>& out);
  void renew(TimePoint now);
  // After the connection to a tapped node broke; the Error if it will not be tried again.
  [[nodiscard]] Status lose(const NodeId& node, const Error& why);
  [[nodiscard]] Status try_again(TimePoint now);
  [[nodiscard]] Status reconnect(const NodeId& node);
  void refresh_roster(const NodeId& node, RosterVersion theirs);
  void forget(const NodeId& node);

  bus::OperatorHome& home_;
  SessionOptions options_;
  bus::Client client_;
  std::map<NodeId, bus::Target> reached_;  // where each node answered
  std::map<NodeId, Tap> taps_;
  std::map<NodeId, Away> away_;
  std::vector<std::string> notes_;
  Totals ended_;
  Correlation next_renewal_;
};

}  // namespace riftbus::tap
