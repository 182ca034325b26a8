# Rule tests, each named after the failure that it prevents: real judging, telling and booking on a virtual clock.
file(GLOB scenarios CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/scenarios/*.rules)
foreach(scenario IN LISTS scenarios)
        get_filename_component(name ${scenario} NAME_WE)
        add_test(NAME scenario/${name}
                COMMAND ${CMAKE_COMMAND} -E env CHISO_SHARE_DIR=${CMAKE_SOURCE_DIR}/conf
                        $<TARGET_FILE:chisoctl> rules test ${scenario})
endforeach()
