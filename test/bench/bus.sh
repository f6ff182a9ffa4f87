#!/bin/bash
# Our bus against bare libzmq with CURVE: messages/s and round trips/s, in the same run.
#   test/bench/bus.sh [--quick] [--rounds N] [--only TEXT] [--json FILE]
# Exits 0 if every ratio reaches the goal, 1 if one does not. About two minutes, --quick 15 seconds.
set -euo pipefail
cd "$(dirname "$0")/../.."
if test -n "${RIFTBUS_BIN:-}"; then
  exec "$RIFTBUS_BIN/bus_bench" "$@"
fi
deploy/install-packages.sh build
cmake --preset release >/dev/null
cmake --build build/release -j "$(nproc)" --target bus_bench | tail -n 1
exec build/release/bin/bus_bench "$@"
