#include "node/membership/timing.h"

namespace riftbus::membership {

// silence_min is 1.5 intervals: a beat may come 10 % late and lose one retransmission (about 300 ms
// at 100 ms round trip) before anybody asks. suspicion_min is what refuting costs: the accusation's
// flood, the member's own stored incarnation, and the flood back, with as much again for luck.
Timing lan_timing() {
  return Timing{.interval = Millis(500),
                .silence_min = Millis(750),
                .silence_max = Millis(3000),
                .probe_min = Millis(150),
                .probe_max = Millis(1000),
                .suspicion_min = Millis(1000),
                .suspicion_max = Millis(4000),
                .refused_grace = Millis(400),
                .hop = Millis(40)};
}

Timing wan_timing() {
  return Timing{.interval = Millis(1000),
                .silence_min = Millis(1500),
                .silence_max = Millis(6000),
                .probe_min = Millis(300),
                .probe_max = Millis(2000),
                .suspicion_min = Millis(1750),
                .suspicion_max = Millis(6000),
                .refused_grace = Millis(600),
                .hop = Millis(100)};
}

Timing flaky_timing() {
  return Timing{.interval = Millis(2000),
                .silence_min = Millis(5000),
                .silence_max = Millis(12000),
                .probe_min = Millis(1000),
                .probe_max = Millis(4000),
                .suspicion_min = Millis(6000),
                .suspicion_max = Millis(20000),
                .refused_grace = Millis(2000),
                .hop = Millis(400)};
}

}  // namespace riftbus::membership
