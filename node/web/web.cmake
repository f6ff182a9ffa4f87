# The files of node/web/dist as data of the program. GCC 12 has no #embed, but the assembler has
# .incbin.
enable_language(ASM)
set(web_dist ${CMAKE_SOURCE_DIR}/node/web/dist)
set(web_source ${CMAKE_BINARY_DIR}/web_assets.S)
set(web_text "")
set(web_files)
foreach(name index.html app.js app.css icon.svg)
  string(REPLACE "." "_" symbol riftbus_web_${name})
  list(APPEND web_files ${web_dist}/${name})
  string(APPEND web_text
    "  .section .rodata\n  .global ${symbol}\n  .global ${symbol}_end\n  .balign 16\n"
    "${symbol}:\n  .incbin \"${web_dist}/${name}\"\n${symbol}_end:\n  .byte 0\n")
endforeach()
string(APPEND web_text "  .section .note.GNU-stack,\"\",%progbits\n")
file(CONFIGURE OUTPUT ${web_source} CONTENT "${web_text}" @ONLY)
set_source_files_properties(${web_source} PROPERTIES OBJECT_DEPENDS "${web_files}")
add_library(riftbus_web_files OBJECT ${web_source})

riftbus_room(riftbus_web node/web LINK riftbus_http)
target_sources(riftbus_web PRIVATE $<TARGET_OBJECTS:riftbus_web_files>)
