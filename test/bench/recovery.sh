#!/bin/bash
# What links and relays that die cost, and bulk beside control; autossh beside it. See --help.
set -euo pipefail
cd "$(dirname "$0")/../.."
if test "${1:-}" != --help; then
  deploy/install-packages.sh build test tunnel
  test -n "${RIFTBUS_BIN:-}" || {
    cmake --preset release -DRIFTBUS_TESTS=ON >/dev/null
    cmake --build build/release -j "$(nproc)" --target riftbus-node riftbus riftbus-tap \
      riftbus-job riftbus-tunnel riftbus-relay riftbus-relay-ssh riftbus-relay-front | tail -n 1
    export RIFTBUS_BIN=$PWD/build/release/bin
  }
fi
exec /usr/bin/python3 test/bench/recovery.py "$@"
