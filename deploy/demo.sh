#!/bin/bash
# A cluster to look at, with real work: deploy/demo.sh [DIRECTORY] [--check] [--help]
#
# Installs what the build needs, builds the release, makes a cluster with real keys in a folder of
# its own and starts it: three voters that keep the queue, two of them with a relay, two workers,
# and a worker behind a router that lets nothing in, whom all reach through the relays. Then each
# file of DIRECTORY (default: /usr/bin) is compressed and hashed as one job, and every result is
# compared with a run without the cluster. After that the cluster is yours, until Ctrl-C. Nothing
# outside the build folder, that one folder and network namespaces of the demo's own is touched.
#
#   --files N     at most so many files, the first ones by name (default 120, up to 1000)
#   --nodes N     how many nodes that can be dialled, 5 to 50; three are voters (default 5)
#   --dir DIR     where keys, logs and results go (default: a new folder, removed at the end)
#   --keep        leave that folder behind
#   --check       unattended: half way, the leader and one worker are killed with -9, the worker
#                 with all its jobs; the rest finishes the work; both are started again. Then the
#                 relay by which the blocked node is reached is killed while a job runs there. Exit
#                 0 only if all of that was seen, every job was done exactly once, and nobody was
#                 called dead for a relay's death
#   --no-build    use the programs in build/release/bin as they are (or in $RIFTBUS_BIN)
set -euo pipefail
cd "$(dirname "$0")/.."

nodes=5 voters=3 files=120 source='' dir='' keep=no check=no build=yes inside=no
programs=${RIFTBUS_BIN:-$PWD/build/release/bin}
declare +x RIFTBUS_BIN  # means nothing to the programs
declare -A pids=()

say() { printf '\n== %s\n' "$1"; }
fail() {
  echo "demo: $1" >&2
  exit "${2:-1}"
}

while test $# -gt 0; do
  case $1 in
    -h | --help) sed -n '2,22s/^# \{0,1\}//p' "$0" && exit 0 ;;
    --check) check=yes ;;
    --keep) keep=yes ;;
    --no-build) build=no ;;
    --inside) inside=yes ;;  # this script's word to itself
    --nodes | --dir | --files)
      test $# -gt 1 || fail "$1 needs a value" 64
      case $1 in --nodes) nodes=$2 ;; --files) files=$2 ;; *) dir=$2 ;; esac
      shift ;;
    -*) fail "unknown option $1, see --help" 64 ;;
    *)
      test -z "$source" || fail "one directory, please: $source or $1?" 64
      source=$1 ;;
  esac
  shift
done
[[ $nodes =~ ^([5-9]|[1-4][0-9]|50)$ ]] || fail "--nodes takes a number from 5 to 50" 64
[[ $files =~ ^([1-9][0-9]{0,2}|1000)$ ]] || fail "--files takes a number from 1 to 1000" 64
source=$(cd "$OLDPWD" && cd -P -- "${source:-/usr/bin}" && pwd) || fail "no such directory" 66
blocked=n$((nodes + 1))

# ---- the cluster ---------------------------------------------------------------------------------

