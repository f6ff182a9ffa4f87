// The start-up test of the gatekeeper: a stranger really is refused, our own key really accepted.
//
// libzmq's answer to "nobody guards this socket" is to let everybody in, without a word. So a
// daemon does not believe its own set-up: it opens a real server socket on loopback, the way the
// bus does, knocks with a key drawn a moment ago, and exits unless that is refused.
#pragma once

#include "bus/keys.h"
#include "config/result.h"
#include "config/types.h"

namespace zmq {
class context_t;
}

namespace riftbus::bus {

inline constexpr Millis kSelfTestTimeout{5000};

// `listed`: a pair in the roster in force, to be accepted; nullptr while this node waits for its
// approval. Blocks for a few milliseconds, kSelfTestTimeout per key at most. The stranger's knock
// shows in the handler's counters and refusals. Codes: 1131 the stranger was let in, 1132 the
// listed key was refused, 1133 no verdict, 1134 libzmq without CURVE.
[[nodiscard]] Status self_test_zap(zmq::context_t& context, const KeyPair* listed);

}  // namespace riftbus::bus
