// What others found when they dialled this node: a part of why.path and tunnel.list.
#include <algorithm>

#include "node/api/api_relays.h"

namespace riftbus::node {

namespace {

Json try_json(const DialTry& one) {
  Json json = address_json(one.address);
  json["worked"] = one.worked;
  json["trouble"] = one.trouble;
  json["rtt_ms"] = span_json(one.rtt);
  return json;
}

Json witness_json(const Testimony& testimony, const NodeView& view) {
  Json tries = Json::array();
  for (const auto& one : testimony.tries) tries.push_back(try_json(one));
  const bool is_awaited = !testimony.can_dial && testimony.silence.empty();
  return {{"node", testimony.witness.value()},
          {"when", time_json(testimony.at, view)},
          {"can_dial", testimony.can_dial ? Json(*testimony.can_dial) : Json()},
          {"trouble", is_awaited ? "no answer yet" : testimony.silence},
          {"tries", std::move(tries)}};
}

std::string summary(const Reach& reach, const NodeView& view) {
  const std::string since = " since " + format_span(view.now.at - reach.since());
  switch (reach.verdict()) {
    case Reachability::direct:
      return "two members have dialled it: it can be reached directly" + since;
    case Reachability::blocked:
      return "two members have dialled it in vain: it is behind a NAT or a firewall" + since;
    case Reachability::unknown:
      break;
  }
  return "whether it can be dialled is not known: " + reach.doubt();
}

}  // namespace

Json dialled_json(const NodeView& view) {
  const Reach* reach = view.relays ? view.relays->reach : nullptr;
  if (reach == nullptr) return nullptr;
  Json witnesses = Json::array();
  for (const auto& testimony : reach->evidence()) {
    witnesses.push_back(witness_json(testimony, view));
  }
  const auto wait = to_ms(reach->next_round() - view.now.at);
  const bool is_set = reach->next_round() != TimePoint::max();
  return {{"verdict", to_string(reach->verdict())},
          {"text", summary(*reach, view)},
          {"since",
           reach->verdict() == Reachability::unknown ? Json() : time_json(reach->since(), view)},
          {"again_in_ms", is_set ? Json(std::max<std::int64_t>(0, wait)) : Json()},
          {"witnesses", std::move(witnesses)}};
}

}  // namespace riftbus::node
