// Random: a small seeded generator (xoshiro256**, Blackman and Vigna 2018, seeded by splitmix64).
//
// Passed into protocol cores by reference, so that one printed seed replays a whole run. The
// standard distributions are avoided on purpose: their output differs between libraries.
// Not for secrets: keys come from libsodium. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "config/check.h"

namespace riftbus {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  // Uniform in [0, bound); bound > 0 (CHECKed).
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high);
  // Uniform in [0, 1).
  double unit();
  bool chance(double probability) { return unit() < probability; }

  template <class Container>
  void shuffle(Container& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      using std::swap;
      swap(items[i - 1], items[static_cast<std::size_t>(below(i))]);
    }
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace riftbus
