#!/bin/bash
# Runs every test: test/run.sh [--quick] [--seeds N] [--jobs N] [--stage NAME] [--help]
#
# Installs what is missing (deploy/packages.txt), builds the release, then lets ctest run its tests
# (labels unit, sim, golden, live, lint, fuzz) and the stages below, so that ctest's own summary is
# the last thing on the screen. Works as root and as a user with sudo. Exit 0: everything passed.
#
#   --quick        only the release build and its tests, with 200 simulator seeds
#   --seeds N      seeds of the simulator's chaos (default 2500; with N/60 of each of 28 stories,
#                  3648 runs); the asan stage runs N/20 of chaos
#   --jobs N       parallel work (default: processors)
#   --stage NAME   one stage alone, with its output: asan, tsan, fuzz, tidy, tidy-full
#
# asan, tsan and fuzz belong to the default run; tidy is run by name, as it takes as long again.
#
#   asan   AddressSanitizer and UBSan on the cores, the formats and the simulator
#   tsan   ThreadSanitizer on the threaded parts: bus, tap, detours, HTTP, daemon
#   fuzz   each fuzz target for a short time (test/fuzz/run.sh runs them for long)
#   tidy   clang-tidy on sources that changed since it last found them clean, without its
#          path-sensitive analyzer; --stage tidy-full adds that, and takes three times as long
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

quick=no
stage=
seeds=${RIFTBUS_SIM_SEEDS:-}
jobs=${RIFTBUS_JOBS:-$(nproc)}
fuzz_seconds=${RIFTBUS_FUZZ_SECONDS:-15}

fail() {
  echo "test/run.sh: $1" >&2
  exit "${2:-1}"
}
while test $# -gt 0; do
  case $1 in
    -h | --help) sed -n '2,21s/^# \{0,1\}//p' "$0" && exit 0 ;;
    --quick) quick=yes ;;
    --seeds | --jobs | --stage)
      test $# -gt 1 || fail "$1 needs a value" 64
      case $1 in --seeds) seeds=$2 ;; --jobs) jobs=$2 ;; *) stage=$2 ;; esac
      shift ;;
    *) fail "unknown option $1, see --help" 64 ;;
  esac
  shift
done
if test -z "$seeds"; then
  seeds=2500  # of chaos, and a sixtieth of each of 28 stories: 3648 runs
  test "$quick" = no || seeds=200
fi
export RIFTBUS_SIM_SEEDS=$seeds RIFTBUS_JOBS=$jobs RIFTBUS_FUZZ_SECONDS=$fuzz_seconds
export CLICOLOR=0

# Another clone of this repository finds what this one has compiled.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

# configure PRESET [OPTION...]: cmake's words only matter if it fails.
configure() {
  local words
  words=$(cmake --preset "$@" 2>&1) || { echo "$words" && return 1; }
}

# Test programs of a build folder whose names match a pattern.
test_programs() {
  ninja -C "build/$1" -t targets all | sed -n 's/^\([a-z_-]*\): phony$/\1/p' | grep -E "^($2)$"
}

# Sanitizers at -O1 with line numbers: half the time of -O2 -g, and the reports stay exact.
configure_sanitizer() {
  configure "$1" "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1 -DNDEBUG" \
    -DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld
}

# The pure cores and everything that reads bytes from outside; GoogleTest programs run whole, the
# simulator with a twentieth of the seeds. It is the fuzz targets' build that is used: compiling
# everything once more with the same sanitizers would cost minutes and find nothing else.
stage_asan() {
  configure_sanitizer fuzz
  local programs program some=$((seeds / 20 > 0 ? seeds / 20 : 1))
  local cores='membership|consensus|work|replica|disk|jobs'
  mapfile -t programs < <(test_programs fuzz \
    "test_(config|bus_wire|tunnel_session)|test_node_($cores)|riftbus-sim")
  cmake --build build/fuzz -j "$jobs" --target "${programs[@]}"
  export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
  for program in "${programs[@]}"; do
    test "$program" != riftbus-sim || continue
    echo "== $program"
    "build/fuzz/bin/$program" --gtest_brief=1
  done
  build/fuzz/bin/riftbus-sim script test/scripts/membership/*.txt
  build/fuzz/bin/riftbus-sim --scenario chaos --seeds "1..$some" --jobs "$jobs"
}

stage_tsan() {
  # Newer kernels randomise more of the address space than clang 14's runtime expects.
  local fixed_addresses=()
  ! setarch -R true 2>/dev/null || fixed_addresses=(setarch -R)
  configure_sanitizer tsan
  local programs
  local threaded='bus|bus_tap|bus_http|relay_front|node_(mesh|quorum|api|disk|http)'
  mapfile -t programs < <(test_programs tsan "test_($threaded)")
  "${fixed_addresses[@]}" cmake --build build/tsan -j "$jobs" --target "${programs[@]}"
  local program
  for program in "${programs[@]}"; do
    echo "== $program"
    TSAN_OPTIONS="suppressions=$root/test/lint/tsan_suppressions.txt halt_on_error=0 exitcode=66" \
      "${fixed_addresses[@]}" "build/tsan/bin/$program" --gtest_brief=1
  done
}

stage_fuzz() {
  configure_sanitizer fuzz
  test/fuzz/run.sh "$fuzz_seconds"
}

stage_tidy() {
  configure release -B build/tidy -DRIFTBUS_TESTS=ON -DRIFTBUS_UNITY=OFF
  test/lint/tidy.py build/tidy --jobs "$jobs" "${1:---quick}"
}

if test -n "$stage"; then
  case $stage in
    asan | tsan | fuzz | tidy) "stage_$stage" ;;
    tidy-full) stage_tidy --tests ;;
    *) fail "no stage called $stage: asan, tsan, fuzz, tidy, tidy-full" 64 ;;
  esac
  exit
fi

started=$SECONDS
say() { printf '== %4d s  %s\n' $((SECONDS - started)) "$1"; }

# Under sudo the build folder must not end up belonging to root.
give_back() {
  if test -n "${SUDO_UID:-}" && test -d build; then chown -R "$SUDO_UID:$SUDO_GID" build; fi
}
trap give_back EXIT

say "packages"
deploy/install-packages.sh build test
say "release build"
configure release -DRIFTBUS_TESTS=ON  # deploy/demo.sh may have made this folder without
cmake --build build/release -j "$jobs"

# A folder of tests made of the release build's own and of the stages, for one summary at the end.
# The others are run by name; see the list above.
stages="asan tsan fuzz"
test "$quick" = no || stages=
mkdir -p build/all
{
  echo 'subdirs("../release")'
  for name in $stages; do
    echo "add_test(stage.$name \"$root/test/run.sh\" --stage $name)"
    echo "set_tests_properties(stage.$name PROPERTIES LABELS stage RUN_SERIAL TRUE TIMEOUT 1500)"
  done
} >build/all/CTestTestfile.cmake
say "tests ($seeds simulator seeds); stages print when they end"
# One more than there are processors: live tests wait for clocks most of the time.
ctest --test-dir build/all --output-on-failure -j $((jobs + 1))
