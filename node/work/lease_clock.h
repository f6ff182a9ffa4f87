// LeaseClock: when a worker must stop, by its own clock alone.
//
// A worker that hears nothing cannot know whether it is cut off, its leader is, or its lease is
// over. So it never asks: it stops before anybody else could be granted its work. The leader counts
// a lease from when a renewal arrives, the worker from when it first sent it, which was earlier;
// a renewal that is repeated keeps the time of its first try, because any of the tries may be the
// one that arrived. What two clocks may differ by over a lease, and the time that killing takes,
// go off the end:
//
//   stop_at = first try of the last acknowledged request + lease * (1 - drift) - kill_grace
//
// The claim itself is the first such request. The clock must count suspended time (CLOCK_BOOTTIME):
// a laptop that slept has lost its leases.
//
// Pure; not thread-safe; `now` never decreases.
#pragma once

#include <cstdint>
#include <map>

#include "config/types.h"

namespace riftbus::work {

class LeaseClock {
 public:
  static constexpr std::int64_t kDriftPpm = 50'000;  // 5 %: also a virtual machine's worst
  static constexpr int kRenewalsPerLease = 6;
  static constexpr std::size_t kOpenMax = 16;  // renewals without an answer that are remembered

  // `claimed`: first try of the claim that was answered with the grant.
  LeaseClock(Nanos lease, Nanos kill_grace, TimePoint claimed);

  // A renewal is sent, or sent again: only the first time counts.
  void sent(std::uint64_t request, TimePoint now);
  // An answer that says "yours". Late, repeated and unknown ones are harmless.
  void acknowledged(std::uint64_t request);
  // An answer that says "no longer yours": stop at once.
  void refused(TimePoint now);

  // From here on: TERM, after kill_grace KILL. By stop_at() + kill_grace nothing runs any more.
  [[nodiscard]] TimePoint stop_at() const;
  [[nodiscard]] bool is_over(TimePoint now) const { return now >= stop_at(); }
  // When the next renewal is due, if the last one was sent.
  [[nodiscard]] TimePoint renew_at() const;

 private:
  Nanos lease_;
  Nanos kill_grace_;
  TimePoint base_;      // first try of the last acknowledged request
  TimePoint last_try_;  // first try of the last request
  std::uint64_t newest_ = 0;
  std::map<std::uint64_t, TimePoint> open_;
  bool refused_ = false;
  TimePoint refused_at_{};
};

}  // namespace riftbus::work
