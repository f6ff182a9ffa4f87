#include "bus/tap/session.h"

#include <algorithm>

#include "bus/clock.h"

namespace riftbus::tap {

namespace {

constexpr Millis kLease{15'000};
constexpr Millis kRenewEvery{5'000};
constexpr Millis kLastWords{1'000};  // for what is still waiting at a node when the tap ends
constexpr std::size_t kLastPartsMax = 16;
constexpr std::size_t kTurnMax = 1000;
constexpr std::size_t kPagesMax = 64;
// Renewals count from here, calls of the client from 1.
constexpr Correlation kFirstRenewal{std::uint64_t{1} << 62U};

}  // namespace

Session::Session(zmq::context_t& context, Home& home, SessionOptions options)
    : home_(home),
      options_(std::move(options)),
      client_(context, home.identity ? &home.identity->keys : nullptr,
              home.identity ? home.identity->id : NodeId::parse("operator").value()),
      next_renewal_(kFirstRenewal) {}

Result<NodeId> Session::connect(const std::vector<Target>& candidates) {
  Error last{1558, "there is no address to try", "", "write --node ID@HOST:PORT"};
  for (const Target& target : candidates) {
    auto greeting =
        client_.connect(target.id, target.key, target.host, target.port, options_.timeout);
    if (greeting.ok()) {
      refresh_roster(target.id, greeting->roster);
      return target.id;
    }
    last = greeting.error();
  }
  return last;
}

// A newer roster knows the keys of nodes that joined since; without it they cannot be tapped.
void Session::refresh_roster(const NodeId& node, RosterVersion theirs) {
  if (!home_.roster || !home_.authority || theirs <= home_.roster->version) return;
  auto answer = client_.call(node, wire::RosterGet{home_.roster->version}, options_.timeout);
  const auto* document = answer.ok() ? std::get_if<wire::RosterDocument>(&*answer) : nullptr;
  if (document == nullptr || document->bytes.empty()) return;
  auto verified = verify_roster(document->bytes, home_.authority->key, home_.authority->cluster);
  if (verified.ok() && verified->roster.version > home_.roster->version) {
    home_.roster = std::move(verified->roster);
  }
}

Result<std::vector<Listed>> Session::list_members(const NodeId& node) {
  std::vector<Listed> all;
  std::string after;
  for (std::size_t page = 0; page < kPagesMax; ++page) {
    wire::Query query{"node.list", {}};
    if (!after.empty()) query.arguments["after"] = after;
    auto answer = client_.call(node, std::move(query), options_.timeout);
    if (!answer.ok()) return answer.error();
    const auto* text = std::get_if<wire::Answer>(&*answer);
    auto part = text == nullptr ? std::nullopt : read_node_page(text->json, home_);
    if (!part) {
      return Error{1558, "the node's list of members is not understood", node.value(),
                   "its version may differ from this program's"};
    }
    std::move(part->nodes.begin(), part->nodes.end(), std::back_inserter(all));
    after = std::move(part->after);
    if (after.empty()) break;
  }
  return all;
}

Status Session::start(const NodeId& node) {
  auto answer = client_.call(node,
                             wire::TapStart{static_cast<std::uint32_t>(kLease.count()),
                                            options_.payloads, options_.filter},
                             options_.timeout);
  if (!answer.ok()) return answer.error();
  if (std::get_if<wire::TapData>(&*answer) == nullptr) {
    return Error{1558, "the node answers a tap with something else", node.value(),
                 "its version may differ from this program's"};
  }
  taps_[node].renew_due = bus::boot_now() + kRenewEvery;
  return Ok{};
}

void Session::renew(TimePoint now) {
  for (auto& [node, tap] : taps_) {
    if (tap.renew_due > now) continue;
    tap.renew_due = now + kRenewEvery;
    next_renewal_ = next_renewal_.next();
    // A connection that broke shows itself in receive().
    (void)client_.send(node, next_renewal_,
                       wire::TapStart{static_cast<std::uint32_t>(kLease.count()), options_.payloads,
                                      options_.filter});
  }
}

void Session::take(const NodeId& node, const wire::TapData& data, std::vector<Entry>& out) {
  const auto found = taps_.find(node);
  if (found == taps_.end()) return;
  Tap& tap = found->second;
  for (const auto& frame : data.frames) out.emplace_back(Seen{node, frame});
  tap.received += data.frames.size();
  if (data.dropped > tap.dropped) out.emplace_back(Loss{node, data.dropped - tap.dropped, 0});
  tap.dropped = std::max(tap.dropped, data.dropped);
  tap.matched = std::max(tap.matched, data.matched);
}

Status Session::poll(Millis patience, std::vector<Entry>& out) {
  for (std::size_t turn = 0; turn < kTurnMax; ++turn) {
    renew(bus::boot_now());
    auto incoming = client_.receive(turn == 0 ? patience : Millis(0));
    if (!incoming.ok()) {
      if (auto gone = NodeId::parse(incoming.error().where); gone.ok()) forget(*gone);
      return incoming.error();
    }
    if (!incoming->has_value()) return Ok{};
    const bus::Incoming& message = **incoming;
    if (const auto* data = std::get_if<wire::TapData>(&message.envelope.body)) {
      take(message.node, *data, out);
    } else if (const auto* refusal = std::get_if<wire::Refusal>(&message.envelope.body)) {
      client_.disconnect(message.node);
      forget(message.node);
      return Error{refusal->code, refusal->what, message.node.value(), refusal->next};
    }
  }
  return Ok{};
}

void Session::forget(const NodeId& node) {
  const auto found = taps_.find(node);
  if (found == taps_.end()) return;
  ended_.matched += found->second.matched;
  ended_.dropped_by_node += found->second.dropped;
  ended_.dropped_by_tap += found->second.lost;
  taps_.erase(found);
}

void Session::stop(std::vector<Entry>& out) {
  while (!taps_.empty()) {
    const NodeId node = taps_.begin()->first;
    const bool emptied = empty_queue(node, out);
    const auto found = taps_.find(node);
    if (found == taps_.end()) continue;  // lost in the meantime
    // Nothing waits at the node any more: what it kept and did not arrive was lost on the way.
    Tap& tap = found->second;
    const std::uint64_t arrived = tap.received + tap.dropped;
    if (emptied && tap.matched > arrived) {
      tap.lost = tap.matched - arrived;
      out.emplace_back(Loss{node, 0, tap.lost});
    }
    forget(node);
    client_.disconnect(node);
  }
}

// Each request with a lease of 0 brings a part of what still waits. False: no answer.
bool Session::empty_queue(const NodeId& node, std::vector<Entry>& out) {
  const Millis patience = std::min(kLastWords, options_.timeout);
  for (std::size_t part = 0; part < kLastPartsMax; ++part) {
    auto answer = client_.call(node, wire::TapStart{}, patience);
    (void)poll(Millis(0), out);  // what came before the answer
    const auto* data = answer.ok() ? std::get_if<wire::TapData>(&*answer) : nullptr;
    if (data == nullptr) return false;
    if (data->frames.empty()) return true;
    take(node, *data, out);
  }
  return true;
}

Session::Totals Session::totals() const {
  Totals totals = ended_;
  for (const auto& [node, tap] : taps_) {
    totals.matched += tap.matched;
    totals.dropped_by_node += tap.dropped;
  }
  return totals;
}

}  // namespace riftbus::tap
