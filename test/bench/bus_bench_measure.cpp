#include "test/bench/bus_bench.h"

#include <unistd.h>

#include "bus/clock.h"
#include "bus/wire/codec.h"
#include "config/check.h"

namespace riftbus::bench {

using bus::boot_now;

namespace {

constexpr Seconds kGiveUp{20};
constexpr Millis kQuiet{1000};

}  // namespace

NodeId make_id(const char* text) { return *NodeId::parse(text); }

wire::Body make_body(const Shape& shape) {
  if (!shape.large) {
    if (shape.publishes) return wire::Beat{Incarnation(7), 123'456, 0, 1000, 99, RosterVersion(3)};
    return wire::Ping{};
  }
  // One member's news: what a join or a refutation floods.
  wire::Claim claim;
  claim.subject = make_id("gpu-eu-17");
  claim.incarnation = Incarnation(1'700'000'000'000u);
  wire::Record& record = claim.record.emplace();
  record.id = claim.subject;
  record.instance = Instance(1ull << 60u);
  record.incarnation = claim.incarnation;
  record.addresses = {{wire::AddressKind::public_ip, "198.51.100.17", 7770, 7771},
                      {wire::AddressKind::tailscale, "100.64.0.17", 7770, 7771}};
  record.roles = {Role::node};
  record.failure_domain = "hetzner-fsn1";
  record.resources = {32, 128'000, 900'000, 1, "NVIDIA RTX 4090", 24'000};
  record.tags = {{"pool", "training"}};
  record.software = "riftbus 0.1.0";
  wire::Gossip gossip;
  gossip.claims.push_back(std::move(claim));
  return gossip;
}

std::size_t size_of(const Shape& shape) {
  const std::string bytes = wire::encode({make_id("server"), Instance(1ull << 60u), Seq(100'000),
                                          Correlation(1000), make_body(shape)});
  return bytes.size() + (shape.publishes ? 7 : 0);
}

void write_all(int fd, const void* data, std::size_t size) {
  RIFTBUS_CHECK(::write(fd, data, size) == static_cast<ssize_t>(size));
}
void read_all(int fd, void* data, std::size_t size) {
  RIFTBUS_CHECK(::read(fd, data, size) == static_cast<ssize_t>(size));
}

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

}  // namespace riftbus::bench
