# Drivers of the benches in this folder. Built with the tests: what is built on demand only, rots.
# queue_load is the exception: its package (etcd's transport) is not one of the tests'.
set(bus_bench_sources bus_bench.cpp bus_bench_bare.cpp bus_bench_measure.cpp bus_bench_ours.cpp)
list(TRANSFORM bus_bench_sources PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/bench/)
add_executable(bus_bench ${bus_bench_sources})
target_link_libraries(bus_bench PRIVATE riftbus_bus)

# The load of queue.sh; only where etcd's transport is installed (deploy/install-packages.sh queue).
pkg_check_modules(grpcpp QUIET IMPORTED_TARGET grpc++)
if(grpcpp_FOUND)
  file(GLOB queue_load_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/bench/queue_load*.cpp)
  add_executable(queue_load EXCLUDE_FROM_ALL ${queue_load_sources})
  target_link_libraries(queue_load PRIVATE riftbus_bus riftbus_work PkgConfig::grpcpp)
endif()

add_executable(queue_size ${CMAKE_CURRENT_SOURCE_DIR}/bench/queue_size.cpp)
target_link_libraries(queue_size PRIVATE riftbus_node)

if(TARGET riftbus_tunnel)
  add_executable(tunnel_crowd ${CMAKE_CURRENT_SOURCE_DIR}/bench/tunnel_crowd.cpp)
  target_link_libraries(tunnel_crowd PRIVATE riftbus_tunnel)
endif()
