# chisoctl is a program, not a library: its files but main are linked into its own test.
file(GLOB ctl_parts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/daemon/ctl/*.c)
list(FILTER ctl_parts EXCLUDE REGEX "/main\\.c$")
add_executable(test-chisoctl ${CMAKE_CURRENT_LIST_DIR}/test-chisoctl.c ${ctl_parts})
target_compile_options(test-chisoctl PRIVATE "SHELL:-iquote ${CMAKE_SOURCE_DIR}/daemon"
                       "SHELL:-iquote ${CMAKE_SOURCE_DIR}/tests/unit")
target_link_libraries(test-chisoctl PRIVATE chiso_app PkgConfig::CMOCKA)
add_test(NAME unit/test-chisoctl COMMAND test-chisoctl)
set_tests_properties(unit/test-chisoctl PROPERTIES TIMEOUT 120)
