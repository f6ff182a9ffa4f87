#include "node/api/desk.h"

#include <algorithm>
#include <utility>

#include "node/api/api_json.h"
#include "node/mesh/roster_shell.h"

namespace riftbus::node {

namespace {

// Often enough to feel live, seldom enough that a flood of frames travels in few messages.
constexpr Millis kTapDrainEvery{50};
// One message: well below what readers accept.
constexpr std::size_t kTapDataBytes = 256 * 1024;
// Above every handle that a connection gets.
constexpr std::uint64_t kOwnTaps = std::uint64_t{1} << 63U;

tap::MirrorLimits mirror_limits(std::size_t tap_queue_max) {
  tap::MirrorLimits limits;
  limits.queue_frames_max = tap_queue_max;
  return limits;
}

}  // namespace

Desk::Desk(bus::Bus& bus, const NodeId& self, std::size_t tap_queue_max)
    : bus_(bus), mirror_(self, mirror_limits(tap_queue_max)), next_ping_(kOwnerCorrelation + 1) {}

void Desk::refuse(const bus::Received& request, std::uint16_t code, std::string what,
                  std::string next) {
  bus_.reply(request.reply_to, request.envelope.correlation,
             wire::Refusal{code, std::move(what), std::move(next)});
}

void Desk::on_query(const bus::Received& request, const std::set<Role>& roles,
                    const NodeView& view) {
  auto reaction = Api::answer(std::get<wire::Query>(request.envelope.body), roles, view);
  if (auto* answer = std::get_if<wire::Answer>(&reaction)) {
    bus_.reply(request.reply_to, request.envelope.correlation, std::move(*answer));
  } else if (auto* refusal = std::get_if<wire::Refusal>(&reaction)) {
    bus_.reply(request.reply_to, request.envelope.correlation, std::move(*refusal));
  } else if (const auto* hop = std::get_if<HopOrder>(&reaction)) {
    begin_hop(*hop, request, view);
  } else {
    begin_ping(std::get<PingOrder>(reaction), request, view);
  }
}

void Desk::begin_hop(const HopOrder& order, const bus::Received& request, const NodeView& view) {
  if (hops_.is_full()) {
    refuse(request, 1305, "too many relays are being measured", "try again in a few seconds");
    return;
  }
  hops_.start(order, request.reply_to, request.envelope.correlation, view.now.at);
}

void Desk::answer_hops(const NodeView& view) {
  std::vector<Hops::Finished> finished;
  hops_.step(view.now.at, finished);
  for (const auto& hop : finished) {
    bus_.reply(hop.asker, hop.correlation, Api::answer_hop(hop.order, hop.outcome, view));
  }
}

void Desk::begin_ping(const PingOrder& order, const bus::Received& request, const NodeView& view) {
  if (pings_.size() >= kPingsMax) {
    refuse(request, 1305, "too many pings are under way", "try again in a few seconds");
    return;
  }
  const auto correlation = std::exchange(next_ping_, next_ping_.next());
  const auto outcome = bus_.send(order.peer, correlation, wire::Ping{});
  if (outcome == bus::SendOutcome::sent || outcome == bus::SendOutcome::queued) {
    pings_[correlation] = {order, request.reply_to, request.envelope.correlation, view.now.at};
    return;
  }
  PingOutcome failed;
  failed.error = bus::to_string(outcome);
  bus_.reply(request.reply_to, request.envelope.correlation, Api::answer_ping(order, failed, view));
}

void Desk::on_ping(const bus::Received& request, const NodeView& view) {
  const auto& membership = *view.membership;
  bus_.reply(request.reply_to, request.envelope.correlation,
             wire::Pong{membership.incarnation(), static_cast<std::uint8_t>(membership.health()),
                        static_cast<std::uint64_t>(to_ms(view.now.at - view.started))});
}

bool Desk::on_pong(const bus::Received& answer, const NodeView& view) {
  const auto found = pings_.find(answer.envelope.correlation);
  if (found == pings_.end() || found->second.order.peer != answer.envelope.origin) return false;
  const auto ping = found->second;
  pings_.erase(found);
  PingOutcome outcome;
  outcome.rtt = view.now.at - ping.sent;
  outcome.pong = std::get<wire::Pong>(answer.envelope.body);
  if (const LinkView* link = find_link(view, ping.order.peer); link != nullptr && link->calls) {
    outcome.via = link->calls->address;
  }
  bus_.reply(ping.asker, ping.asker_correlation, Api::answer_ping(ping.order, outcome, view));
  return true;
}

void Desk::tick(const NodeView& view) {
  answer_hops(view);
  for (auto item = pings_.begin(); item != pings_.end();) {
    const auto& ping = item->second;
    if (view.now.at < ping.sent + ping.order.timeout) {
      ++item;
      continue;
    }
    PingOutcome outcome;
    outcome.error = "no answer";
    bus_.reply(ping.asker, ping.asker_correlation, Api::answer_ping(ping.order, outcome, view));
    item = pings_.erase(item);
  }
  if (!mirror_.active() || view.now.at < drain_due_) return;
  drain_due_ = view.now.at + kTapDrainEvery;
  mirror_.expire(view.now.at);
  drain_taps();
  watch_bus();
}

TimePoint Desk::next_deadline() const {
  auto due = mirror_.active() ? drain_due_ : TimePoint::max();
  due = std::min(due, hops_.next_deadline());
  for (const auto& [correlation, ping] : pings_)
    due = std::min(due, ping.sent + ping.order.timeout);
  return due;
}

void Desk::on_tap(const bus::Received& request, const std::set<Role>& roles, TimePoint now) {
  const bool is_admin = roles.contains(Role::admin);
  if (!is_admin && !roles.contains(Role::tap)) {
    refuse(request, 1304, "watching the traffic takes the tap role",
           "use a key with the tap or admin role");
    return;
  }
  const auto& start = std::get<wire::TapStart>(request.envelope.body);
  const tap::TapHandle handle{request.reply_to.value()};
  if (const auto status = mirror_.start(handle, start, is_admin, now); !status) {
    refuse(request, status.error().code, status.error().what, status.error().next);
    return;
  }
  taps_[handle] = request.envelope.correlation;
  watch_bus();
  // The first answer says that the tap stands, even if nothing passes by.
  bus_.reply(request.reply_to, request.envelope.correlation, mirror_.drain(handle, kTapDataBytes));
}

Result<wire::TapData> Desk::tap_here(std::uint64_t number, const wire::TapStart& wanted,
                                     std::size_t bytes_max, TimePoint now) {
  const tap::TapHandle handle{kOwnTaps + number};
  if (wanted.lease_ms == 0) {
    mirror_.stop(handle);
    watch_bus();
    return wire::TapData{};
  }
  if (const auto status = mirror_.start(handle, wanted, true, now); !status) return status.error();
  watch_bus();
  return mirror_.drain(handle, bytes_max);
}

void Desk::drain_taps() {
  for (const auto handle : mirror_.ready()) {
    if (!taps_.contains(handle)) continue;  // tap_here() takes what it wants
    const bus::ReplyTo asker{handle.value()};
    const auto outcome = bus_.reply(asker, taps_[handle], mirror_.drain(handle, kTapDataBytes));
    if (outcome != bus::SendOutcome::gone) continue;
    mirror_.stop(handle);
  }
}

// A node that nobody taps has no observer at all.
void Desk::watch_bus() {
  bus_.set_observer(mirror_.active() ? &observer_ : nullptr);
  if (!mirror_.active()) taps_.clear();
}

}  // namespace riftbus::node
