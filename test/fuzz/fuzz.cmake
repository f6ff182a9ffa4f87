# Fuzz targets: each test/fuzz/NAME_fuzz.cpp defines LLVMFuzzerTestOneInput and links the libraries
# of the folders that it includes.
#
# With RIFTBUS_FUZZ (preset "fuzz", clang) they are libFuzzer programs for test/fuzz/run.sh. In any
# other build they replay test/fuzz/corpus/NAME/ as a test, label "fuzz": every input that ever
# taught us something is a regression test under each compiler and sanitizer.
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*_fuzz.cpp)
set(fuzz_dir ${CMAKE_CURRENT_LIST_DIR})
set(fuzz_targets)

# riftbus_rooms_included(variable file): the libraries behind the #include "..." lines of a file.
function(riftbus_rooms_included variable source)
  set(rooms)
  foreach(pair "node/membership=riftbus_membership" "node/ctl=riftbus_ctl"
          "node/disk=riftbus_disk" "node/consensus=riftbus_consensus" "node/work=riftbus_work"
          "node/replica=riftbus_replica" "node/carry=riftbus_carry"
          "node/mesh=riftbus_node" "node/quorum=riftbus_node" "node/api=riftbus_node"
          "node/http=riftbus_node"
          "node=riftbus_node"
          "relay/gate=riftbus_relay_gate" "relay/front=riftbus_relay_front"
          "bus/http=riftbus_http"
          "bus/wire=riftbus_wire" "bus/tap=riftbus_tap" "bus=riftbus_bus" "config=riftbus_config")
    string(REPLACE "=" ";" pair ${pair})
    list(GET pair 0 folder)
    list(GET pair 1 room)
    file(STRINGS ${source} found REGEX "^#include \"${folder}/[^/]*\"")
    if(found)
      list(APPEND rooms ${room})
    endif()
  endforeach()
  set(${variable} ${rooms} PARENT_SCOPE)
endfunction()

foreach(source ${fuzz_sources})
  get_filename_component(name ${source} NAME_WE)
  riftbus_rooms_included(rooms ${source})
  if("riftbus_relay_front" IN_LIST rooms AND NOT TARGET riftbus_relay_front)
    continue()  # without libssh
  endif()
  string(REGEX REPLACE "_fuzz$" "" corpus_name ${name})
  if(RIFTBUS_FUZZ)
    add_executable(${name} ${source})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${source} ${fuzz_dir}/replay_main.cpp)
    add_test(NAME fuzz.${corpus_name} COMMAND ${name} ${fuzz_dir}/corpus/${corpus_name})
    set_tests_properties(fuzz.${corpus_name} PROPERTIES LABELS fuzz TIMEOUT 300)
  endif()
  target_link_libraries(${name} PRIVATE ${rooms})
  list(APPEND fuzz_targets ${name})
endforeach()
add_custom_target(fuzzers DEPENDS ${fuzz_targets})
