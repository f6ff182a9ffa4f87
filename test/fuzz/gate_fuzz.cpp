// A relay's gate. Any text as a list of keys: every key that it holds is whole, and every mistake
// has its line. Then the same bytes as events of sessions: limits hold, one session per node and
// class, no name twice, and nothing is left once everybody has gone.
// room: riftbus_relay_gate
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>

#include "config/check.h"
#include "relay/gate/gate.h"

namespace riftbus::relay {
namespace {

constexpr std::string_view kKeys[] = {
    "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB",
    "AAAAC3NzaC1lZDI1NTE5AAAAICCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"};
constexpr std::string_view kUsers[] = {"n1", "n1+bulk", "n2", "n2+bulk", "+bulk", ""};
constexpr std::string_view kHosts[] = {"localhost", "127.0.0.1", "", "192.0.2.1"};

GateLimits small_limits() {
  GateLimits limits;
  limits.strangers_max = 4;
  limits.strangers_per_address_max = 3;
  limits.sessions_max = 6;
  limits.sessions_per_address_max = 5;
  limits.listeners_max = 2;
  return limits;
}

AllowList small_list(bool is_short) {
  std::string text = "permitopen=\"127.0.0.1:5\" ssh-ed25519 " + std::string(kKeys[0]) + " n1\n";
  if (!is_short) {
    text += "expiry-time=\"19700102\",permitlisten=\"7\" ssh-ed25519 " + std::string(kKeys[1]) +
            " n2\n";
  }
  return parse_allow_list(text, "f").list;
}

class Player {
 public:
  void play(const std::uint8_t* data, std::size_t size) {
    for (std::size_t i = 0; i + 3 <= size; i += 3) {
      act(data[i], data[i + 1], data[i + 2]);
      check();
    }
    for (SessionNumber session = 1; session < next_; ++session) tell(event::Gone{session});
    RIFTBUS_CHECK(gate_.guests().empty() && gate_.stranger_count() == 0);
    RIFTBUS_CHECK(gate_.next_deadline() == TimePoint::max());
  }

 private:
  void tell(const GateEvent& event) {
    GateActions out;
    gate_.step(event, now_, out);
    for (const auto& action : out) {
      RIFTBUS_CHECK(!to_string(action).empty());
      if (const auto* end = std::get_if<action::End>(&action)) {
        RIFTBUS_CHECK(gate_.find(end->session) == nullptr && end->error.code >= 1833);
      }
    }
  }

  void act(std::uint8_t what, std::uint8_t who, std::uint8_t how) {
    const SessionNumber session = who % 16 < next_ ? next_ - who % 16 : 0;
    const std::string key(kKeys[how % 3]);
    const std::string host(kHosts[how / 16 % 4]);
    const int port = how % 16 == 15 ? -1 : how % 16;
    switch (what % 11) {
      case 0:
        return tell(event::Connected{next_++, who % 2 == 0 ? "192.0.2.1" : "192.0.2.2"});
      case 1:
      case 2:
        return tell(event::KeyOffered{session, std::string(kUsers[how / 3 % 6]), key, how < 128});
      case 3:
        return tell(event::OtherMethod{session, how < 128});
      case 4:
        return tell(event::ListenAsked{session, host, port});
      case 5:
        return tell(event::CancelAsked{session, port});
      case 6:
        return tell(event::OpenAsked{session, host, port});
      case 7:
        now_ += Millis{how * 10};
        return tell(event::Tick{});
      case 8:
        return tell(event::Heard{session});
      case 9:
        return tell(event::Gone{session});
      default:
        if (how % 2 == 0) return tell(event::WallClock{(how & 2U) != 0 ? 86'399 : 86'400});
        return tell(event::ListChanged{small_list((how & 2U) != 0)});
    }
  }

  void check() const {
    const auto limits = small_limits();
    std::set<std::pair<NodeId, TrafficClass>> classes;
    std::set<std::pair<NodeId, std::uint16_t>> names;
    std::size_t strangers = 0;
    for (const auto& [session, guest] : gate_.guests()) {
      if (!guest.is_admitted()) {
        ++strangers;
        RIFTBUS_CHECK(guest.listeners.empty() && guest.attempts < limits.attempts_max);
        continue;
      }
      RIFTBUS_CHECK(classes.insert({*guest.node, guest.traffic}).second);
      RIFTBUS_CHECK(guest.listeners.size() <= limits.listeners_max);
      for (const auto number : guest.listeners) {
        RIFTBUS_CHECK(number != 0 && names.insert({*guest.node, number}).second);
      }
    }
    RIFTBUS_CHECK(strangers == gate_.stranger_count() && strangers <= limits.strangers_max);
    RIFTBUS_CHECK(gate_.guests().size() <= limits.sessions_max);
    RIFTBUS_CHECK(gate_.guests().empty() == (gate_.next_deadline() == TimePoint::max()));
  }

  Gate gate_{small_limits(), small_list(false)};
  TimePoint now_{Seconds{1000}};
  SessionNumber next_ = 1;
};

}  // namespace
}  // namespace riftbus::relay

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = riftbus::relay::parse_allow_list(text, "f");
  for (const auto& problem : parsed.problems) {
    RIFTBUS_CHECK(problem.code == 1832 && problem.where.starts_with("f:"));
  }
  riftbus::relay::Player().play(data, size);
  return 0;
}
