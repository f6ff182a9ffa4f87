#!/bin/bash
# Our work queue beside etcd, NATS JetStream and Redis, all on this machine. See --help.
set -euo pipefail
cd "$(dirname "$0")/../.."
if test "${1:-}" != --help; then
  # The peers' packages come with services that Debian would start at once: not here.
  for service in etcd nats-server redis-server; do
    unit=/etc/systemd/system/$service.service
    if test -d /run/systemd/system && test "$(id -u)" -eq 0 && test ! -e "$unit" &&
      ! command -v "$service" >/dev/null; then
      ln -s /dev/null "$unit" # masked; `systemctl unmask` undoes it
    fi
  done
  deploy/install-packages.sh build queue
  test -n "${RIFTBUS_BIN:-}" || {
    cmake --preset release >/dev/null
    cmake --build build/release -j "$(nproc)" --target riftbus-node riftbus queue_load | tail -n 1
  }
fi
exec /usr/bin/python3 test/bench/queue_bench.py "$@"
