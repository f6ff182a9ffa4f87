// What a running node lends to the Api: its parts, as they are at this moment.
#include <algorithm>

#include "bus/clock.h"
#include "node/node_state.h"
#include "node/resources.h"

namespace riftbus::node {

namespace {

void add_counters(NodeView& view, const bus::Bus& bus) {
  for (const auto& [name, value] : bus.counters().list()) view.counters["bus." + name] = value;
  for (const auto direction : {wire::Direction::in, wire::Direction::out}) {
    const auto total = bus.traffic().total(direction);
    const std::string side = direction == wire::Direction::in ? "in" : "out";
    view.counters["traffic." + side + "_messages"] = total.messages;
    view.counters["traffic." + side + "_bytes"] = total.bytes;
  }
}

void add_counters(NodeView& view, const bus::ZapHandler& gate) {
  const auto counters = gate.counters();
  view.counters["gate.accepted"] = counters.accepted;
  for (std::size_t i = 0; i < counters.refused.size(); ++i) {
    std::string reason = bus::to_string(static_cast<bus::Refusal>(i));
    std::replace(reason.begin(), reason.end(), ' ', '_');
    view.counters["gate.refused_" + reason] = counters.refused[i];
  }
}

void add_counters(NodeView& view, const HttpPathCounters& counters) {
  const auto add = [&view](const std::string& name, std::uint64_t value) {
    view.counters["member_http." + name] = value;
  };
  add("posts", counters.posts);
  add("posts_failed", counters.failed);
  add("taken", counters.taken);
  add("frames_in", counters.frames_in);
  add("frames_out", counters.frames_out);
  add("frames_dropped", counters.frames_dropped);
  add("flooded", counters.flooded);
  for (std::size_t i = 0; i < counters.refused.size(); ++i) {
    add(std::string("refused_") + bus::to_string(static_cast<bus::SealRefusal>(i)),
        counters.refused[i]);
  }
}

void add_counters(NodeView& view, const Carrier& carrier) {
  view.counters["carry.streams"] = carrier.streams();
  view.counters["carry.stray"] = carrier.counters().stray;
  view.counters["carry.refused"] = carrier.counters().refused;
  view.counters["carry.broken"] = carrier.counters().broken;
}

}  // namespace

NodeView Node::State::view() const {
  NodeView view;
  view.self = prepared.settings.node_id;
  view.instance = instance;
  view.cluster = prepared.settings.cluster;
  view.software = RIFTBUS_VERSION;
  view.timing_profile = to_string(prepared.settings.timing.profile);
  view.membership = &members->core();
  view.journal = &journal;
  if (roster) view.roster = &roster->current();
  view.links = group_links(bus->links());
  add_counters(view, *bus);
  if (gate) add_counters(view, *gate);
  view.counters["loop.turns"] = turn_times.turns;
  view.counters["loop.turn_us"] = micros(turn_times.sum);
  view.counters["loop.turn_us_max"] =
      micros(std::max(turn_times.longest, turn_times.longest_so_far));
  view.counters["tap.taps"] = desk->taps();
  view.counters["tap.dropped"] = desk->tap_dropped();
  add_counters(view, *carrier);
  if (roster) {
    view.counters["roster.refused"] = roster->keeper().refused();
    view.counters["roster.conflicts"] = roster->keeper().conflicts();
    view.roster_rivals = &roster->keeper().rivals();
  }
  const auto kind = classify_host(prepared.settings.listen.host);
  view.listening = {
      to_wire({kind, prepared.settings.listen.host, bus->call_port(), bus->pub_port()})};
  if (http_path) {
    view.membership_mode = http_path->mode();
    view.http_ways = http_path->ways();
    add_counters(view, http_path->counters());
  }
  add_leadership(view);
  add_relays(view);
  if (http) http->add_counters(view.counters);
  if (executor) view.jobs = executor->glance();
  view.started = started;
  view.now = {now, bus::wall_now_ms()};
  return view;
}

}  // namespace riftbus::node
