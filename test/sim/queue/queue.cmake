# The simulator of consensus, queue and workers: the daemon's own pure cores in virtual time.
file(GLOB queue_sim_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sim/queue/*.cpp)
list(FILTER queue_sim_sources EXCLUDE REGEX "main\\.cpp$")
add_library(riftbus_queue_sim STATIC ${queue_sim_sources}
  ${CMAKE_CURRENT_SOURCE_DIR}/node/work/checker.cpp)
target_link_libraries(riftbus_queue_sim PUBLIC riftbus_sim riftbus_replica riftbus_jobs)
# Almost all of its time is spent in the cores; compiling is what costs here.
target_compile_options(riftbus_queue_sim PRIVATE -O1)
add_library(queue_sim_main OBJECT ${CMAKE_CURRENT_SOURCE_DIR}/sim/queue/main.cpp)
target_link_libraries(queue_sim_main PRIVATE riftbus_queue_sim)
add_executable(riftbus-queue-sim $<TARGET_OBJECTS:queue_sim_main>)
target_link_libraries(riftbus-queue-sim PRIVATE riftbus_queue_sim)
target_link_options(riftbus-queue-sim PRIVATE -Wl,--as-needed)

# Golden scripts; to regenerate: riftbus-queue-sim script --rewrite test/scripts/queue/*.txt
file(GLOB queue_scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/scripts/queue/*.txt)
sim_test(golden_queue TIMEOUT 120 PROCESSORS 1 COMMAND riftbus-queue-sim script ${queue_scripts})

# 2,000 seeds, or RIFTBUS_SIM_SEEDS of them.
if(RIFTBUS_SANITIZE)
  set(queue_sim_seeds 60)
else()
  set(queue_sim_seeds 2000)
endif()
sim_test(sim_log_chaos TIMEOUT 3600 PROCESSORS 2
  COMMAND riftbus-queue-sim --scenario log-chaos --seeds 1..${queue_sim_seeds} --seeds-env 1
          --jobs 2)

if(NOT RIFTBUS_SANITIZE)
  # The test of the tests, as for the simulator of membership.
  sim_test(sim_queue_catches_planted_bugs TIMEOUT 1800 PROCESSORS 2
    COMMAND ${DEBIAN_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/sim/mutants.py
            --source ${CMAKE_SOURCE_DIR} --build ${CMAKE_BINARY_DIR}/mutants_queue
            --mutants test/sim/queue/mutants --scripts ${CMAKE_CURRENT_SOURCE_DIR}/scripts/queue
            --seeds 600 --compiler ${CMAKE_CXX_COMPILER} --flag=-DMSGPACK_NO_BOOST
            --flag=-DMSGPACK_DISABLE_LEGACY_NIL --flag=-D_GLIBCXX_ASSERTIONS
            --link=$<TARGET_OBJECTS:queue_sim_main> --link=-Wl,--as-needed
            --link=$<TARGET_FILE:riftbus_queue_sim> --link=$<TARGET_FILE:riftbus_sim>
            --link=$<TARGET_FILE:riftbus_replica> --link=$<TARGET_FILE:riftbus_jobs>
            --link=$<TARGET_FILE:riftbus_work> --link=$<TARGET_FILE:riftbus_consensus>
            --link=$<TARGET_FILE:riftbus_membership> --link=$<TARGET_FILE:riftbus_wire>
            --link=$<TARGET_FILE:riftbus_config> --link=-lxxhash --jobs 2)
endif()

# Found once, by 100,000 seeds.
foreach(seed 31883 60377 80504 84975)
  sim_test(sim_log_chaos_seed_${seed} TIMEOUT 120 PROCESSORS 1
    COMMAND riftbus-queue-sim --scenario log-chaos --seed ${seed})
endforeach()
