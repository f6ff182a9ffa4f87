#!/bin/bash
# The dashboard with a thousand members in a real browser. See --help.
set -euo pipefail
cd "$(dirname "$0")/../.."
if test "${1:-}" != --help; then
  deploy/install-packages.sh build test
  test -n "${RIFTBUS_BIN:-}" || {
    test -f build/release/build.ninja || cmake --preset release -DRIFTBUS_TESTS=OFF >/dev/null
    cmake --build build/release -j "$(nproc)" --target riftbus-node riftbus | tail -n 1
  }
fi
exec /usr/bin/python3 test/bench/web_bench.py "$@"
