# The house rules as tests, label "lint". clang-tidy takes minutes on a first run and is a stage of
# test/run.sh instead (test/lint/tidy.py).
find_program(DEBIAN_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
set(lint_dir ${CMAKE_CURRENT_LIST_DIR})

add_test(NAME lint.layering COMMAND ${DEBIAN_PYTHON} ${lint_dir}/layering.py ${CMAKE_SOURCE_DIR})
add_test(NAME lint.layering_notices COMMAND ${DEBIAN_PYTHON} ${lint_dir}/layering.py --self-test)
add_test(NAME lint.format COMMAND ${DEBIAN_PYTHON} ${lint_dir}/format.py cpp)
add_test(NAME lint.shellcheck COMMAND ${DEBIAN_PYTHON} ${lint_dir}/format.py shell)
set_tests_properties(lint.layering lint.layering_notices lint.format lint.shellcheck
  PROPERTIES LABELS lint TIMEOUT 120)
