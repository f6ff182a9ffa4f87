#!/bin/bash
# What a queue of 100,000 waiting and 1,000,000 finished items costs: memory, snapshots, a restart,
# claims, and the longest turn of the loop.
#   test/bench/queue_size.sh [--queued N] [--finished N] [--directory DIR] [--json FILE]
# Exits 0 if no turn took longer than 50 ms, 1 if one did. Half a minute.
set -euo pipefail
cd "$(dirname "$0")/../.."
bench=${RIFTBUS_BIN:-build/release/bin}/queue_size
if test -z "${RIFTBUS_BIN:-}"; then
  deploy/install-packages.sh build
  cmake --preset release >/dev/null
  cmake --build build/release -j "$(nproc)" --target queue_size | tail -n 1
fi
exec "$bench" "$@"
