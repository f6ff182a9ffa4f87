#include "node/membership/calls.h"

namespace riftbus::membership {

Correlation Calls::open(NodeId peer, Purpose purpose, NodeId subject, TimePoint now) {
  if (open_.size() >= kOpenMax) open_.erase(open_.begin());
  last_ = last_.next();
  open_.emplace(last_, Question{std::move(peer), purpose, std::move(subject), now});
  return last_;
}

std::optional<Calls::Question> Calls::close(Correlation correlation, const NodeId& from) {
  const auto found = open_.find(correlation);
  if (found == open_.end() || found->second.peer != from) return std::nullopt;
  Question question = std::move(found->second);
  open_.erase(found);
  return question;
}

}  // namespace riftbus::membership
