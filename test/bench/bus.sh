#!/bin/bash
# Our bus against bare libzmq with CURVE: messages/s and round trips/s, in the same run.
#   test/bench/bus.sh [--quick] [--rounds N] [--only TEXT] [--json FILE]
# Exits 0 if every ratio reaches the goal, 1 if one does not. About a minute, --quick ten seconds.
set -euo pipefail
cd "$(dirname "$0")/../.."
bench=${RIFTBUS_BIN:-build/release/bin}/bus_bench
if test -z "${RIFTBUS_BIN:-}"; then
  deploy/install-packages.sh build
  cmake --preset release >/dev/null
  cmake --build build/release -j "$(nproc)" --target bus_bench | tail -n 1
fi
# Both sides ahead of the machine's other work, where that is permitted: four busy threads on two
# shared cores measure the scheduler otherwise.
if chrt --rr 1 true 2>/dev/null; then
  exec chrt --rr 1 "$bench" "$@"
fi
exec "$bench" "$@"
