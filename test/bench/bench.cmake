# Drivers of the benches in this folder; built only on demand (test/bench/bus.sh does).
set(bus_bench_sources bus_bench.cpp bus_bench_bare.cpp bus_bench_measure.cpp bus_bench_ours.cpp)
list(TRANSFORM bus_bench_sources PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/bench/)
add_executable(bus_bench EXCLUDE_FROM_ALL ${bus_bench_sources})
target_link_libraries(bus_bench PRIVATE riftbus_bus)
