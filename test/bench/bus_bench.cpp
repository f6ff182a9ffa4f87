// bus_bench: messages through our bus against bare libzmq, both with CURVE, in the same minutes.
//
// Each measurement is a pair of fresh processes, server and client, over loopback; ours and bare
// ones alternate, so that the machine's other work falls on both. Ours does everything the daemon
// does per message: encode and decode, compare the origin with the key, look for duplicates and
// floods, count. Bare moves the same number of bytes and looks at none of them. The median of the
// rounds is reported. What a number means stands in test/bench/README.md.
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "bus/bus.h"
#include "bus/clock.h"
#include "bus/socket.h"
#include "bus/wire/topic.h"
#include "bus/zap.h"
#include "config/check.h"

namespace riftbus::bus {
namespace {

constexpr double kGoal = 0.7;
constexpr Seconds kGiveUp{20};
constexpr Millis kQuiet{1000};

struct Shape {
  const char* name;
  bool publishes;
  bool large;          // about 200 bytes, otherwise the smallest of its kind
  std::size_t window;  // calls in flight
  std::size_t messages;
};

// What both processes know before they start.
struct Pair {
  KeyPair server = KeyPair::generate();
  KeyPair client = KeyPair::generate();
  int to_server[2] = {-1, -1};  // one byte per command of the client
  int to_client[2] = {-1, -1};  // the server's two ports
  int to_parent[2] = {-1, -1};  // the rate
};

NodeId make_id(const char* text) { return *NodeId::parse(text); }

wire::Body make_body(const Shape& shape) {
  if (!shape.large) {
    if (shape.publishes) return wire::Beat{Incarnation(7), 123'456, 0, 1000, 99, RosterVersion(3)};
    return wire::Ping{};
  }
  wire::Gossip gossip;
  for (int i = 0; i < 8; ++i) {
    wire::Claim claim;
    claim.subject = make_id(("member-" + std::to_string(100 + i)).c_str());
    claim.incarnation = Incarnation(1'700'000'000'000u);
    claim.standing = wire::Standing::suspect;
    claim.accuser = make_id("n1");
    claim.evidence = wire::Evidence::silence;
    gossip.claims.push_back(std::move(claim));
  }
  return gossip;
}

std::size_t size_of(const Shape& shape) {
  const std::string bytes = wire::encode({make_id("server"), Instance(1ull << 60u), Seq(100'000),
                                          Correlation(1000), make_body(shape)});
  return bytes.size() + (shape.publishes ? 7 : 0);
}

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

void write_all(int fd, const void* data, std::size_t size) {
  RIFTBUS_CHECK(::write(fd, data, size) == static_cast<ssize_t>(size));
}
void read_all(int fd, void* data, std::size_t size) {
  RIFTBUS_CHECK(::read(fd, data, size) == static_cast<ssize_t>(size));
}

// ---- ours --------------------------------------------------------------------------------------

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
    prepare_context(context, Limits{});
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

void serve_ours(const Pair& pair, const Shape& shape) {
  OurSide side(pair, true, shape);
  const std::uint16_t ports[2] = {side.bus->call_port(), side.bus->pub_port()};
  write_all(pair.to_client[1], ports, sizeof ports);
  const wire::Body body = make_body(shape);
  const WakeId command = side.bus->add_wakeup(pair.to_server[0]);
  for (;;) {
    side.events.clear();
    (void)side.bus->poll(boot_now() + Seconds(1), side.events);
    for (const Event& event : side.events) {
      if (const auto* received = std::get_if<Received>(&event)) {
        side.bus->reply(received->reply_to, received->envelope.correlation, body);
      } else if (const auto* woken = std::get_if<Woken>(&event); woken && woken->id == command) {
        char letter = 'q';
        if (::read(pair.to_server[0], &letter, 1) != 1 || letter == 'q') return;
        const std::size_t count = letter == 'g' ? shape.messages : 1;
        for (std::size_t i = 0; i < count; ++i) side.bus->publish(body);
      }
    }
  }
}

// Gives the number of messages that came in one turn.
std::size_t turn_ours(OurSide& side, Millis patience) {
  side.events.clear();
  (void)side.bus->poll(boot_now() + patience, side.events);
  return static_cast<std::size_t>(
      std::count_if(side.events.begin(), side.events.end(),
                    [](const Event& event) { return std::holds_alternative<Received>(event); }));
}

// ---- the two kinds of measurement, for any side
// --------------------------------------------------

// `turn` waits for messages at most that long and counts them.
using Turn = std::function<std::size_t(Millis)>;

double measure_publications(const Pair& pair, const Shape& shape, const Turn& turn) {
  const TimePoint give_up = boot_now() + kGiveUp;
  do {  // until the subscription works
    RIFTBUS_CHECK(boot_now() < give_up);
    write_all(pair.to_server[1], "w", 1);
  } while (turn(Millis(20)) == 0);
  while (turn(Millis(100)) > 0) {
  }
  const TimePoint start = boot_now();
  TimePoint last = start;
  write_all(pair.to_server[1], "g", 1);
  std::size_t received = 0;
  while (received < shape.messages && boot_now() - last < kQuiet) {
    const std::size_t now_received = turn(Millis(100));
    if (now_received == 0) continue;
    received += now_received;
    last = boot_now();
  }
  return static_cast<double>(received) / std::chrono::duration<double>(last - start).count();
}

double measure_calls(const Shape& shape, const std::function<void()>& ask, const Turn& turn) {
  const TimePoint give_up = boot_now() + kGiveUp;
  ask();
  while (turn(Millis(100)) == 0) RIFTBUS_CHECK(boot_now() < give_up);  // connected
  const TimePoint start = boot_now();
  std::size_t asked = 0;
  std::size_t answered = 0;
  while (answered < shape.messages) {
    for (; asked < shape.messages && asked - answered < shape.window; ++asked) ask();
    answered += turn(Millis(100));
    RIFTBUS_CHECK(boot_now() < give_up);
  }
  return static_cast<double>(answered) / std::chrono::duration<double>(boot_now() - start).count();
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

// ---- bare libzmq -------------------------------------------------------------------------------

zmq::socket_t bare_socket(zmq::context_t& context, zmq::socket_type type, const Shape& shape) {
  zmq::socket_t socket(context, type);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, static_cast<int>(shape.messages) + 1000);
  socket.set(zmq::sockopt::rcvhwm, static_cast<int>(shape.messages) + 1000);
  return socket;
}

void bare_server_key(zmq::socket_t& socket, const KeyPair& own) {
  socket.set(zmq::sockopt::curve_server, 1);
  socket.set(zmq::sockopt::curve_secretkey,
             zmq::const_buffer(own.secret.bytes().data(), own.secret.bytes().size()));
}

void serve_bare(const Pair& pair, const Shape& shape) {
  zmq::context_t context;
  zmq::socket_t router = bare_socket(context, zmq::socket_type::router, shape);
  zmq::socket_t publisher = bare_socket(context, zmq::socket_type::pub, shape);
  bare_server_key(router, pair.server);
  bare_server_key(publisher, pair.server);
  const std::uint16_t ports[2] = {*bind_tcp(router, "127.0.0.1", 0),
                                  *bind_tcp(publisher, "127.0.0.1", 0)};
  write_all(pair.to_client[1], ports, sizeof ports);
  const std::string bytes(size_of(shape), 'x');
  zmq::message_t id;
  zmq::message_t payload;
  zmq_pollitem_t items[2] = {{router.handle(), 0, ZMQ_POLLIN, 0},
                             {nullptr, pair.to_server[0], ZMQ_POLLIN, 0}};
  for (;;) {
    ::zmq_poll(items, 2, 1000);
    while (::zmq_msg_recv(id.handle(), router.handle(), ZMQ_DONTWAIT) >= 0) {
      ::zmq_msg_recv(payload.handle(), router.handle(), 0);
      ::zmq_msg_send(id.handle(), router.handle(), ZMQ_SNDMORE);
      ::zmq_msg_send(payload.handle(), router.handle(), 0);
    }
    if (items[1].revents == 0) continue;
    char letter = 'q';
    if (::read(pair.to_server[0], &letter, 1) != 1 || letter == 'q') return;
    const std::size_t count = letter == 'g' ? shape.messages : 1;
    for (std::size_t i = 0; i < count; ++i) {
      ::zmq_send(publisher.handle(), bytes.data(), bytes.size(), 0);
    }
  }
}

std::size_t turn_bare(zmq::socket_t& socket, zmq::message_t& message, Millis patience) {
  zmq_pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  ::zmq_poll(&item, 1, static_cast<long>(patience.count()));
  std::size_t count = 0;
  while (count < 512 && ::zmq_msg_recv(message.handle(), socket.handle(), ZMQ_DONTWAIT) >= 0) {
    ++count;
  }
  return count;
}

double ask_bare(const Pair& pair, const Shape& shape) {
  zmq::context_t context;
  std::uint16_t ports[2];
  read_all(pair.to_client[0], ports, sizeof ports);
  zmq::socket_t socket = bare_socket(
      context, shape.publishes ? zmq::socket_type::sub : zmq::socket_type::dealer, shape);
  make_client(socket, pair.client, pair.server.public_key);
  if (shape.publishes) socket.set(zmq::sockopt::subscribe, "");
  socket.connect(tcp_endpoint("127.0.0.1", ports[shape.publishes ? 1 : 0]));
  zmq::message_t message;
  const Turn turn = [&](Millis patience) { return turn_bare(socket, message, patience); };
  if (shape.publishes) return measure_publications(pair, shape, turn);
  const std::string bytes(size_of(shape), 'x');
  return measure_calls(
      shape, [&] { ::zmq_send(socket.handle(), bytes.data(), bytes.size(), 0); }, turn);
}

// ---- processes
// -----------------------------------------------------------------------------------

pid_t start(const std::function<void()>& work) {
  const pid_t child = ::fork();
  RIFTBUS_CHECK(child >= 0);
  if (child == 0) {
    work();
    ::_exit(0);
  }
  return child;
}

double run_once(const Shape& shape, bool ours) {
  Pair pair;
  for (int* ends : {pair.to_server, pair.to_client, pair.to_parent}) {
    RIFTBUS_CHECK(::pipe(ends) == 0);
  }
  const pid_t server = start([&] { ours ? serve_ours(pair, shape) : serve_bare(pair, shape); });
  const pid_t client = start([&] {
    const double rate = ours ? ask_ours(pair, shape) : ask_bare(pair, shape);
    write_all(pair.to_parent[1], &rate, sizeof rate);
    write_all(pair.to_server[1], "q", 1);
  });
  int status = 0;
  ::waitpid(client, &status, 0);
  double rate = 0;
  if (status == 0) read_all(pair.to_parent[0], &rate, sizeof rate);
  if (status != 0) ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  for (int* ends : {pair.to_server, pair.to_client, pair.to_parent}) {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  return rate;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int run(int rounds, double scale, const std::string& only, const std::string& json_path) {
  const Shape shapes[] = {
      {"PUB/SUB, beats", true, false, 0, 200'000},
      {"PUB/SUB, gossip of 200 bytes", true, true, 0, 200'000},
      {"calls, 1 in flight, ping", false, false, 1, 10'000},
      {"calls, 1 in flight, gossip of 200 bytes", false, true, 1, 10'000},
      {"calls, 64 in flight, ping", false, false, 64, 100'000},
      {"calls, 64 in flight, gossip of 200 bytes", false, true, 64, 100'000},
  };
  nlohmann::ordered_json report = nlohmann::ordered_json::array();
  bool all_met = true;
  std::printf("%-42s %12s %12s %7s  goal %.2f\n", "", "ours/s", "bare/s", "ratio", kGoal);
  for (Shape shape : shapes) {
    if (std::string(shape.name).find(only) == std::string::npos) continue;
    shape.messages = static_cast<std::size_t>(static_cast<double>(shape.messages) * scale);
    std::vector<double> ours;
    std::vector<double> bare;
    for (int round = 0; round < rounds; ++round) {
      ours.push_back(run_once(shape, true));
      bare.push_back(run_once(shape, false));
    }
    const double ratio = median(bare) > 0 ? median(ours) / median(bare) : 0;
    const bool met = ratio >= kGoal;
    all_met = all_met && met;
    std::printf("%-42s %12.0f %12.0f %7.2f  %s\n", shape.name, median(ours), median(bare), ratio,
                met ? "met" : "MISSED");
    std::fflush(stdout);
    report.push_back({{"name", shape.name},
                      {"ours", median(ours)},
                      {"peer", median(bare)},
                      {"ratio", ratio},
                      {"unit", "messages/s"},
                      {"goal", kGoal},
                      {"met", met}});
  }
  if (!json_path.empty()) std::ofstream(json_path) << report.dump(2) << '\n';
  return all_met ? 0 : 1;
}

}  // namespace
}  // namespace riftbus::bus

int main(int argc, char** argv) {
  int rounds = 5;
  double scale = 1;
  std::string json_path;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool has_value = i + 1 < argc;
    if (word == "--quick") {
      rounds = 3;
      scale = 0.2;
    } else if (word == "--json" && has_value) {
      json_path = argv[++i];
    } else if (word == "--rounds" && has_value) {
      rounds = std::max(1, std::atoi(argv[++i]));
    } else if (word == "--only" && has_value) {
      only = argv[++i];
    } else {
      std::cerr << "usage: bus_bench [--quick] [--rounds N] [--only TEXT] [--json FILE]\n";
      return word == "--help" ? 0 : 2;
    }
  }
  return riftbus::bus::run(rounds, scale, only, json_path);
}
