# The simulator: pure cores in virtual time. It links the membership room and nothing below it but
# the codec: with --as-needed, a core that began to use a socket, a log or a database would bring
# its library into the program, and sim_links_nothing_impure would fail.
file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sim/*.cpp)
list(FILTER sim_sources EXCLUDE REGEX "main\\.cpp$")
list(FILTER sim_sources EXCLUDE REGEX "_test\\.cpp$")
add_library(riftbus_sim STATIC ${sim_sources})
target_link_libraries(riftbus_sim PUBLIC riftbus_membership)
add_executable(riftbus-sim ${CMAKE_CURRENT_SOURCE_DIR}/sim/main.cpp)
target_link_libraries(riftbus-sim PRIVATE riftbus_sim)
target_link_options(riftbus-sim PRIVATE -Wl,--as-needed)
