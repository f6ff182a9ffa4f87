#include "relay/gate/gate.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "config/check.h"
#include "config/printable.h"
#include "config/relay_names.h"

namespace riftbus::relay {

namespace {

constexpr std::array<std::string_view, 3> kLoopbacks{"localhost", "127.0.0.1", "::1"};

std::string quote(std::string_view text) {
  return "\"" + make_printable(text.substr(0, 80)) + "\"";
}

struct ActionText {
  static std::string of(const char* verb, SessionNumber session) {
    return std::string(verb) + " " + std::to_string(session);
  }
  std::string operator()(const action::Accept& a) const { return of("accept", a.session); }
  std::string operator()(const action::Refuse& a) const {
    return of("refuse", a.session) + " " + a.error.code_text();
  }
  std::string operator()(const action::Admit& a) const { return of("admit", a.session); }
  std::string operator()(const action::Listen& a) const {
    return of("listen", a.session) + " " + std::to_string(a.number);
  }
  std::string operator()(const action::Unlisten& a) const {
    return of("unlisten", a.session) + " " + std::to_string(a.number);
  }
  std::string operator()(const action::Open& a) const {
    return of("open", a.session) + " " + a.target.to_string();
  }
  std::string operator()(const action::Probe& a) const { return of("probe", a.session); }
  std::string operator()(const action::End& a) const {
    return of("end", a.session) + " " + a.error.code_text();
  }
};

}  // namespace

std::string to_string(const GateAction& action) { return std::visit(ActionText{}, action); }

std::optional<UserName> parse_user(std::string_view text) {
  UserName name;
  if (text.ends_with(kBulkSuffix)) {
    name.traffic = TrafficClass::bulk;
    text.remove_suffix(kBulkSuffix.size());
  }
  const auto node = NodeId::parse(text);
  if (!node) return std::nullopt;
  name.node = *node;
  return name;
}

Gate::Gate(const GateLimits& limits, AllowList list) : limits_(limits), list_(std::move(list)) {}

void Gate::step(const GateEvent& event, TimePoint now, GateActions& out) {
  RIFTBUS_CHECK(now >= now_);
  now_ = now;
  std::visit([&](const auto& each) { on(each, out); }, event);
}

TimePoint Gate::next_deadline() const {
  return deadlines_.empty() ? TimePoint::max() : deadlines_.begin()->first;
}

const Guest* Gate::find(SessionNumber session) const {
  const auto found = guests_.find(session);
  return found == guests_.end() ? nullptr : &found->second;
}

void Gate::schedule(Place guest, TimePoint due) {
  deadlines_.erase({guest->second.due, guest->first});
  guest->second.due = due;
  deadlines_.emplace(due, guest->first);
}

void Gate::on(const event::Connected& event, GateActions& out) {
  RIFTBUS_CHECK(guests_.empty() || guests_.rbegin()->first < event.session);
  ++counters_.connected;
  const auto found = addresses_.find(event.address);
  const auto [all, strangers] =
      found == addresses_.end() ? std::pair<std::size_t, std::size_t>{} : found->second;
  const char* what = strangers_ >= limits_.strangers_max ? "too many unproven connections"
                     : strangers >= limits_.strangers_per_address_max
                         ? "too many unproven connections from one address"
                     : guests_.size() >= limits_.sessions_max ? "too many sessions"
                     : all >= limits_.sessions_per_address_max
                         ? "too many sessions from one address"
                         : nullptr;
  if (what != nullptr) {
    ++counters_.turned_away;
    out.push_back(action::Refuse{event.session,
                                 {1833, what, event.address, "see the limits of section relay"}});
    return;
  }
  Guest guest;
  guest.address = event.address;
  guest.since = guest.heard = now_;
  ++strangers_;
  auto& count = addresses_[event.address];
  ++count.first;
  ++count.second;
  const auto place = guests_.emplace(event.session, std::move(guest)).first;
  schedule(place, now_ + limits_.grace);
  out.push_back(action::Accept{event.session});
}

void Gate::on(const event::KeyOffered& event, GateActions& out) {
  const auto guest = guests_.find(event.session);
  if (guest == guests_.end() || guest->second.is_admitted()) return;
  const auto* listed = list_.find(event.key);
  const auto name = parse_user(event.user);
  std::string what;
  if (listed == nullptr) {
    what = "a key that is not listed asks for " + quote(event.user);
  } else if (!name || listed->node != name->node) {
    what = "the key of " + listed->node.value() + " asks for " + quote(event.user);
  } else if (listed->is_expired(wall_s_)) {
    what = "the key of " + listed->node.value() + " has expired";
  }
  if (!what.empty()) {
    ++counters_.keys_refused;
    refuse_attempt(
        guest, {1834, what, guest->second.address, "list it in relay.allow_file if it is known"},
        out);
  } else if (event.is_proven) {
    admit(guest, name->node, name->traffic, event.key, out);
  } else {
    out.push_back(action::Accept{event.session});
  }
}

void Gate::on(const event::OtherMethod& event, GateActions& out) {
  const auto guest = guests_.find(event.session);
  if (guest == guests_.end() || guest->second.is_admitted()) return;
  const auto& address = guest->second.address;
  if (event.is_question && ++guest->second.attempts < limits_.attempts_max) return;
  refuse_attempt(guest, {1834, "not a key", address, "only keys are accepted"}, out);
}

void Gate::refuse_attempt(Place guest, Error error, GateActions& out) {
  out.push_back(action::Refuse{guest->first, std::move(error)});
  if (++guest->second.attempts < limits_.attempts_max) return;
  end(guest, {1835, "too many refused keys", guest->second.address, "offer the right one first"},
      out);
}

void Gate::admit(Place guest, const NodeId& node, TrafficClass traffic, const std::string& key,
                 GateActions& out) {
  const auto session = guest->first;
  auto& its = guest->second;
  const auto older = newest_.find({node, traffic});
  if (older != newest_.end()) {
    ++counters_.superseded;
    end(guests_.find(older->second),
        {1839, "a newer session of " + node.value() + " came from " + its.address,
         guests_.at(older->second).address, "nothing, unless two machines share one key"},
        out);
  }
  its.node = node;
  its.traffic = traffic;
  its.key = key;
  its.since = its.heard = its.probed = now_;
  --strangers_;
  --addresses_.at(its.address).second;
  newest_[{node, traffic}] = session;
  ++counters_.admitted;
  schedule(guest, now_ + limits_.keepalive);
  out.push_back(action::Admit{session});
}

std::string Gate::why_not(const Guest& guest, const std::string& host, int port) const {
  const auto* listed = list_.find(guest.key);
  if (listed == nullptr) return "its key is not listed any more";
  // "" and "*" mean every address.
  if (std::ranges::find(kLoopbacks, host) == kLoopbacks.end()) {
    return "it asks for address " + quote(host) +
           "; a listener of a relay has none, ask for "
           "localhost";
  }
  if (port < 0 || port > 65535) return "port " + std::to_string(port);
  if (guest.listeners.size() >= limits_.listeners_max) {
    return "it has " + std::to_string(guest.listeners.size()) + " listeners already";
  }
  const auto number = static_cast<std::uint16_t>(port);
  if (number != 0 && listeners_.contains({*guest.node, number})) {
    return "a session of the node listens as " + guest.node->value() + "." + std::to_string(port);
  }
  if (number != 0 && !listed->may_listen(number)) {
    return "permitlisten does not name " + std::to_string(port);
  }
  return "";
}

// 0: none is free and permitted.
std::uint16_t Gate::choose_number(const Guest& guest) const {
  const auto* listed = list_.find(guest.key);
  const int first = guest.traffic == TrafficClass::bulk ? kBulkNumber : 1;
  for (int number = first; number < first + 10'000; ++number) {
    const auto port = static_cast<std::uint16_t>(number);
    if (listed->may_listen(port) && !listeners_.contains({*guest.node, port})) return port;
  }
  return 0;
}

void Gate::on(const event::ListenAsked& event, GateActions& out) {
  const auto found = guests_.find(event.session);
  if (found == guests_.end() || !found->second.is_admitted()) return;
  auto& guest = found->second;
  auto what = why_not(guest, event.host, event.port);
  auto number = static_cast<std::uint16_t>(event.port);
  if (what.empty() && number == 0) {
    number = choose_number(guest);
    if (number == 0) what = "permitlisten leaves no number free";
  }
  if (!what.empty()) {
    ++counters_.listeners_refused;
    out.push_back(
        action::Refuse{event.session,
                       {1837, "a listener of " + guest.node->value() + " is refused: " + what,
                        guest.address, "relay/README.md says what a node may ask for"}});
    return;
  }
  guest.listeners.insert(number);
  listeners_[{*guest.node, number}] = event.session;
  out.push_back(action::Listen{event.session, number});
}

void Gate::on(const event::ListenFailed& event, GateActions&) {
  const auto guest = guests_.find(event.session);
  if (guest == guests_.end() || guest->second.listeners.erase(event.number) == 0) return;
  ++counters_.listeners_refused;
  listeners_.erase({*guest->second.node, event.number});
}

void Gate::on(const event::CancelAsked& event, GateActions& out) {
  const auto found = guests_.find(event.session);
  if (found == guests_.end()) return;
  auto& guest = found->second;
  const auto number = static_cast<std::uint16_t>(event.port);
  const bool is_port = event.port > 0 && event.port < 65536;
  if (!is_port || guest.listeners.erase(number) == 0) {
    out.push_back(action::Refuse{event.session,
                                 {1837, "it ends a listener that it does not have", guest.address,
                                  "nothing: it was refused"}});
    return;
  }
  listeners_.erase({*guest.node, number});
  out.push_back(action::Unlisten{event.session, number});
}

void Gate::on(const event::OpenAsked& event, GateActions& out) {
  const auto found = guests_.find(event.session);
  if (found == guests_.end() || !found->second.is_admitted()) return;
  const auto& guest = found->second;
  const auto* listed = list_.find(guest.key);
  const bool is_port = event.port > 0 && event.port < 65536;
  const auto port = static_cast<std::uint16_t>(event.port);
  if (listed == nullptr || !is_port || !listed->may_open(event.host, port)) {
    ++counters_.opens_refused;
    out.push_back(action::Refuse{event.session,
                                 {1838,
                                  guest.node->value() + " may not reach " + quote(event.host) +
                                      " port " + std::to_string(event.port),
                                  guest.address, "write permitopen before its key if it should"}});
    return;
  }
  out.push_back(action::Open{event.session, {event.host, port, ""}});
}

void Gate::on(const event::Heard& event, GateActions&) {
  const auto guest = guests_.find(event.session);
  if (guest != guests_.end()) guest->second.heard = now_;
}

void Gate::on(const event::Gone& event, GateActions&) {
  const auto guest = guests_.find(event.session);
  if (guest != guests_.end()) forget(guest);
}

void Gate::on(const event::Tick&, GateActions& out) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_) {
    look_at(guests_.find(deadlines_.begin()->second), out);
  }
}

