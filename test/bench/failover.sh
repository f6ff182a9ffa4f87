#!/bin/bash
# From kill -9 of the leader to the next acknowledged claim, and etcd beside it. See --help.
set -euo pipefail
cd "$(dirname "$0")/../.."
if test "${1:-}" != --help; then
  deploy/install-packages.sh build bench
  test -n "${RIFTBUS_BIN:-}" || {
    test -f build/release/build.ninja || cmake --preset release -DRIFTBUS_TESTS=OFF >/dev/null
    cmake --build build/release -j "$(nproc)" --target riftbus-node riftbus | tail -n 1
  }
fi
exec /usr/bin/python3 test/bench/failover.py "$@"
