# Tests with real processes, real keys and real sockets on loopback, label "live". One at a time:
# they measure time, and each starts a cluster of its own.
find_program(DEBIAN_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
file(GLOB live_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/test_*.py)
if(TARGET riftbus-node AND TARGET riftbus)
  foreach(script ${live_tests})
    get_filename_component(name ${script} NAME_WE)
    string(REGEX REPLACE "^test_" "" name ${name})
    add_test(NAME live.${name} COMMAND ${DEBIAN_PYTHON} ${script} --verbose)
    set_tests_properties(live.${name} PROPERTIES LABELS live TIMEOUT 400 RESOURCE_LOCK live
      SKIP_REGULAR_EXPRESSION "SKIPPED, NOTHING WAS TESTED"
      ENVIRONMENT "RIFTBUS_BIN=$<TARGET_FILE_DIR:riftbus-node>;PYTHONDONTWRITEBYTECODE=1")
  endforeach()
endif()
