# What tests break the daemon with (tests/faults/iofault.c says how).
add_library(iofault MODULE faults/iofault.c)
set_target_properties(iofault PROPERTIES PREFIX "")
target_compile_options(iofault PRIVATE -fno-sanitize=all -U_FORTIFY_SOURCE)
target_link_options(iofault PRIVATE -fno-sanitize=all)
target_link_libraries(iofault PRIVATE dl)
