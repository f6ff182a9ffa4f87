#include "node/mesh/reach.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace riftbus::node {

namespace {

// "10.1.0." of "10.1.0.2"; empty: no such address.
std::string_view network_of(const wire::Address& address) {
  const std::string_view host = address.host;
  const bool is_v4 = !host.empty() &&
                     host.find_first_not_of("0123456789.") == std::string_view::npos &&
                     std::count(host.begin(), host.end(), '.') == 3;
  return is_v4 ? host.substr(0, host.rfind('.') + 1) : std::string_view();
}

}  // namespace

const char* to_string(Reachability reachability) {
  switch (reachability) {
    case Reachability::unknown:
      return "unknown";
    case Reachability::direct:
      return "direct";
    case Reachability::blocked:
      return "blocked";
  }
  return "?";
}

bool share_network(const wire::Address& a, const wire::Address& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == wire::AddressKind::loopback) return true;
  if (a.kind != wire::AddressKind::lan) return false;
  return !network_of(a).empty() && network_of(a) == network_of(b);
}

bool share_network(const std::vector<wire::Address>& a, const std::vector<wire::Address>& b) {
  return std::any_of(a.begin(), a.end(), [&](const wire::Address& one) {
    return std::any_of(b.begin(), b.end(),
                       [&](const wire::Address& other) { return share_network(one, other); });
  });
}

void Reach::step(const ReachEvent& event, TimePoint now, ReachActions& out) {
  std::visit([&](const auto& one) { on(one, now, out); }, event);
}

void Reach::on(const ReachLook& look, TimePoint now, ReachActions& out) {
  candidates_ = look.witnesses.size();
  if (look.addresses != addresses_ || due_ == TimePoint::max()) {
    addresses_ = look.addresses;
    is_asking_ = false;
    due_ = now + kFirst;
  }
  if (verdict_ != Reachability::unknown && now - confirmed_ > kTrusted) {
    set(Reachability::unknown, now, out);
  }
  std::erase_if(resting_, [&](const auto& one) { return now >= one.second; });
  if (is_asking_ && now - began_ > kRoundMax) end(Reachability::unknown, now, out);
  if (!is_asking_ && now >= due_) begin(look, now);
  if (is_asking_) advance(now, out);
}

void Reach::begin(const ReachLook& look, TimePoint now) {
  is_asking_ = true;
  began_ = now;
  round_.clear();
  line_ = line(look, now);
  std::reverse(line_.begin(), line_.end());
}

// Nearness counts most, then whether its domain is ours or somebody's before it.
std::vector<NodeId> Reach::line(const ReachLook& look, TimePoint now) {
  std::vector<Witness> left;
  for (const auto& witness : look.witnesses) {
    const auto rest = resting_.find(witness.id);
    if (rest == resting_.end() || now >= rest->second) left.push_back(witness);
  }
  random_.shuffle(left);
  std::multiset<std::string> domains{own_domain_};
  std::vector<NodeId> order;
  near_.clear();
  while (!left.empty() && order.size() < kWitnessesMax) {
    const auto best =
        std::min_element(left.begin(), left.end(), [&](const Witness& a, const Witness& b) {
          return std::tuple(a.is_near, domains.count(a.domain)) <
                 std::tuple(b.is_near, domains.count(b.domain));
        });
    domains.insert(best->domain);
    order.push_back(best->id);
    if (best->is_near) near_.insert(best->id);
    left.erase(best);
  }
  return order;
}

// A neighbour's success is worth nothing where somebody from elsewhere failed.
std::size_t Reach::votes(bool can_dial) const {
  const auto is_near = [&](const Testimony& one) { return near_.contains(one.witness); };
  const bool far_failed = std::any_of(round_.begin(), round_.end(), [&](const Testimony& one) {
    return one.can_dial == false && !is_near(one);
  });
  return static_cast<std::size_t>(
      std::count_if(round_.begin(), round_.end(), [&](const Testimony& one) {
        return one.can_dial == can_dial && !(can_dial && far_failed && is_near(one));
      }));
}

Testimony* Reach::awaited(const NodeId& witness) {
  const auto found = std::find_if(round_.begin(), round_.end(), [&](const Testimony& one) {
    return one.witness == witness && !one.can_dial && one.silence.empty();
  });
  return is_asking_ && found != round_.end() ? &*found : nullptr;
}

void Reach::on(const ReachSaid& said, TimePoint now, ReachActions& out) {
  Testimony* testimony = awaited(said.witness);
  if (testimony == nullptr) return;
  testimony->at = now;
  for (const auto& one : said.tries) {
    const bool is_ours =
        std::find(addresses_.begin(), addresses_.end(), one.address) != addresses_.end();
    if (is_ours) testimony->tries.push_back(one);
  }
  const auto& tries = testimony->tries;
  if (tries.empty()) {
    testimony->silence = "it could try none of our addresses";
  } else {
    testimony->can_dial =
        std::any_of(tries.begin(), tries.end(), [](const DialTry& one) { return one.worked; });
  }
  advance(now, out);
}

void Reach::on(const ReachSilent& silent, TimePoint now, ReachActions& out) {
  Testimony* testimony = awaited(silent.witness);
  if (testimony == nullptr) return;
  testimony->at = now;
  testimony->silence = silent.why.empty() ? "no answer" : silent.why;
  resting_[silent.witness] = now + kRest;
  advance(now, out);
}

void Reach::advance(TimePoint now, ReachActions& out) {
  const auto yes = votes(true);
  const auto no = votes(false);
  if (yes >= kVotes) return end(Reachability::direct, now, out);
  if (no >= kVotes) return end(Reachability::blocked, now, out);
  auto waiting = static_cast<std::size_t>(
      std::count_if(round_.begin(), round_.end(),
                    [](const Testimony& one) { return !one.can_dial && one.silence.empty(); }));
  for (; std::max(yes, no) + waiting < kVotes && !line_.empty(); ++waiting) {
    out.ask.push_back(line_.back());
    round_.push_back({line_.back(), now, {}, {}, {}});
    line_.pop_back();
  }
  if (waiting == 0) end(Reachability::unknown, now, out);
}

// A round that found nothing takes no verdict away: time does.
void Reach::end(Reachability found, TimePoint now, ReachActions& out) {
  is_asking_ = false;
  const auto quarter = Nanos(kEvery).count() / 4;
  due_ = now + kEvery + Nanos(random_.between(-quarter, quarter));
  const bool is_news = found != Reachability::unknown || verdict_ == Reachability::unknown;
  if (is_news) evidence_ = std::move(round_);
  round_.clear();
  if (found == Reachability::unknown) return;
  confirmed_ = now;
  last_found_ = found;
  set(found, now, out);
}

void Reach::set(Reachability verdict, TimePoint now, ReachActions& out) {
  if (verdict == verdict_) return;
  verdict_ = verdict;
  since_ = now;
  out.has_changed = true;
}

std::string Reach::doubt() const {
  if (verdict_ != Reachability::unknown) return "";
  if (candidates_ < kVotes) {
    return "it takes two other members, and there is " +
           std::string(candidates_ == 0 ? "none" : "one");
  }
  if (is_asking_ || evidence_.empty()) return "nobody has answered yet";
  return "no two members have said the same";
}

}  // namespace riftbus::node
