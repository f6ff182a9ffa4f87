#include "node/work/workers.h"

#include <algorithm>
#include <utility>

namespace riftbus::work {

const Worker* Workers::find(std::uint16_t node) const {
  const auto at = all_.find(node);
  return at == all_.end() ? nullptr : &at->second;
}

Worker* Workers::find(std::uint16_t node) {
  return const_cast<Worker*>(std::as_const(*this).find(node));
}

Worker* Workers::admit(std::uint16_t node) {
  if (Worker* known = find(node)) return known;
  if (all_.size() >= kWorkersMax) {
    auto oldest = all_.end();
    for (auto at = all_.begin(); at != all_.end(); ++at) {
      if (!at->second.leases.empty()) continue;
      if (oldest == all_.end() || at->second.seen_ms < oldest->second.seen_ms) oldest = at;
    }
    if (oldest == all_.end()) return nullptr;
    all_.erase(oldest);
  }
  return &all_[node];
}

bool Workers::replace(Worker& worker, Instance instance, Instance replaces) {
  if (worker.instance == instance) return true;
  if (worker.instance != Instance() && worker.instance != replaces) return false;
  worker.instance = instance;
  worker.answers.clear();  // the new instance counts its requests from the start
  return true;
}

const Answer* Workers::find_answer(const Worker& worker, std::uint64_t request) {
  for (const auto& answer : worker.answers) {
    if (answer.request == request) return &answer;
  }
  return nullptr;
}

void Workers::remember(Worker& worker, Answer answer) {
  worker.answers.push_back(std::move(answer));
  if (worker.answers.size() > kAnswersKept) worker.answers.erase(worker.answers.begin());
}

void Workers::reserve(Worker& worker, WorkId id, const std::vector<Amount>& amounts) {
  worker.leases.insert(id);
  for (const auto& amount : amounts) worker.reserved[amount.name] += amount.milli;
}

void Workers::unreserve(Worker& worker, WorkId id, const std::vector<Amount>& amounts) {
  worker.leases.erase(id);
  for (const auto& amount : amounts) {
    const auto at = worker.reserved.find(amount.name);
    if (at == worker.reserved.end()) continue;
    at->second -= amount.milli;
    if (at->second == 0) worker.reserved.erase(at);
  }
}

std::int64_t Workers::left(const Worker& worker, std::string_view name) {
  const std::int64_t* total = worker.offer.find_amount(name);
  const auto used = worker.reserved.find(name);
  return (total == nullptr ? 0 : *total) - (used == worker.reserved.end() ? 0 : used->second);
}

bool Workers::has_room(const Worker& worker, const std::vector<Amount>& amounts) {
  return std::all_of(amounts.begin(), amounts.end(), [&](const Amount& amount) {
    return left(worker, amount.name) >= amount.milli;
  });
}

}  // namespace riftbus::work
