#include "test/node/work/checker.h"

namespace riftbus::work {

void Checker::blame(const std::string& what, WorkId id) {
  violations_.push_back(what + " #" + std::to_string(id.value()));
}

void Checker::saw(const Stamp& stamp, const Command& command, const Reply& reply) {
  std::visit([&](const auto& body) { on(stamp, body, reply); }, command);
}

void Checker::on(const Stamp&, const Add& command, const Reply& reply) {
  const auto& added = std::get<Added>(reply);
  if (added.outcome != Outcome::ok) return;
  for (std::size_t i = 0; i < added.ids.size(); ++i) {
    if (added.known[i] != 0) continue;
    const WorkId id = added.ids[i];
    if (!specs_.emplace(id, command.items[i]).second) blame("id given twice", id);
    for (const WorkId other : command.items[i].after) after_[id].insert(other);
    for (const auto position : command.items[i].after_here) {
      after_[id].insert(added.ids[position]);
    }
  }
}

void Checker::on(const Stamp&, const Claim& command, const Reply& reply) {
  const auto& claimed = std::get<Claimed>(reply);
  if (claimed.outcome != Outcome::ok) return;
  instances_[command.worker] = command.instance;
  std::vector<WorkId> ids;
  for (const auto& grant : claimed.grants) ids.push_back(grant.id);
  const auto key = std::make_tuple(command.worker, command.instance, command.request);
  const auto [known, fresh] = answers_.try_emplace(key, claimed.fence, ids);
  if (!fresh) {
    if (known->second != std::make_pair(claimed.fence, ids)) {
      blame("a repeated claim got another answer", ids.empty() ? WorkId() : ids[0]);
    }
    return;
  }
  for (const auto& grant : claimed.grants) granted(command, claimed.fence, grant);
  check_capacity(command);
}

void Checker::granted(const Claim& command, Fence fence, const Grant& grant) {
  ++grants_;
  const WorkId id = grant.id;
  const auto spec = specs_.find(id);
  if (spec == specs_.end()) return blame("granted, never added", id);
  if (!grant.held) blame("a fresh grant is not held", id);
  if (grant.payload != spec->second.payload) blame("wrong payload", id);
  if (active_.count(id) > 0 && spec->second.gang == 0) blame("granted while another holds it", id);
  if (done_.count(id) > 0) blame("granted after it was done", id);
  if (fence <= last_fence_[id]) blame("fence did not grow", id);
  for (const WorkId other : after_[id]) {
    if (done_.count(other) == 0) blame("granted before what it waits for", id);
  }
  last_fence_[id] = fence;
  active_[id] = {command.worker, fence};
}

// No more is granted to one worker than it offers, and to one group than it may run.
void Checker::check_capacity(const Claim& command) {
  std::int64_t gpus = 0;
  std::map<std::string, std::uint32_t> running;
  for (const auto& [id, active] : active_) {
    const Spec& spec = specs_.at(id);
    if (spec.gang != 0) continue;
    ++running[spec.group];
    if (active.worker == command.worker && spec.terms.needs == "gpus>=1") gpus += 1000;
  }
  const std::int64_t* total = command.offer.find_amount("gpus");
  if (gpus > (total == nullptr ? 0 : *total)) blame("more GPUs granted than there are", WorkId());
  for (const auto& [group, limit] : limits_) {
    if (limit != 0 && running[group] > limit) blame("above the limit of group " + group, WorkId());
  }
}

void Checker::ended(const std::string& verb, const NodeId& worker, const Hold& hold,
                    Outcome outcome) {
  const auto active = active_.find(hold.id);
  const bool holds = active != active_.end() && active->second.fence == hold.fence &&
                     (worker.empty() || active->second.worker == worker);
  const bool ganged = specs_.count(hold.id) > 0 && specs_.at(hold.id).gang != 0;
  if (outcome == Outcome::ok) {
    if (!holds) return blame(verb + " accepted from who does not hold", hold.id);
    active_.erase(active);
    ended_by_[{hold.id, hold.fence}] = verb;
    if (verb == "complete" && !done_.insert(hold.id).second) blame("done twice", hold.id);
  } else if (outcome == Outcome::repeated) {
    const auto before = ended_by_.find({hold.id, hold.fence});
    if (before == ended_by_.end() || before->second != verb) {
      if (!ganged) blame(verb + " called repeated, but is new", hold.id);
    }
  } else if (holds && !ganged && outcome != Outcome::wrong_state) {
    blame(verb + " refused to the holder", hold.id);
  }
}

template <class Works>
void Checker::judge_all(const std::string& verb, const NodeId& worker, const Works& works,
                        const Reply& reply) {
  const auto& verdicts = std::get<Verdicts>(reply);
  for (std::size_t i = 0; i < verdicts.works.size(); ++i) {
    ended(verb, worker, works[i].hold, verdicts.works[i].outcome);
  }
}

void Checker::on(const Stamp&, const Complete& command, const Reply& reply) {
  judge_all("complete", command.worker, command.works, reply);
}
void Checker::on(const Stamp&, const Fail& command, const Reply& reply) {
  judge_all("fail", command.worker, command.works, reply);
}
void Checker::on(const Stamp&, const Bury& command, const Reply& reply) {
  judge_all("bury", command.worker, command.works, reply);
}
void Checker::on(const Stamp&, const Release& command, const Reply& reply) {
  judge_all("release", command.worker, command.works, reply);
}
void Checker::on(const Stamp& stamp, const Expire& command, const Reply& reply) {
  if (command.term != stamp.term && !std::get<Verdicts>(reply).works.empty()) {
    blame("a deposed leader's expiry was applied", WorkId());
  }
  judge_all("expire", NodeId(), command.works, reply);
}

void Checker::on(const Stamp&, const Attach& command, const Reply& reply) {
  if (std::get<Verdicts>(reply).outcome != Outcome::ok) return;
  const bool is_new =
      std::exchange(instances_[command.worker], command.instance) != command.instance;
  if (!is_new && !command.leaving) return;
  const std::set<Hold> kept(command.holds.begin(), command.holds.end());
  for (auto at = active_.begin(); at != active_.end();) {
    const bool over = at->second.worker == command.worker &&
                      (command.leaving || kept.count({at->first, at->second.fence}) == 0);
    if (over) ended_by_[{at->first, at->second.fence}] = command.leaving ? "release" : "expire";
    at = over ? active_.erase(at) : std::next(at);
  }
}

void Checker::on(const Stamp&, const SetGroup& command, const Reply&) {
  limits_[command.group] = command.limit;
}

void Checker::finish(const std::set<WorkId>& dead, const std::set<WorkId>& cancelled) {
  for (const auto& [id, spec] : specs_) {
    const int ends = static_cast<int>(done_.count(id) + dead.count(id) + cancelled.count(id));
    if (ends != 1) blame("has " + std::to_string(ends) + " ends:", id);
  }
}

}  // namespace riftbus::work
