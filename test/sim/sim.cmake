# The simulator: pure cores in virtual time. It links the membership room and what that stands on,
# no libzmq, no database, no log; with --as-needed a core that began to use a library would bring it
# into the program, and sim_purity would fail.
file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sim/*.cpp)
list(FILTER sim_sources EXCLUDE REGEX "(main|_test)\\.cpp$")
add_library(riftbus_sim STATIC ${sim_sources})
target_link_libraries(riftbus_sim PUBLIC riftbus_membership)
add_library(sim_main OBJECT ${CMAKE_CURRENT_SOURCE_DIR}/sim/main.cpp)
target_link_libraries(sim_main PRIVATE riftbus_sim)
add_executable(riftbus-sim $<TARGET_OBJECTS:sim_main>)
target_link_libraries(riftbus-sim PRIVATE riftbus_sim)
target_link_options(riftbus-sim PRIVATE -Wl,--as-needed)

file(GLOB sim_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sim/*_test.cpp)
add_executable(test_sim ${sim_tests})
target_link_libraries(test_sim PRIVATE riftbus_sim GTest::gtest_main)
gtest_discover_tests(test_sim DISCOVERY_TIMEOUT 600 PROPERTIES LABELS unit TIMEOUT 300)

function(sim_test name)
  cmake_parse_arguments(SIM "" "TIMEOUT;PROCESSORS" "COMMAND" ${ARGN})
  add_test(NAME ${name} COMMAND ${SIM_COMMAND})
  set_tests_properties(${name} PROPERTIES LABELS sim TIMEOUT ${SIM_TIMEOUT}
    PROCESSORS ${SIM_PROCESSORS})
endfunction()

sim_test(sim_purity TIMEOUT 60 PROCESSORS 1
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sim/purity.sh $<TARGET_FILE:riftbus-sim>
          $<TARGET_FILE:riftbus_membership>)

# Golden scenarios; to regenerate: riftbus-sim script --rewrite test/scripts/membership/*.txt
file(GLOB golden CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/scripts/membership/*.txt)
sim_test(golden_membership TIMEOUT 120 PROCESSORS 1 COMMAND riftbus-sim script ${golden})

# Seeds: RIFTBUS_SIM_SEEDS=20000 ctest -L sim runs that many of chaos and a sixtieth of each story.
if(RIFTBUS_SANITIZE)
  set(sim_chaos_seeds 100)
  set(sim_story_seeds 3)
else()
  set(sim_chaos_seeds 2500)
  set(sim_story_seeds 22)
endif()
sim_test(sim_chaos TIMEOUT 3600 PROCESSORS 2
  COMMAND riftbus-sim --scenario chaos --seeds 1..${sim_chaos_seeds} --seeds-env 1 --jobs 2)
sim_test(sim_stories TIMEOUT 3600 PROCESSORS 2
  COMMAND riftbus-sim --scenario fast --seeds 1..${sim_story_seeds} --seeds-env 60 --jobs 2)

if(NOT RIFTBUS_SANITIZE)
  sim_test(sim_one_hour_of_loss_kills_nobody TIMEOUT 900 PROCESSORS 1
    COMMAND riftbus-sim --scenario lossy-wan --nodes 50 --minutes 60 --seed 1)
  sim_test(sim_paused_watchers_of_50_kill_nobody TIMEOUT 300 PROCESSORS 2
    COMMAND riftbus-sim --scenario paused-watcher --nodes 50 --seeds 1..4 --jobs 2)
  sim_test(sim_50_wiped_disks_are_alive_within_a_minute TIMEOUT 300 PROCESSORS 2
    COMMAND riftbus-sim --scenario restart-wiped --nodes 50 --seeds 1..4 --jobs 2)
  sim_test(sim_halves_of_50_are_whole_within_15_s TIMEOUT 300 PROCESSORS 2
    COMMAND riftbus-sim --scenario partition --nodes 50 --seeds 1..4 --jobs 2)
  # The figures at 50, 200 and 1000 nodes take minutes: riftbus-sim report

  # The test of the tests. Compiled at -O1: it is the time that counts.
  find_program(DEBIAN_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
  sim_test(sim_catches_planted_bugs TIMEOUT 1800 PROCESSORS 2
    COMMAND ${DEBIAN_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutants.py
            --source ${CMAKE_SOURCE_DIR} --scripts ${CMAKE_SOURCE_DIR}/test/scripts/membership
            --build ${CMAKE_BINARY_DIR}/mutants
            --compiler ${CMAKE_CXX_COMPILER} --flag=-DMSGPACK_NO_BOOST
            --flag=-DMSGPACK_DISABLE_LEGACY_NIL --flag=-D_GLIBCXX_ASSERTIONS
            --link=$<TARGET_OBJECTS:sim_main> --link=-Wl,--as-needed
            --link=$<TARGET_FILE:riftbus_sim> --link=$<TARGET_FILE:riftbus_membership>
            --link=$<TARGET_FILE:riftbus_wire> --link=$<TARGET_FILE:riftbus_config>
            --link=-lxxhash --jobs 2)
endif()
