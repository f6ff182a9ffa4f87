// WorkDesk: serves those who ask this node about work and leadership.
//
// Where the replica of this node leads, a request goes to it under a ticket and is answered when it
// has answered. Everywhere else a member is told who leads and goes there itself. Anybody else (an
// operator's tool) is helped: the request is passed on through the WorkClient in the asker's name.
// A question that reaches no leader in time is answered from what this node has, marked stale.
//
// In whose name: whoever passes a request on says for whom, and nothing proves it. A voter is
// believed, for it could write anything into the log anyway. Any other node's word is good for
// reading only, so such a node does not pass commands on: the tool goes to the leader itself.
//
// Who may: questions take any role. Commands of a worker and its renewals take a member, about
// itself, or an admin, about any worker. Adding takes a member or an admin; what operators do
// (cancel, kick, configure, ...) an admin. Expire, Tick and Recover are the leader's own. An Add
// without a nonce is refused: it could not be repeated safely.
//
// What is passed on is read here first, so that a tool's mistake costs the leader nothing.
//
// Bounds: kAskersMax requests under way; more are answered busy. Passed on, kPassedBytesMax at
// once; more is refused (1725). Nobody waits for work longer than kWaitMax. Loop thread only;
// everything passed by reference outlives this object.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "bus/bus.h"
#include "node/quorum/leader_watch.h"
#include "node/quorum/voter_shell.h"
#include "node/quorum/work_client.h"

namespace riftbus::node {

class WorkDesk {
 public:
  static constexpr Seconds kQuestionMax{3};  // then a stale answer is better than none

  static constexpr std::size_t kAskersMax = 16 * 1024;
  static constexpr std::size_t kPassedBytesMax = 16 * 1024 * 1024;
  static constexpr Seconds kWaitMax{60};

  // Good until the roster changes, which no request does.
  using RolesOf = std::function<const std::set<Role>&(const NodeId&)>;
  // The document that answers a question, from what this node has now; or why not. `roles` are the
  // asker's.
  using Questions = std::function<Result<std::string>(const wire::Query&,
                                                      const std::set<Role>& roles, bool stale)>;

  WorkDesk(const NodeId& self, bus::Bus& bus, WorkClient& client, LeaderWatch& leader,
           RolesOf roles_of, Questions questions);

  void set_voter(VoterShell* voter);
  // What those hear who ask for the leader: how far our own log is (node/quorum/founding.h).
  void set_note(std::string note) { note_ = std::move(note); }

  void on_request(bus::Received&& received, TimePoint now);
  // A Query whose document the leader must write; `changes`: it is an order, too.
  void on_question(const bus::Received& received, const wire::Query& query, bool changes,
                   TimePoint now);
  // From our own WorkClient, when this node leads.
  void on_here(WorkClient::Number number, const wire::WorkRequest& request, TimePoint now);

  [[nodiscard]] std::size_t open() const { return askers_.size(); }
  [[nodiscard]] std::size_t passed_bytes() const { return passed_bytes_; }

 private:
  // On the bus, with a WorkRequest or with a Query; or in this node.
  struct Remote {
    bus::ReplyTo to;
    Correlation correlation;
    bool as_document = false;
  };
  struct Asker {
    std::variant<Remote, WorkClient::Number> who;
    wire::Query question;  // of a question: asked once more when it may be answered
    std::set<Role> roles;  // likewise; a command is judged when it comes
  };

  void serve(Asker asker, wire::WorkRequest request, const NodeId& client,
             const std::set<Role>& roles, TimePoint now);
  void serve_command(Asker asker, wire::WorkRequest request, const NodeId& client,
                     const std::set<Role>& roles, TimePoint now);
  void pass_on(Remote remote, wire::WorkRequest request, const NodeId& client, TimePoint now);
  void answer(const Asker& asker, Result<wire::WorkReply> reply);
  void answer_question(const Asker& asker, bool stale);
  void on_answer(replica::Answer&& answer);
  [[nodiscard]] replica::Ticket remember(Asker asker);
  [[nodiscard]] wire::WorkReply moved(TimePoint now) const;
  [[nodiscard]] wire::WorkReply served(wire::WorkOutcome outcome, std::string body) const;
  [[nodiscard]] bool is_voter(const NodeId& id) const {
    return roles_of_(id).contains(Role::voter);
  }
  // Of `client`, when `origin` has passed the request on.
  [[nodiscard]] std::set<Role> rights_of(const NodeId& client, const NodeId& origin) const;

  NodeId self_;
  bus::Bus& bus_;
  WorkClient& client_;
  LeaderWatch& leader_;
  RolesOf roles_of_;
  Questions questions_;
  VoterShell* voter_ = nullptr;
  std::string note_;
  std::map<replica::Ticket, Asker> askers_;
  std::uint64_t next_ticket_ = 1;
  std::size_t passed_bytes_ = 0;
};

// Whether a client with these roles may give this command; if not, why.
[[nodiscard]] const char* refuse_command(const work::Command& command, const NodeId& client,
                                         const std::set<Role>& roles);

}  // namespace riftbus::node