// Hearing from a guest moves no deadline: that is done here, once an interval.
void Gate::look_at(Place guest, GateActions& out) {
  auto& its = guest->second;
  if (!its.is_admitted()) {
    end(guest, {1835, "no key was proven in time", its.address, "nothing: it was disconnected"},
        out);
    return;
  }
  const auto silence = now_ - its.heard;
  if (silence >= limits_.keepalive * limits_.missed_max) {
    ++counters_.silenced;
    end(guest,
        {1840, its.node->value() + " fell silent", its.address, "nothing: its tunnel dials again"},
        out);
    return;
  }
  if (silence < limits_.keepalive) {
    schedule(guest, its.heard + limits_.keepalive);
    return;
  }
  if (its.probed < its.heard || now_ - its.probed >= limits_.keepalive) {
    its.probed = now_;
    out.push_back(action::Probe{guest->first});
  }
  schedule(guest, std::min(its.probed + limits_.keepalive,
                           its.heard + limits_.keepalive * limits_.missed_max));
}

void Gate::on(const event::WallClock& event, GateActions& out) {
  wall_s_ = event.wall_s;
  end_unlisted(out);
}

void Gate::on(const event::ListChanged& event, GateActions& out) {
  list_ = event.list;
  end_unlisted(out);
}

void Gate::end_unlisted(GateActions& out) {
  for (auto each = guests_.begin(); each != guests_.end();) {
    const auto guest = each++;
    const auto& its = guest->second;
    if (!its.is_admitted()) continue;
    const auto* listed = list_.find(its.key);
    if (listed != nullptr && listed->node == *its.node && !listed->is_expired(wall_s_)) continue;
    ++counters_.revoked;
    end(guest,
        {1841,
         "the key of " + its.node->value() +
             (listed == nullptr ? " is not listed any more" : " is no longer valid"),
         its.address, "nothing, if it was meant"},
        out);
  }
}

void Gate::end(Place guest, Error error, GateActions& out) {
  out.push_back(action::End{guest->first, std::move(error)});
  forget(guest);
}

void Gate::forget(Place guest) {
  const auto& its = guest->second;
  deadlines_.erase({its.due, guest->first});
  const auto count = addresses_.find(its.address);
  if (--count->second.first == 0) {
    addresses_.erase(count);
  } else if (!its.is_admitted()) {
    --count->second.second;
  }
  if (!its.is_admitted()) --strangers_;
  if (its.is_admitted()) {
    for (const auto number : its.listeners) listeners_.erase({*its.node, number});
    const auto newest = newest_.find({*its.node, its.traffic});
    if (newest != newest_.end() && newest->second == guest->first) newest_.erase(newest);
  }
  guests_.erase(guest);
}

}  // namespace riftbus::relay