is_free() { ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# First of ten free ports for each node, and for the relays.
find_ports() {
  local first port count=$((10 * (nodes + 2)))
  for ((first = 7770; first < 30000; first += 1000)); do
    for ((port = first; port < first + count; ++port)); do
      is_free "$port" || continue 2
    done
    echo "$first" && return
  done
  fail "no $count neighbouring free ports on loopback"
}

# What runs jobs for a node: riftbus-job, by its job's folder, and the programs under it. They
# outlive their daemon, so that its successor can go on with them.
job_pids() {
  local folder=$dir/demo/$1/jobs/ entry program
  grep -lszF -- "$folder" /proc/[0-9]*/cmdline /proc/[0-9]*/environ | while read -r entry; do
    entry=${entry%/*}
    read -rd '' program 2>/dev/null <"$entry/cmdline" || continue
    if test "${program##*/}" = riftbus-job ||
      grep -qszF "RIFTBUS_JOB_DIR=$folder" "$entry/environ"; then
      echo "${entry##*/}"
    fi
  done || true
}

end_jobs() {
  local signal=$1 name=$2 tries found
  for ((tries = 0; tries < 50; ++tries)); do
    found=$(job_pids "$name") && test -n "$found" || return 0
    # shellcheck disable=SC2086  # one word each
    kill "-$signal" $found 2>/dev/null || true
    test "$tries" -lt 30 || signal=KILL
    sleep 0.1
  done
}

end_within_10s() {
  timeout 10 tail --pid="$1" -s 0.1 -f /dev/null || true
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# Ends every process that this script started, stopped ones too, and removes its folder.
tear_down() {
  local status=$? name
  trap - EXIT
  trap '' INT TERM
  for name in "${!pids[@]}"; do kill -TERM "${pids[$name]}" 2>/dev/null || true; done
  for name in "${!pids[@]}"; do end_within_10s "${pids[$name]}"; done
  for name in "${!pids[@]}"; do end_jobs TERM "$name"; done
  if test -n "${SUDO_UID:-}" && test -d build; then chown -R "$SUDO_UID:$SUDO_GID" build; fi
  if test "$keep" = yes; then
    echo "kept: $dir"
  else
    rm -rf -- "${dir:?}/demo" "${dir:?}/work" "$dir"/*.log
    rmdir -- "$dir" 2>/dev/null || true
  fi
  rm -rf -- "${sockets:?}"
  exit "$status"
}

# Voters of this demo run no work, so that leader and worker are two things to lose.
start_node() {
  local slots=64 place=()
  test "${1#n}" -gt "$voters" || slots=0
  test "$1" != "$blocked" || place=("${at_home[@]}")
  "${place[@]}" "$programs/riftbus-node" --config "$dir/demo/cluster.yaml" --node-id "$1" \
    --executor-slots "$slots" </dev/null >>"$dir/$1.log" 2>&1 &
  pids[$1]=$!
}

kill_node() {
  kill -KILL "${pids[$1]}"
  wait "${pids[$1]}" 2>/dev/null || true
}

ask() { "${client[@]}" "$@"; }

# Until every node sees every node alive.
wait_whole() {
  local i place all=$((nodes + 1))
  for ((i = 1; i <= all; ++i)); do
    place=n$i
    test "n$i" != "$blocked" || place=n$i@127.0.0.1:$blocked_port
    at "n$i" "${client[@]}" wait --nodes-min "$all" --node "$place" --timeout 30 \
      >"$dir/wait.log" || {
      tail -n 5 "$dir/n$i.log" >&2
      fail "n$i did not see $all nodes alive within 30 s"
    }
  done
}

leader() { ask leader show -o name 2>/dev/null; }

# The leader, once there is one other than $1.
wait_leader() {
  local deadline=$((SECONDS + 30)) name
  while ((SECONDS < deadline)); do
    name=$(leader) && test -n "$name" && test "$name" != "${1:-}" && echo "$name" && return
    sleep 0.1
  done
  fail "no ${1:+other }leader within 30 s: $(ask why leader 2>&1 || true)"
}

build_programs() {
  deploy/install-packages.sh build
  say "building (build/release)"
  local words
  # A build folder with tests in it stays as it is; a new one needs no test packages.
  test -f build/release/build.ninja ||
    words=$(cmake --preset release -DRIFTBUS_TESTS=OFF 2>&1) || { echo "$words" >&2 && return 1; }
  cmake --build build/release -j "$(nproc)" \
    --target riftbus-node riftbus riftbus-tap riftbus-job \
    riftbus-tunnel riftbus-relay riftbus-relay-ssh riftbus-relay-front
}

# ---- the work ------------------------------------------------------------------------------------

# The kind of job: what runs, and what it needs of a node. Work names the kind and carries a
# payload, here the name of a file; nobody who adds work chooses programs.
describe_work() {
  mkdir "$dir/work" "$dir/work/packed"
  cat >"$dir/work/pack.sh" <<'END'
# Compresses the file named on standard input and hashes both: one job of the demo.
set -eu
file=$(cat)
gzip -9nc -- "$file" >packed
sums="$(sha256sum <"$file") $(sha256sum <packed)"
# Another run of this job may be under way on a node that was cut off. Each has a fence of its own;
# the queue accepts one of them.
mv packed "$1/packed/$RIFTBUS_WORK_ID.$RIFTBUS_FENCE.gz"
printf '%s\n' "$RIFTBUS_WORK_ID $RIFTBUS_FENCE $RIFTBUS_NODE $file" >>"$1/record"
printf '%s' "$sums" >"$RIFTBUS_RESULT"
END
  cat >>"$dir/demo/cluster.yaml" <<END

jobs:
  pack:
    command: [sh, "$dir/work/pack.sh", "$dir/work"]
    needs: cpus>=0.5
    lease_s: 10       # how long a node that vanished may keep a job from the others
    kill_grace_s: 1
  pause:
    command: [sh, -c, 'sleep "\$(cat)"']
    needs: tag.behind_nat
END
}

# One JSON line for each regular file; links lead to files that have names of their own.
list_work() {
  local all
  find "$source/" -maxdepth 1 -type f -readable -printf '%P\0' |
    LC_ALL=C.UTF-8 grep -azx '[^[:cntrl:]]*' | tr '\0' '\n' |
    LC_ALL=C sort >"$dir/work/names" || true
  all=$(wc -l <"$dir/work/names")
  test "$all" -gt 0 || fail "$source has no file that can be read" 66
  test "$files" -lt "$all" || files=$all
  head -n "$files" "$dir/work/names" | awk -v folder="${source%/}/" '{ print folder $0 }' \
    >"$dir/work/files"
  sed 's/[\\"]/\\&/g; s/.*/{"kind":"pack","payload":"&"}/' "$dir/work/files" >"$dir/work/items"
  say "$files files of $source ($all regular ones), each compressed and hashed as one job"
}

# The other half of the proof: the same by hand, without a cluster.
run_locally() {
  local file
  while IFS= read -r file; do
    printf '%s %s %s\n' "$(sha256sum <"$file")" "$(gzip -9nc -- "$file" | sha256sum)" "$file"
  done <"$dir/work/files" | LC_ALL=C sort >"$dir/work/local"
}

lines_of() { if test -f "$1"; then wc -l <"$1"; else echo 0; fi; }

# Fails unless the queue holds every file as done, by a run that is in the record once, with the
# results of the local run, and nothing else.
verify() {
  local id fence node file shown result packed twice cut
  say "comparing with a local run, without the cluster"
  run_locally
  ask work history --lines 1000 -o jsonl >"$dir/work/history"
  ask work list --lines 1000 -o jsonl >"$dir/work/unfinished"
  test "$(lines_of "$dir/work/history")" = "$files" || fail "history does not name $files items"
  test ! -s "$dir/work/unfinished" || fail "work is left over: $(head -n 1 "$dir/work/unfinished")"
  twice=$(cut -d ' ' -f 1,2 "$dir/work/record" | sort | uniq -d)
  test -z "$twice" || fail "one grant ran twice: $twice"
  while read -r id fence node file; do
    grep -q "^{\"id\":$id,\"state\":\"done\",.*\"token\":$fence," "$dir/work/history" ||
      continue
    shown=$(ask work show "$id" -o json)
    result=$(sed -n 's/^ *"result": "\(.*\)",*$/\1/p' <<<"$shown")
    packed=$(sha256sum <"$dir/work/packed/$id.$fence.gz")
    test "${result#*-}" = " $packed" || fail "work $id: the result does not name what $node wrote"
    printf '%s %s\n' "$result" "$file"
  done <"$dir/work/record" | LC_ALL=C sort >"$dir/work/accepted"
  cmp "$dir/work/local" "$dir/work/accepted" || fail "results differ from the local run"
  cut=$(($(lines_of "$dir/work/record") - files))
  echo "all $files done exactly once, results equal; runs that came too late to count: $cut"
}


# Half way, the leader and a worker vanish. The client that waits is not told.
do_work_in_bad_luck() {
  local killed_leader killed_worker=n$nodes next started adder
  local deadline=$((SECONDS + 300))
  "${client[@]}" work add --from "$dir/work/items" --wait &
  adder=$!
  pids[adder]=$adder
  until (($(lines_of "$dir/work/record") * 2 >= files)); do
    kill -0 "$adder" 2>/dev/null || fail "it has ended before half of it was done"
    ((SECONDS < deadline)) || fail "not half of it was done within 300 s"
    sleep 0.05
  done
  killed_leader=$(wait_leader)
  started=$(date +%s%N)
  kill_node "$killed_worker"
  kill_node "$killed_leader"
  end_jobs KILL "$killed_worker"
  say "half is done: killed with -9: leader $killed_leader, worker $killed_worker with its jobs"
  next=$(wait_leader "$killed_leader")
  echo "$next leads after $((($(date +%s%N) - started) / 1000000)) ms"
  ask wait "$killed_worker" --standing dead --node "$next" --timeout 30 >"$dir/wait.log" ||
    fail "$next did not call $killed_worker dead within 30 s"
  echo "$next calls $killed_worker dead after $((($(date +%s%N) - started) / 1000000)) ms"
  wait "$adder" || fail "the work did not end well"
  unset 'pids[adder]'
  say "all is done; starting $killed_leader and $killed_worker again"
  start_node "$killed_leader"
  start_node "$killed_worker"
  wait_whole
  ask voter list
  ask work stats
}

# ---- the story -----------------------------------------------------------------------------------

# shellcheck source=demo_nat.sh
. deploy/demo_nat.sh
test "$build" = no || build_programs
test -x "$programs/riftbus-relay" || fail "no programs in $programs: leave out --no-build"
if test "$inside" = yes; then
  lay_network
elif no_network=$(why_no_network) && test -z "$no_network"; then
  again=(--no-build --inside --nodes "$nodes" --files "$files")
  test "$keep" = no || again+=(--keep)
  test "$check" = no || again+=(--check)
  test -z "$dir" || again+=(--dir "$dir")
  RIFTBUS_BIN=$programs exec "${networks[@]}" "$PWD/deploy/demo.sh" "${again[@]}" "$source"
fi

if test -n "$dir"; then
  mkdir -p -- "$dir" || fail "cannot make $dir"
  test ! -e "$dir/demo" || fail "$dir/demo exists already: remove it or choose another --dir"
else
  dir=$(mktemp -d "${TMPDIR:-/tmp}/riftbus-demo.XXXXXX")
fi
dir=$(cd "$dir" && pwd)
sockets=$(mktemp -d /tmp/riftbus-XXXXXX)  # a short name: paths of Unix sockets are short
client=("$programs/riftbus" --key "$dir/demo/operator" --config "$dir/demo/cluster.yaml")
trap tear_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

names=$(seq -s, -f 'n%g' 1 $((nodes + 1)))
say "a cluster of $voters voters and $((nodes - voters + 1)) workers with its own keys in $dir/demo"
port=$(find_ports)
ask init demo --nodes "$names" --voters "$voters" --dir "$dir/demo" --port "$port" \
  >"$dir/init.log" || fail "could not set up the cluster"
place_nodes
describe_work
start_relays
for ((i = 1; i <= nodes + 1; ++i)); do start_node "n$i"; done
wait_whole
echo "$(wait_leader) leads"
ask node list
show_blocked

list_work
if test "$check" = yes; then
  do_work_in_bad_luck
else
  ask work add --from "$dir/work/items" --wait || fail "not all work ended well"
fi
verify
if test "$check" = yes; then
  kill_home_relay
  ask status || fail "the cluster is not content: see above"
  say "seen: $files jobs done exactly once, past a dead leader, worker and relay, in $SECONDS s"
  exit 0
fi

cat <<END

== the cluster runs; try, in another terminal:

  alias riftbus='$from_outside${client[*]}'
  riftbus work history -n 5            # what was done, and where
  riftbus work add --from $dir/work/items --wait    # once more; and meanwhile:
  kill -9 ${pids[n$nodes]}                      # n$nodes, a worker, dies
  riftbus why node n$nodes                  # and this is why everybody thinks so
  riftbus link ping $blocked --node n3      # through a relay
  riftbus leader show
  riftbus event tail
  riftbus tap -c 20                    # the bus, decoded

Ctrl-C ends all of it.
END
sleep infinity &
pids[waiting]=$!
while kill -0 "${pids[waiting]}" 2>/dev/null; do wait -n || true; done
