# Real daemons behind real masquerading routers, in network namespaces; needs root. Label "nat".
file(GLOB nat_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/test_*.py)
if(TARGET riftbus-node AND TARGET riftbus AND TARGET riftbus-relay)
  foreach(script ${nat_tests})
    get_filename_component(name ${script} NAME_WE)
    string(REGEX REPLACE "^test_" "" name ${name})
    add_test(NAME nat.${name} COMMAND ${DEBIAN_PYTHON} ${script} --verbose)
    set_tests_properties(nat.${name} PROPERTIES LABELS nat TIMEOUT 400 RESOURCE_LOCK live
      SKIP_REGULAR_EXPRESSION "SKIPPED, NOTHING WAS TESTED"
      ENVIRONMENT "RIFTBUS_BIN=$<TARGET_FILE_DIR:riftbus-node>;PYTHONDONTWRITEBYTECODE=1")
  endforeach()
endif()
