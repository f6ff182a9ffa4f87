#!/bin/bash
# Many real daemons in steady state: traffic, processor, memory, false deaths. See --help.
set -euo pipefail
cd "$(dirname "$0")/../.."
if test "${1:-}" != --help; then
  deploy/install-packages.sh build
  test -n "${RIFTBUS_BIN:-}" || {
    test -f build/release/build.ninja || cmake --preset release -DRIFTBUS_TESTS=OFF >/dev/null
    cmake --build build/release -j "$(nproc)" --target riftbus-node riftbus | tail -n 1
  }
fi
ulimit -n "$(ulimit -H -n)"
exec /usr/bin/python3 test/bench/scale.py "$@"
