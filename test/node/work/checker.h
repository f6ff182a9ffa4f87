// Checker: judges a history of commands and replies against what the queue promises.
//
// It shares no code with the queue and looks at nothing but what clients could see: who was granted
// what under which fence, and which ends were accepted. What it cannot see, it does not guess: a
// gang may fall apart by itself, so an end of a gang's grant may go unseen.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "node/work/command.h"

namespace riftbus::work {

class Checker {
 public:
  void saw(const Stamp& stamp, const Command& command, const Reply& reply);
  // After everything: each item that was accepted has ended.
  void finish(const std::set<WorkId>& dead, const std::set<WorkId>& cancelled);

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::size_t grants() const { return grants_; }
  [[nodiscard]] std::size_t completions() const { return done_.size(); }

 private:
  struct Active {
    NodeId worker;
    Fence fence;
  };
  void blame(const std::string& what, WorkId id);
  void on(const Stamp& stamp, const Add& command, const Reply& reply);
  void on(const Stamp& stamp, const Claim& command, const Reply& reply);
  void on(const Stamp& stamp, const Attach& command, const Reply& reply);
  void on(const Stamp& stamp, const Complete& command, const Reply& reply);
  void on(const Stamp& stamp, const Fail& command, const Reply& reply);
  void on(const Stamp& stamp, const Bury& command, const Reply& reply);
  void on(const Stamp& stamp, const Release& command, const Reply& reply);
  void on(const Stamp& stamp, const Expire& command, const Reply& reply);
  void on(const Stamp& stamp, const SetGroup& command, const Reply& reply);
  template <class Other>
  void on(const Stamp&, const Other&, const Reply&) {}

  void granted(const Claim& command, Fence fence, const Grant& grant);
  void check_capacity(const Claim& command);
  void ended(const std::string& verb, const NodeId& worker, const Hold& hold, Outcome outcome);
  template <class Works>
  void judge_all(const std::string& verb, const NodeId& worker, const Works& works,
                 const Reply& reply);

  std::map<WorkId, Spec> specs_;
  std::map<WorkId, std::set<WorkId>> after_;
  std::map<WorkId, Active> active_;
  std::map<NodeId, Instance> instances_;
  std::map<WorkId, Fence> last_fence_;
  std::set<WorkId> done_;
  std::set<std::pair<WorkId, Fence>> ended_;
  std::map<std::pair<WorkId, Fence>, std::string> ended_by_;
  std::map<std::string, std::uint32_t> limits_;
  std::map<std::tuple<NodeId, Instance, std::uint64_t>, std::pair<Fence, std::vector<WorkId>>>
      answers_;
  std::vector<std::string> violations_;
  std::size_t grants_ = 0;
};

}  // namespace riftbus::work
