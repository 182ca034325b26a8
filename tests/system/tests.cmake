# The whole service as Debian and systemd see it, in a machine that boots for it. Sanitizers want system calls that the sandbox denies.
add_executable(system-probe ${CMAKE_CURRENT_LIST_DIR}/probe.c)
if(CHISO_TEST_HOOKS AND NOT CHISO_SANITIZE AND NOT CHISO_COVERAGE)
        add_test(NAME system/systemd COMMAND ${CMAKE_CURRENT_LIST_DIR}/run ${CMAKE_BINARY_DIR})
        set_tests_properties(system/systemd PROPERTIES TIMEOUT 900 RUN_SERIAL ON)
endif()
