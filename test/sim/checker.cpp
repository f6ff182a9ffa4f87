#include "test/sim/checker.h"

#include "test/sim/checkers.h"

namespace riftbus::sim {

std::vector<std::unique_ptr<Checker>> all_checkers() {
  std::vector<std::unique_ptr<Checker>> all;
  all.push_back(make_death_checker());
  all.push_back(make_incarnation_checker());
  all.push_back(make_claim_checker());
  all.push_back(make_freshness_checker());
  all.push_back(make_digest_checker());
  all.push_back(make_bound_checker());
  return all;
}

const std::vector<wire::Claim>& claims_in(const wire::Body& body) {
  static const std::vector<wire::Claim> none;
  if (const auto* gossip = std::get_if<wire::Gossip>(&body)) return gossip->claims;
  if (const auto* answer = std::get_if<wire::JoinAnswer>(&body)) return answer->claims;
  return none;
}

const wire::Body* body_of(const membership::Action& action) {
  if (const auto* publish = std::get_if<membership::Publish>(&action)) return &publish->body;
  if (const auto* send = std::get_if<membership::Send>(&action)) return &send->body;
  if (const auto* reply = std::get_if<membership::Reply>(&action)) return &reply->body;
  return nullptr;
}

}  // namespace riftbus::sim
