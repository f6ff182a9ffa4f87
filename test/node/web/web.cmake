# The dashboard's own tests, where node and npm are installed: its pure functions, and whether the
# committed build is what its sources give.
riftbus_tests(node/web riftbus_web)
find_program(NODE_PROGRAM node)
find_program(NPM_PROGRAM npm)
if(NODE_PROGRAM)
  file(GLOB web_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.test.mjs)
  add_test(NAME web.functions COMMAND ${NODE_PROGRAM} --test ${web_tests})
  set_tests_properties(web.functions PROPERTIES LABELS unit TIMEOUT 60)
endif()
if(NODE_PROGRAM AND NPM_PROGRAM)
  add_test(NAME web.build_is_current COMMAND ${CMAKE_CURRENT_LIST_DIR}/compare_build.sh)
  # Without a registry to get the packages from, it is skipped.
  set_tests_properties(web.build_is_current PROPERTIES LABELS web TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
