#include "bus/tap/session.h"

#include <algorithm>

#include "bus/clock.h"
#include "bus/tap/mirror.h"

namespace riftbus::tap {

namespace {

constexpr Millis kLease{15'000};
constexpr Millis kRenewEvery{5'000};
constexpr Millis kLastWords{1'000};  // for what is still waiting at a node when the tap ends
constexpr std::size_t kLastPartsMax = 16;
constexpr std::size_t kTurnMax = 1000;
constexpr std::size_t kPagesMax = 64;
constexpr Millis kTryMax{1500};  // one of several candidates gets this long before the next
constexpr Millis kTryAgainEvery{1000};
// Renewals count from here, calls of the client from 1.
constexpr Correlation kFirstRenewal{std::uint64_t{1} << 62U};

// The key or the request is refused: trying again would not help.
bool is_final(const Error& error) {
  return error.code == 1363 || (error.code < 1360 && error.code != 1305);
}

}  // namespace

Session::Session(zmq::context_t& context, bus::OperatorHome& home, SessionOptions options)
    : home_(home),
      options_(std::move(options)),
      client_(context, home.identity ? &home.identity->keys : nullptr,
              home.identity ? home.identity->id : NodeId::parse("operator").value()),
      next_renewal_(kFirstRenewal) {}

Result<NodeId> Session::connect(const std::vector<bus::Target>& candidates) {
  Error last{1558, "there is no address to try", "", "write --node ID@HOST:PORT"};
  const Millis each =
      candidates.size() == 1 ? options_.timeout : std::min(options_.timeout, kTryMax);
  for (const bus::Target& target : candidates) {
    auto greeting = client_.connect(target, each);
    if (greeting.ok()) {
      reached_[target.id] = target;
      refresh_roster(target.id, greeting->roster);
      return target.id;
    }
    last = greeting.error();
  }
  return last;
}

// A newer roster knows the keys of nodes that joined since; without it they cannot be tapped.
void Session::refresh_roster(const NodeId& node, RosterVersion theirs) {
  const Roster* own = home_.find_roster();
  if (own == nullptr || !home_.authority || theirs <= own->version) return;
  auto answer = client_.call(node, wire::RosterGet{own->version}, options_.timeout);
  const auto* document = answer.ok() ? std::get_if<wire::RosterDocument>(&*answer) : nullptr;
  if (document == nullptr || document->bytes.empty()) return;
  auto newer = verify_newer_roster(document->bytes, home_.authority->key, home_.authority->cluster,
                                   own->version);
  if (newer.ok()) home_.roster = std::move(*newer);
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
    auto part = text == nullptr ? std::nullopt : read_node_page(text->json, home_.find_roster());
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
    if (tap.renew_due > now && tap.unacknowledged < kTapGrantBytes) continue;
    tap.renew_due = now + kRenewEvery;
    tap.unacknowledged -= std::min(tap.unacknowledged, kTapGrantBytes);
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
  for (const auto& frame : data.frames) {
    tap.unacknowledged += frame_cost(frame);
    out.emplace_back(Seen{node, frame});
  }
  tap.received += data.frames.size();
  if (data.dropped > tap.dropped) out.emplace_back(Loss{node, data.dropped - tap.dropped, 0});
  tap.dropped = std::max(tap.dropped, data.dropped);
  tap.matched = std::max(tap.matched, data.matched);
}

Status Session::poll(Millis patience, std::vector<Entry>& out) {
  for (std::size_t turn = 0; turn < kTurnMax; ++turn) {
    const TimePoint now = bus::boot_now();
    renew(now);
    if (auto status = try_again(now); !status.ok()) return status;
    auto incoming = client_.receive(turn == 0 ? patience : Millis(0));
    if (!incoming.ok()) {
      auto gone = NodeId::parse(incoming.error().where);
      if (!gone.ok()) return incoming.error();
      if (auto status = lose(*gone, incoming.error()); !status.ok()) return status;
      continue;
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

// ---- nodes that went away ----------------------------------------------------------------------

Status Session::lose(const NodeId& node, const Error& why) {
  const bool was_tapped = taps_.contains(node);
  forget(node);
  if (!was_tapped || options_.retry <= Millis::zero()) return why;
  const TimePoint now = bus::boot_now();
  away_[node] = {now, now + kTryAgainEvery};
  notes_.push_back(node.value() + " went away: " + why.what + "; trying again for " +
                   format_span(options_.retry));
  return Ok{};
}

Status Session::try_again(TimePoint now) {
  for (auto item = away_.begin(); item != away_.end(); ++item) {
    if (item->second.try_due > now) continue;
    const NodeId node = item->first;
    Status back = reconnect(node);
    const TimePoint done = bus::boot_now();
    const Nanos away = done - item->second.since;
    if (back.ok()) {
      notes_.push_back(node.value() + " is tapped again after " + format_span(away) +
                       "; what it saw meanwhile was not counted");
    } else if (!is_final(back.error()) && away < options_.retry) {
      item->second.try_due = done + kTryAgainEvery;
      continue;
    }
    away_.erase(item);
    return back;
  }
  return Ok{};
}

Status Session::reconnect(const NodeId& node) {
  bus::Target& target = reached_.at(node);
  // Its key may have been rotated meanwhile.
  const RosterEntry* entry = home_.roster ? home_.find_roster()->find(node) : nullptr;
  if (entry != nullptr) target.key = entry->key;
  // While others are tapped, they must not wait long for one that is not there.
  const Millis patience = std::min(options_.timeout, taps_.empty() ? kTryMax : kTryAgainEvery);
  auto greeting = client_.connect(target, patience);
  if (!greeting.ok()) return greeting.error();
  refresh_roster(node, greeting->roster);
  return start(node);
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
  away_.clear();
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
