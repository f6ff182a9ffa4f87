#!/bin/bash
# Our tunnel and relay beside ssh, sshd and autossh, in one run. See --help.
set -euo pipefail
cd "$(dirname "$0")/../.."
if test "${1:-}" != --help; then
  deploy/install-packages.sh build tunnel
  test -n "${RIFTBUS_BIN:-}" || {
    cmake --preset release -DRIFTBUS_TESTS=ON >/dev/null
    cmake --build build/release -j "$(nproc)" \
      --target riftbus-tunnel riftbus-relay-ssh tunnel_crowd | tail -n 1
    export RIFTBUS_BIN=$PWD/build/release/bin
  }
fi
exec /usr/bin/python3 test/bench/tunnel.py "$@"
