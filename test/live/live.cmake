# Tests with real processes, real keys and real sockets: live.* on loopback and in namespaces, nat.*
# behind routers that masquerade (test/nat; needs root). Two of each at a time, if ctest has the
# room: each starts a cluster of its own, and waits for clocks more than it computes. They begin
# first, for everything else fills the time that they leave.
find_program(DEBIAN_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
function(riftbus_scripts label lanes)
  set(number 0)
  file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${label}/test_*.py)
  foreach(script ${scripts})
    get_filename_component(name ${script} NAME_WE)
    string(REGEX REPLACE "^test_" "${label}." name ${name})
    math(EXPR number "(${number} + 1) % ${lanes}")
    add_test(NAME ${name} COMMAND ${DEBIAN_PYTHON} ${script} --verbose)
    set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 400 COST 100
      RESOURCE_LOCK ${label}${number} SKIP_REGULAR_EXPRESSION "SKIPPED, NOTHING WAS TESTED"
      ENVIRONMENT "RIFTBUS_BIN=$<TARGET_FILE_DIR:riftbus-node>;PYTHONDONTWRITEBYTECODE=1")
  endforeach()
endfunction()
if(TARGET riftbus-node AND TARGET riftbus)
  riftbus_scripts(live 2)
  if(TARGET riftbus-relay)
    riftbus_scripts(nat 2)
  endif()
endif()
