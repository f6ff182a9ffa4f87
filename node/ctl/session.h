// Session: the conversation of one command with the cluster.
//
// It reaches the node named by --node, or the first of the targets that answers, and asks it; other
// nodes are asked directly, at the addresses the first one knows. A roster that is newer than the
// operator's is fetched, verified and kept, so that the next command knows the new keys.
//
// Contract: one thread. Every question waits at most --timeout. Errors keep the node's own code
// and advice.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/call.h"
#include "bus/operator_home.h"
#include "node/ctl/context.h"
#include "node/ctl/json_view.h"

namespace riftbus::ctl {

using Arguments = std::map<std::string, std::string>;

// What one node of several answered.
struct Said {
  NodeId node;
  Result<Json> answer;
};

// Whether it is worth asking again: a leader that is being elected and a node that is restarting
// pass, a missing key will not appear.
[[nodiscard]] bool may_pass(const Error& error);

class Session {
 public:
  // Connects. 1506: nobody answered; `where` lists who was tried. `timeout` replaces --timeout.
  [[nodiscard]] static Result<std::unique_ptr<Session>> open(const Context& context,
                                                             std::optional<Millis> timeout = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] const NodeId& entry() const { return entry_.id; }
  [[nodiscard]] bus::OperatorHome& home() { return home_; }

  // Asks the entry node. Reconnects once if the connection was lost meanwhile.
  [[nodiscard]] Result<Json> ask(const std::string& query, const Arguments& arguments = {});
  // All pages of a list as one document: those of `list_name` are joined.
  [[nodiscard]] Result<Json> ask_list(const std::string& query, const std::string& list_name);
  // Asks several nodes, kAskedMax of them at a time, each over a connection of its own.
  // `node_list` is a node.list document: it has their addresses.
  [[nodiscard]] std::vector<Said> ask_many(const std::vector<NodeId>& nodes, const Json& node_list,
                                           const std::string& query, const Arguments& arguments);
  // Any request to the entry node.
  [[nodiscard]] Result<wire::Body> call(wire::Body request);
  // Asks the entry node who leads, and makes that node the entry node. Ok, too, when nobody leads.
  [[nodiscard]] Status follow_leader();
  // Makes another member the entry node: 1504 if its addresses are not known.
  [[nodiscard]] Status move_to(const NodeId& node);
  // The entry node's roster if it is newer than ours: verified, kept in memory and on disk.
  [[nodiscard]] Status refresh_roster();

  static constexpr std::size_t kAskedMax = 32;

 private:
  struct Link;
  Session(bus::OperatorHome home, Millis timeout, bool insecure);
  [[nodiscard]] Status connect(const std::vector<bus::Target>& targets);
  [[nodiscard]] const KeyPair* keys() const;
  [[nodiscard]] NodeId self() const;
  [[nodiscard]] std::vector<bus::Target> targets_of(const NodeId& node,
                                                    const Json& node_list) const;
  // On a connection of its own: safe beside others of its kind.
  [[nodiscard]] Result<Json> ask_directly(const std::vector<bus::Target>& targets,
                                          const wire::Query& query);

  bus::OperatorHome home_;
  Millis timeout_;
  bool insecure_;
  std::unique_ptr<Link> link_;
  bus::Target entry_;
};

}  // namespace riftbus::ctl
