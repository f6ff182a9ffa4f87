// Scripts about the log and the queue: the well-known situations, told to a small world with fixed
// delays, with what its voters, clients and workers say written beneath (test/sim/script.h has the
// format, test/scripts/README.md the commands).
#pragma once

#include "test/sim/script.h"

namespace riftbus::consensus {

[[nodiscard]] std::vector<std::string> play_queue_script(
    const std::vector<sim::ScriptBlock>& blocks);

}  // namespace riftbus::consensus
