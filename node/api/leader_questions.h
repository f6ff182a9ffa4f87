// LeaderQuestions: what operators ask and order about leadership and voters, as JSON documents.
//
//   leader.show                 this node's own view of who leads
//   leader.policy [policy]      of this node only; with the argument `policy`, sets it, over
//                               restarts, until it is set to "configured"
//   node.flags                  node/node_http_path.cpp; only its name is here
//   voter.list, why.leader      the leader's view, or this node's own marked "stale"
//   leader.transfer [id]        to one voter, or to the fittest
//   voter.add id, voter.remove id
//   leader.recover              this node alone begins the next generation (disaster)
//
// Reading takes any role, changing the admin role. node/api/README.md describes each document.
//
// Loop thread only; everything passed by reference outlives it.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "node/api/api.h"
#include "node/quorum/leader_watch.h"
#include "node/quorum/server_names.h"
#include "node/quorum/voter_shell.h"

namespace riftbus::node {

// What sets a standing order back to the configuration.
inline constexpr std::string_view kConfigured = "configured";
inline constexpr std::uint16_t kOrderRefused = 1726;
inline constexpr std::uint16_t kOrderRefusedNow = 1731;  // and may be taken in a while

// Where a question belongs: to the node that was asked, or to whoever leads.
enum class Answers : std::uint8_t { nobody, here, leader };
[[nodiscard]] Answers who_answers(std::string_view name);
// It changes something.
[[nodiscard]] bool is_order(std::string_view name);

class LeaderQuestions {
 public:
  // What is to be remembered over a restart; empty: as configured.
  using OnPolicy = std::function<void(const std::string& ordered)>;
  using View = std::function<NodeView()>;

  LeaderQuestions(LeaderWatch& leader, ServerNames& names, View view)
      : leader_(leader), names_(names), view_(std::move(view)) {}

  void on_policy(OnPolicy remember) { remember_ = std::move(remember); }
  void set_voter(VoterShell* voter) { voter_ = voter; }
  void set_trouble(const Error* trouble) { trouble_ = trouble; }

  // A document, or why there is none. `stale`: no majority has confirmed what this node has.
  [[nodiscard]] Result<std::string> answer(const wire::Query& query, const std::set<Role>& roles,
                                           bool stale);

 private:
  [[nodiscard]] Result<std::string> change(const wire::Query& query, bool stale);
  [[nodiscard]] Result<std::string> set_policy(const wire::Query& query);
  [[nodiscard]] Error refuse(consensus::Refusal refusal) const;

  LeaderWatch& leader_;
  ServerNames& names_;
  View view_;
  OnPolicy remember_;
  VoterShell* voter_ = nullptr;
  const Error* trouble_ = nullptr;  // why there is no voter, if there should be one
};

}  // namespace riftbus::node
