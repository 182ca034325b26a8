# The architecture as tests; format and tidy need clang's tools and run by hand and in CI.
set(check ${CMAKE_CURRENT_SOURCE_DIR}/check)
add_test(NAME check/arrows COMMAND ${check}/arrows ${CMAKE_SOURCE_DIR})
add_test(NAME check/pure COMMAND ${check}/pure ${CMAKE_BINARY_DIR})
add_test(NAME check/selftest COMMAND ${check}/selftest arrows pure tally units)
set_tests_properties(check/arrows check/pure check/selftest PROPERTIES TIMEOUT 600)
add_test(NAME check/units COMMAND ${check}/units ${CMAKE_SOURCE_DIR})
set_tests_properties(check/units PROPERTIES TIMEOUT 600)
