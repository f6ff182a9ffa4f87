#!/bin/bash
# Fuzzes: test/fuzz/run.sh [SECONDS | --cpu SECONDS] [TARGET...]   (default 60 s each, every target)
#
# Builds the "fuzz" preset (clang, AddressSanitizer, UBSan, libFuzzer), starts from the corpus in
# git and works in the build folder. A crash is saved in test/fuzz/crashes/TARGET/, printed, and
# makes this script fail. --merge copies inputs that reached new code into the corpus.
#
# SECONDS are by the clock; --cpu counts processor time instead, at the lowest priority, so that a
# long run (an hour each: --cpu 3600) may share the machine with other work and still be that long.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=60
merge=no
targets=()
cpu_seconds=
while test $# -gt 0; do
  case $1 in
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 0 ;;
    --merge) merge=yes ;;
    --cpu) cpu_seconds=${2:?"--cpu needs seconds"} && shift ;;
    [0-9]*) seconds=$1 ;;
    *) targets+=("${1%_fuzz}") ;;
  esac
  shift
done
build=${RIFTBUS_FUZZ_BUILD:-build/fuzz}
jobs=${RIFTBUS_JOBS:-$(nproc)}

cmake --preset fuzz -B "$build" >"${TMPDIR:-/tmp}/riftbus-fuzz-configure.$$" 2>&1 || {
  cat "${TMPDIR:-/tmp}/riftbus-fuzz-configure.$$" >&2
  exit 1
}
rm -f "${TMPDIR:-/tmp}/riftbus-fuzz-configure.$$"
if test ${#targets[@]} -eq 0; then
  for source in test/fuzz/*_fuzz.cpp; do
    source=${source##*/}
    targets+=("${source%_fuzz.cpp}")
  done
fi
cmake --build "$build" -j "$jobs" --target "${targets[@]/%/_fuzz}"

# One target: works in the build folder, so that a run leaves the checkout as it was.
fuzz() {
  local name=$1 work=$build/work/$1 crashes=test/fuzz/crashes/$1
  local log=$build/work/$1.log arguments=()
  test -f "test/fuzz/$name.dict" && arguments+=("-dict=test/fuzz/$name.dict")
  local command=("$build/bin/${name}_fuzz" "$work" "test/fuzz/corpus/$name" -max_len=8192
    -rss_limit_mb=1024 -malloc_limit_mb=512 -print_final_stats=1 "-artifact_prefix=$crashes/"
    "${arguments[@]}")
  if test -z "$cpu_seconds"; then
    "${command[@]}" "-max_total_time=$seconds" -timeout=10 >"$log" 2>&1
    return
  fi
  # The kernel ends it when its time is up. -timeout is by the clock, and at this priority a short
  # step may take long by it.
  local status=0
  (ulimit -S -t "$cpu_seconds" && exec chrt --idle 0 "${command[@]}" -timeout=900) \
    >"$log" 2>&1 || status=$?
  test "$status" = $((128 + $(kill -l XCPU)))
}

running=()
failed=()
finish_one() {
  local name=${running[0]%%:*} pid=${running[0]##*:} verdict=clean
  running=("${running[@]:1}")
  if ! wait "$pid"; then
    verdict=FAILED
    failed+=("$name")
    tail -n 40 "$build/work/$name.log" >&2
  fi
  printf '%-24s %-7s %s\n' "$name" "$verdict" \
    "$(awk '/^#[0-9]/ {runs = substr($1, 2); sub(/.*cov: /, ""); cover = $1}
            END {printf "%d runs, %d edges", runs, cover}' \
      "$build/work/$name.log")"
}
for name in "${targets[@]}"; do
  mkdir -p "$build/work/$name" "test/fuzz/crashes/$name" "test/fuzz/corpus/$name"
done
for name in "${targets[@]}"; do
  test ${#running[@]} -lt "$jobs" || finish_one
  fuzz "$name" &
  running+=("$name:$!")
done
while test ${#running[@]} -gt 0; do finish_one; done
# Only now: whoever began would have made a folder while another one took its parent away.
rmdir --ignore-fail-on-non-empty test/fuzz/crashes/* test/fuzz/crashes

if test "$merge" = yes; then
  for name in "${targets[@]}"; do
    "$build/bin/${name}_fuzz" -merge=1 "test/fuzz/corpus/$name" "$build/work/$name" 2>/dev/null
  done
fi
if test ${#failed[@]} -gt 0; then
  echo "crashing inputs are in test/fuzz/crashes/: ${failed[*]}" >&2
  exit 1
fi
