#!/bin/bash
# What a node's HTTP answers per second and how late, beside etcd and NATS. See --help.
set -euo pipefail
cd "$(dirname "$0")/../.."
if test "${1:-}" != --help; then
  deploy/install-packages.sh build http
  test -n "${RIFTBUS_BIN:-}" || {
    test -f build/release/build.ninja || cmake --preset release -DRIFTBUS_TESTS=OFF >/dev/null
    cmake --build build/release -j "$(nproc)" --target riftbus-node riftbus | tail -n 1
  }
fi
# All sides ahead of the machine's other work, where that is permitted. Not real time: the kernel
# takes a real-time load off the processor for 50 ms of each second, and those would be the p99.
first=()
test -n "$(nice -n -20 true 2>&1)" || first=(nice -n -20)
exec "${first[@]}" /usr/bin/python3 test/bench/http_bench.py "$@"
