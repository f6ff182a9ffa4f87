// Paths: the addresses of one peer, in the order in which it is worth trying them.
//
// A rented machine has several: the LAN one is quick but leads nowhere from another site (or to
// somebody else's machine), the public one may be filtered, Tailscale's may be down. Nothing about
// an address is believed; what decides is experience: those with fewer failures in a row first,
// then the last good one, then the smaller round trip (an unmeasured one is estimated by its kind),
// then the peer's own order.
//
// Each address has a circuit breaker: after some failures in a row it is left alone, then
// half-open: one trial, whose failure closes the door for twice the time, up to
// limits.breaker_open_max. The grant of a trial restarts that time, so an address whose trial never
// ends is not stuck.
//
// Pure: time is passed in and never decreases. Bounded by limits.addresses_per_peer_max. Not
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bus/bus_limits.h"
#include "bus/wire/message.h"
#include "config/types.h"

namespace riftbus::bus {

// closed: tried freely. open: left alone for a while. half_open: its one trial is due or under way.
enum class Breaker : std::uint8_t { closed, half_open, open };
[[nodiscard]] const char* to_string(Breaker breaker);

// What is remembered of one address, for people.
struct PathReport {
  wire::Address address;
  Breaker breaker = Breaker::closed;
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::optional<TimePoint> last_success;
  std::optional<TimePoint> last_failure;
  std::string last_error;  // of last_failure
  int failures_in_row = 0;
  std::optional<TimePoint> trial_due;  // of a breaker that is not closed
  std::optional<Nanos> rtt;
};

class Paths {
 public:
  explicit Paths(const Limits& limits);

  // Best first, as the peer advertises them. What is known about addresses that stay is kept.
  // True: the list changed.
  bool set_addresses(const std::vector<wire::Address>& addresses);
  // Those that may be tried at `now`, best first. For an open breaker that is due this is the
  // grant of its one trial.
  [[nodiscard]] std::vector<wire::Address> take_candidates(TimePoint now);
  // When take_candidates() next has something; `now` if it has already, max without addresses.
  [[nodiscard]] TimePoint next_candidate(TimePoint now) const;

  // Outcomes of attempts; an address not listed any more is ignored. `rtt` of the TCP connect.
  void on_success(const wire::Address& address, Nanos rtt, TimePoint now);
  void on_failure(const wire::Address& address, const std::string& error, TimePoint now);
  // There is news that the peer lives: breakers close; experience stays.
  void forgive();
  // Somebody wants the peer: open breakers stay open, but their trials are due at `at`.
  void hasten_trials(TimePoint at);

  [[nodiscard]] bool empty() const { return paths_.empty(); }
  [[nodiscard]] bool knows(const wire::Address& address) const;
  [[nodiscard]] std::optional<Nanos> rtt(const wire::Address& address) const;
  [[nodiscard]] std::vector<PathReport> report(TimePoint now) const;  // best first
  [[nodiscard]] std::optional<wire::Address> last_good() const { return last_good_; }

 private:
  struct Path {
    wire::Address address;
    std::optional<Nanos> rtt;  // smoothed, 1/8
    int failures = 0;          // in a row
    std::optional<TimePoint> open_until;
    bool on_trial = false;  // the one that an open breaker grants
    PathReport history;     // counts, times, last error
  };
  [[nodiscard]] Path* find(const wire::Address& address);
  [[nodiscard]] Nanos open_span(const Path& path) const;
  [[nodiscard]] bool better(const Path& a, const Path& b) const;
  void rank(std::vector<const Path*>& paths) const;

  const Limits& limits_;
  std::vector<Path> paths_;  // in the peer's order
  std::optional<wire::Address> last_good_;
};

// A guess for ranking only.
[[nodiscard]] Nanos estimated_rtt(wire::AddressKind kind);

}  // namespace riftbus::bus
