#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>
#include <zmq.hpp>

#include "bus/bus.h"
#include "bus/clock.h"
#include "bus/socket.h"
#include "bus/zap.h"
#include "config/check.h"
#include "test/bench/bus_bench.h"

namespace riftbus::bench {

using bus::boot_now;
using bus::Bus;
using bus::Event;
using bus::Limits;
using bus::Received;
using bus::Settings;
using bus::WakeId;
using bus::Woken;
using bus::ZapHandler;

namespace {

Limits bench_limits(const Shape& shape) {
  Limits limits;
  limits.origin_messages_per_s = 100'000'000;
  limits.origin_messages_burst = 100'000'000;
  limits.origin_bytes_per_s = 2'000'000'000;
  limits.origin_bytes_burst = 2'000'000'000;
  limits.hwm_published = static_cast<int>(shape.messages) + 1000;
  limits.hwm_calls = limits.hwm_published;
  return limits;
}

struct OurSide {
  OurSide(const Pair& pair, bool is_server, const Shape& shape) {
    roster = std::make_shared<Roster>();
    roster->cluster = "bench";
    roster->version = RosterVersion(1);
    for (const auto& [name, key] : {std::pair("server", pair.server.public_key),
                                    std::pair("client", pair.client.public_key)}) {
      const NodeId id = make_id(name);
      roster->entries[id] = RosterEntry{id, key, std::nullopt, {Role::node}, std::nullopt, ""};
    }
    bus::prepare_context(context, Limits{});
    auto started = ZapHandler::start(context, roster);
    RIFTBUS_CHECK(started.ok());
    zap = std::move(*started);
    Settings settings;
    settings.self = make_id(is_server ? "server" : "client");
    settings.instance = Instance(1ull << 60u);
    settings.cluster = "bench";
    settings.host = "127.0.0.1";
    settings.limits = bench_limits(shape);
    bus = std::make_unique<Bus>(context, is_server ? &pair.server : &pair.client, settings);
    RIFTBUS_CHECK(bus->bind().ok());
    bus->set_roster(roster);
  }
  zmq::context_t context;
  std::shared_ptr<Roster> roster;
  std::unique_ptr<ZapHandler> zap;
  std::unique_ptr<Bus> bus;
  std::vector<Event> events;
};

// Gives the number of messages that came in one turn.
std::size_t turn_ours(OurSide& side, Millis patience) {
  side.events.clear();
  (void)side.bus->poll(boot_now() + patience, side.events);
  return static_cast<std::size_t>(
      std::count_if(side.events.begin(), side.events.end(),
                    [](const Event& event) { return std::holds_alternative<Received>(event); }));
}

}  // namespace

void serve_ours(const Pair& pair, const Shape& shape) {
  OurSide side(pair, true, shape);
  const std::uint16_t ports[2] = {side.bus->call_port(), side.bus->pub_port()};
  write_all(pair.to_client[1], ports, sizeof ports);
  const wire::Body body = make_body(shape);
  const WakeId command = side.bus->add_wakeup(pair.to_server[0]);
  for (;;) {
    side.events.clear();
    (void)side.bus->poll(boot_now() + Seconds(1), side.events);
    for (Event& event : side.events) {
      if (auto* received = std::get_if<Received>(&event)) {  // an echo, as the bare server's
        side.bus->reply(received->reply_to, received->envelope.correlation,
                        std::move(received->envelope.body));
      } else if (const auto* woken = std::get_if<Woken>(&event); woken && woken->id == command) {
        char letter = 'q';
        if (::read(pair.to_server[0], &letter, 1) != 1 || letter == 'q') return;
        const std::size_t count = letter == 'g' ? shape.messages : 1;
        for (std::size_t i = 0; i < count; ++i) side.bus->publish(body);
      }
    }
  }
}

double ask_ours(const Pair& pair, const Shape& shape) {
  OurSide side(pair, false, shape);
  std::uint16_t ports[2];
  read_all(pair.to_client[0], ports, sizeof ports);
  const NodeId server = make_id("server");
  side.bus->set_addresses(server, {{wire::AddressKind::loopback, "127.0.0.1", ports[0], ports[1]}});
  const Turn turn = [&](Millis patience) { return turn_ours(side, patience); };
  if (shape.publishes) {
    side.bus->subscribe(server);
    return measure_publications(pair, shape, turn);
  }
  const wire::Body body = make_body(shape);
  std::uint64_t correlation = 0;
  return measure_calls(
      shape, [&] { side.bus->send(server, Correlation(++correlation), body); }, turn);
}

}  // namespace riftbus::bench
