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
# What they run is compiled beside the tests that wait for clocks, on processors nobody else wants.
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
fuzz_seconds=${RIFTBUS_FUZZ_SECONDS:-10}

fail() {
  echo "test/run.sh: $1" >&2
  exit "${2:-1}"
}
while test $# -gt 0; do
  case $1 in
    -h | --help) sed -n '2,22s/^# \{0,1\}//p' "$0" && exit 0 ;;
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
asan_programs="test_(config|bus_wire|tunnel_session)|test_node_(membership|consensus|work|replica"
asan_programs+="|disk|jobs)|riftbus-sim"
tsan_programs="test_(bus|bus_tap|bus_http|relay_front|node_(mesh|quorum|api|disk|http))"

build_asan() {
  configure_sanitizer fuzz
  mapfile -t programs < <(test_programs fuzz "$asan_programs")
  cmake --build build/fuzz -j "$jobs" --target "${programs[@]}"
}

build_tsan() {
  configure_sanitizer tsan
  mapfile -t programs < <(test_programs tsan "$tsan_programs")
  cmake --build build/tsan -j "$jobs" --target "${programs[@]}"
}

# For all stages together.
stage_build() {
  local programs
  build_asan
  build_tsan
  cmake --build build/fuzz -j "$jobs" --target fuzzers
}

# run_all FOLDER: each of ${programs[@]} in it, as many at a time as there are jobs; what one says
# stands together.
run_all() {
  printf '%s\0' "${programs[@]/#/$1/}" | xargs -0 -P "$jobs" -n 1 bash -c 'run_one "$@"' -
}
run_one() {
  local said status=0
  said=$("$1" --gtest_brief=1 2>&1) || status=$?
  printf '== %s\n%s\n' "$1" "$said"
  return "$status"
}
export -f run_one

stage_asan() {
  local programs some=$((seeds / 20 > 0 ? seeds / 20 : 1))
  build_asan
  mapfile -t programs < <(printf '%s\n' "${programs[@]}" | grep -v riftbus-sim)
  export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
  run_all build/fuzz/bin
  build/fuzz/bin/riftbus-sim script test/scripts/membership/*.txt
  build/fuzz/bin/riftbus-sim --scenario chaos --seeds "1..$some" --jobs "$jobs"
}

stage_tsan() {
  local programs
  build_tsan
  TSAN_OPTIONS="suppressions=$root/test/lint/tsan_suppressions.txt halt_on_error=0 exitcode=66"
  export TSAN_OPTIONS
  run_all build/tsan/bin
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
  # Newer kernels randomise more of the address space than clang 14's runtimes expect.
  if test -z "${RIFTBUS_FIXED_ADDRESSES:-}" && setarch -R true 2>/dev/null; then
    RIFTBUS_FIXED_ADDRESSES=yes exec setarch -R "$root/test/run.sh" --stage "$stage"
  fi
  case $stage in
    build | asan | tsan | fuzz | tidy) "stage_$stage" ;;
    tidy-full) stage_tidy --tests ;;
    *) fail "no stage called $stage: build, asan, tsan, fuzz, tidy, tidy-full" 64 ;;
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
add_stage() {
  echo "add_test(stage.$1 ${3:-} \"$root/test/run.sh\" --stage $1)"
  echo "set_tests_properties(stage.$1 PROPERTIES LABELS stage TIMEOUT 4800 $2)"
}
mkdir -p build/all
{
  echo 'subdirs("../release")'
  if test "$quick" = no; then
    # At the lowest priority there is: tests of live clusters wait for clocks most of the time.
    add_stage build "COST 1000 FIXTURES_SETUP sanitizers" "chrt --idle 0"
    # One at a time: two of them use one build folder, and one opens real sockets.
    for name in asan tsan fuzz; do
      add_stage $name "PROCESSORS $jobs RESOURCE_LOCK sanitizers FIXTURES_REQUIRED sanitizers"
    done
  fi
} >build/all/CTestTestfile.cmake
say "tests ($seeds simulator seeds); stages print when they end"
# More than there are processors, for the same reason: two live clusters, two networks, a compiler.
ctest --test-dir build/all --output-on-failure -j $((jobs + 3))
