#!/bin/bash
# A cluster to look at: deploy/demo.sh [--nodes N] [--dir DIR] [--keep] [--check] [--help]
#
# Installs what the build needs, builds the release, makes a cluster with real keys in a folder of
# its own, starts N nodes (default 3) as real processes on loopback, shows what they say, and waits
# for Ctrl-C. Nothing outside the build folder and that one folder is touched.
#
#   --nodes N     how many nodes, 3 to 50
#   --dir DIR     where keys, rosters, logs and state go (default: a new folder, removed at the end)
#   --keep        leave that folder behind
#   --check       unattended: kills one node with -9, waits until the others call it dead, starts it
#                 again, waits until it is alive everywhere; exit 0 only if all of that was seen
#   --no-build    use the programs in build/release/bin as they are
set -euo pipefail
cd "$(dirname "$0")/.."

nodes=3 dir='' keep=no check=no build=yes
programs=$PWD/build/release/bin
declare -A pids=()

say() { printf '\n== %s\n' "$1"; }
fail() {
  echo "demo: $1" >&2
  exit "${2:-1}"
}

while test $# -gt 0; do
  case $1 in
    -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0" && exit 0 ;;
    --check) check=yes ;;
    --keep) keep=yes ;;
    --no-build) build=no ;;
    --nodes | --dir)
      test $# -gt 1 || fail "$1 needs a value" 64
      case $1 in --nodes) nodes=$2 ;; *) dir=$2 ;; esac
      shift ;;
    *) fail "unknown option $1, see --help" 64 ;;
  esac
  shift
done
[[ $nodes =~ ^([3-9]|[1-4][0-9]|50)$ ]] || fail "--nodes takes a number from 3 to 50" 64

is_free() { ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# First of ten free ports for each node.
find_ports() {
  local first port
  for ((first = 7770; first < 30000; first += 1000)); do
    for ((port = first; port < first + 10 * nodes; ++port)); do
      is_free "$port" || continue 2
    done
    echo "$first" && return
  done
  fail "no $((10 * nodes)) neighbouring free ports on loopback"
}

# Ends every process that this script started, stopped ones too, and removes its folder.
tear_down() {
  local status=$? name
  trap - EXIT INT TERM
  for name in "${!pids[@]}"; do kill -TERM "${pids[$name]}" 2>/dev/null || true; done
  for name in "${!pids[@]}"; do end_within_10s "${pids[$name]}"; done
  if test -n "${SUDO_UID:-}" && test -d build; then chown -R "$SUDO_UID:$SUDO_GID" build; fi
  if test "$keep" = yes; then
    echo "kept: $dir"
  else
    rm -rf -- "${dir:?}/demo" "$dir"/*.log
    rmdir -- "$dir" 2>/dev/null || true
  fi
  exit "$status"
}

end_within_10s() {
  timeout 10 tail --pid="$1" -s 0.1 -f /dev/null || true
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

start_node() {
  "$programs/riftbus-node" --config "$dir/demo/cluster.yaml" --node-id "$1" \
    </dev/null >>"$dir/$1.log" 2>&1 &
  pids[$1]=$!
}

ask() { "$programs/riftbus" --key "$dir/demo/operator" --config "$dir/demo/cluster.yaml" "$@"; }

build_programs() {
  deploy/install-packages.sh build
  say "building (build/release)"
  local words
  # A build folder with tests in it stays as it is; a new one needs no test packages.
  test -f build/release/build.ninja ||
    words=$(cmake --preset release -DRIFTBUS_TESTS=OFF 2>&1) || { echo "$words" >&2 && return 1; }
  cmake --build build/release -j "$(nproc)" --target riftbus-node riftbus riftbus-tap
}

# Kill, verdict, restart, alive: what a cluster is for, in half a minute.
unattended_check() {
  local last=n$nodes first=n1 other=n2 name started
  say "killing $last with -9"
  kill -KILL "${pids[$last]}"
  wait "${pids[$last]}" 2>/dev/null || true
  started=$(date +%s%N)
  for name in "$first" "$other"; do
    ask wait "$last" --standing dead --node "$name" --timeout 30 ||
      fail "$name did not call $last dead within 30 s"
    echo "$name calls $last dead after $((($(date +%s%N) - started) / 1000000)) ms"
  done
  ask why node "$last" --node "$first" || true

  say "starting $last again"
  start_node "$last"
  for name in "$first" "$other" "$last"; do
    ask wait "$last" --standing alive --nodes-min "$nodes" --node "$name" --timeout 30 ||
      fail "$name did not see all $nodes nodes alive again within 30 s"
  done
  ask status --node "$last" || fail "$last is not content: see above"
  say "seen: verdict, return, all $nodes alive"
}

test "$build" = no || build_programs
test -x "$programs/riftbus-node" || fail "no programs in $programs: leave out --no-build"

if test -n "$dir"; then
  mkdir -p -- "$dir" || fail "cannot make $dir"
  test ! -e "$dir/demo" || fail "$dir/demo exists already: remove it or choose another --dir"
else
  dir=$(mktemp -d "${TMPDIR:-/tmp}/riftbus-demo.XXXXXX")
fi
dir=$(cd "$dir" && pwd)
trap tear_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

names=$(seq -s, -f 'n%g' 1 "$nodes")
say "a cluster of $nodes nodes with its own keys in $dir/demo"
port=$(find_ports)
ask init demo --nodes "$names" --dir "$dir/demo" --port "$port" ||
  fail "could not set up the cluster"
for ((i = 1; i <= nodes; ++i)); do start_node "n$i"; done
for ((i = 1; i <= nodes; ++i)); do
  ask wait --nodes-min "$nodes" --node "n$i" --timeout 30 || {
    tail -n 5 "$dir/n$i.log" >&2
    fail "n$i did not see $nodes nodes alive within 30 s"
  }
done

say "riftbus status"
ask status
say "riftbus node list"
ask node list

if test "$check" = yes; then
  unattended_check
  exit 0
fi

cat <<END

== the cluster runs; try, in another terminal:

  alias riftbus='$programs/riftbus --key $dir/demo/operator --config $dir/demo/cluster.yaml'
  riftbus node list --watch
  kill -9 ${pids[n$nodes]}                    # n$nodes dies
  riftbus why node n$nodes                # and this is why everybody thinks so
  riftbus event tail
  riftbus tap -c 20                    # the bus, decoded

Ctrl-C ends all of it.
END
sleep infinity &
pids[waiting]=$!
while kill -0 "${pids[waiting]}" 2>/dev/null; do wait -n || true; done
