#!/bin/bash
# Our work queue beside etcd, NATS JetStream and Redis, all on this machine. See --help.
set -euo pipefail
cd "$(dirname "$0")/../.."
if test "${1:-}" != --help; then
  deploy/install-packages.sh build queue
  test -n "${RIFTBUS_BIN:-}" || {
    cmake --preset release >/dev/null
    cmake --build build/release -j "$(nproc)" --target riftbus-node riftbus queue_load | tail -n 1
  }
fi
exec /usr/bin/python3 test/bench/queue_bench.py "$@"
