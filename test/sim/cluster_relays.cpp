// Hosts behind routers: how they attach to relays, and say so.
#include <algorithm>
#include <utility>

#include "node/membership/watch.h"
#include "test/sim/cluster.h"

namespace riftbus::sim {

namespace {

constexpr Nanos kLook = Millis(500);
constexpr Nanos kNotice = Seconds(2);      // until a lost session is in its record
constexpr Nanos kAttachMin = Millis(300);  // a session with a relay that is back
constexpr Nanos kAttachMax = Millis(2500);
constexpr Nanos kYouth = Seconds(3);  // it begins with its first session
// From then on nobody can be blamed for calling it dead.
constexpr Nanos kAloneMax = membership::Watch::kRehomeMax - Seconds(10);

}  // namespace

void Cluster::hide(HostIndex index, std::vector<HostIndex> relays) {
  const bool is_first = hidden_.empty();
  Hidden& hidden = hidden_[index];
  hidden.relays = std::move(relays);
  hidden.named = hidden.relays;
  if (hidden.named.size() > kWaysMax) hidden.named.resize(kWaysMax);
  fabric_.hide(index);
  fabric_.set_named(index, hidden.named);
  if (is_first) tend_hidden();
}

std::vector<HostIndex> Cluster::relays_of(HostIndex index) const {
  const auto found = hidden_.find(index);
  return found == hidden_.end() ? std::vector<HostIndex>() : found->second.named;
}

void Cluster::tend_hidden() {
  for (auto& [index, hidden] : hidden_) {
    if (hosts_[index]->is_running() && !fabric_.is_paused(index)) tend(index, hidden);
  }
  schedule_.after(kLook, [this] { tend_hidden(); });
}

void Cluster::tend(HostIndex index, Hidden& hidden) {
  const auto serves = [this, index](HostIndex relay) {
    return fabric_.is_running(relay) && !fabric_.is_paused(relay) &&
           network_.is_open_both(index, relay);
  };
  const auto& ways = fabric_.ways(index);
  for (const HostIndex relay : hidden.relays) {
    if (ways.size() + hidden.attaching.size() >= kWaysMax) break;
    const bool has = std::find(ways.begin(), ways.end(), relay) != ways.end();
    if (has || !serves(relay) || !hidden.attaching.insert(relay).second) continue;
    const bool is_young = ways.empty() && now() - hosts_[index]->started() < kYouth;
    const Nanos takes(random_.between(kAttachMin.count(), kAttachMax.count()));
    at(is_young ? Nanos::zero() : takes,
       [this, index, relay, serves, life = hosts_[index]->life()] {
         hidden_[index].attaching.erase(relay);
         const MemberHost& host = *hosts_[index];
         if (host.is_running() && host.life() == life && serves(relay)) {
           fabric_.attach(index, relay);
         }
       });
  }
  if (ways.empty()) {
    if (!hidden.alone_since) hidden.alone_since = now();
    if (now() - *hidden.alone_since > kAloneMax) truth_.note_trouble(index, now());
  } else {
    hidden.alone_since.reset();
  }
  // With none left it goes on naming the last ones.
  const bool differs = !ways.empty() && ways != hidden.named;
  if (!differs) return hidden.differs_since.reset();
  if (!hidden.differs_since) hidden.differs_since = now();
  if (now() - *hidden.differs_since < kNotice) return;
  hidden.named = ways;
  fabric_.set_named(index, hidden.named);
  note(index, "is reached by " + std::to_string(ways.size()) + " relays");
  const wire::Record record = hosts_[index]->own_record();
  hosts_[index]->step(membership::SelfChanged{record});
}

}  // namespace riftbus::sim
