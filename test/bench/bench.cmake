# Drivers of the benches in this folder; built only on demand (test/bench/bus.sh does).
add_executable(bus_bench EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/bench/bus_bench.cpp)
target_link_libraries(bus_bench PRIVATE riftbus_bus)
