# chisoctl is a program, not a library: its files but main are linked into its own test.
file(GLOB ctl_parts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/daemon/ctl/*.c)
list(FILTER ctl_parts EXCLUDE REGEX "/(main|xlsx[^/]*)\\.c$")
add_executable(test-chisoctl ${CMAKE_CURRENT_LIST_DIR}/test-chisoctl.c ${ctl_parts})
target_compile_options(test-chisoctl PRIVATE "SHELL:-iquote ${CMAKE_SOURCE_DIR}/daemon"
                       "SHELL:-iquote ${CMAKE_SOURCE_DIR}/tests/unit")
target_link_libraries(test-chisoctl PRIVATE chiso_app chiso_xlsx PkgConfig::CMOCKA)
add_test(NAME unit/test-chisoctl COMMAND test-chisoctl)
set_tests_properties(unit/test-chisoctl PROPERTIES TIMEOUT 120)

# Workbooks made by libxlsxwriter, and by hand where it writes no such thing.
pkg_check_modules(XLSXWRITER REQUIRED IMPORTED_TARGET xlsxwriter)
add_executable(test-xlsx ${CMAKE_CURRENT_LIST_DIR}/test-xlsx.c)
target_compile_options(test-xlsx PRIVATE "SHELL:-iquote ${CMAKE_SOURCE_DIR}/daemon")
target_compile_definitions(test-xlsx PRIVATE CHISO_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
target_link_libraries(test-xlsx PRIVATE chiso_xlsx PkgConfig::XLSXWRITER PkgConfig::LIBARCHIVE PkgConfig::CMOCKA)
add_test(NAME unit/test-xlsx COMMAND test-xlsx)
set_tests_properties(unit/test-xlsx PROPERTIES TIMEOUT 120)
