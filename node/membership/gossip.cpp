#include "node/membership/gossip.h"

#include <iterator>

namespace riftbus::membership {

std::vector<wire::Gossip> into_pages(std::vector<wire::Claim> claims) {
  std::vector<wire::Gossip> pages;
  for (auto& claim : claims) {
    if (pages.empty() || pages.back().claims.size() >= kClaimsPerFrame) pages.emplace_back();
    pages.back().claims.push_back(std::move(claim));
  }
  return pages;
}

std::size_t Gossip::flush(Actions& out) {
  if (waiting_.empty()) return 0;
  auto pages = into_pages(std::exchange(waiting_, {}));
  for (auto& page : pages) {
    last_ = last_.next();
    out.push_back(Publish{page});
    if (kept_.size() >= kFramesKept) kept_.pop_front();
    kept_.push_back({last_, std::move(page)});
  }
  return pages.size();
}

void Gossip::publish_beat(const wire::Beat& beat, Actions& out) {
  last_ = last_.next();
  out.push_back(Publish{beat});
}

std::vector<wire::Claim> Gossip::said(Seq from, Seq to) const {
  std::vector<wire::Claim> claims;
  for (const auto& frame : kept_) {
    if (frame.seq < from || frame.seq > to) continue;
    claims.insert(claims.end(), frame.gossip.claims.begin(), frame.gossip.claims.end());
  }
  return claims;
}

}  // namespace riftbus::membership
