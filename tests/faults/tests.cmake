# What tests break the daemon with (tests/faults/iofault.c says how).
add_library(iofault MODULE faults/iofault.c)
set_target_properties(iofault PROPERTIES PREFIX "")
target_compile_options(iofault PRIVATE -fno-sanitize=all -U_FORTIFY_SOURCE)
target_link_options(iofault PRIVATE -fno-sanitize=all)
target_link_libraries(iofault PRIVATE dl)

# The store alone, in one process: each file call, each allocation, each write before a power cut.
add_executable(sweep-store faults/sweep-store.c faults/vfs.c)
target_compile_options(sweep-store PRIVATE "SHELL:-iquote ${CMAKE_SOURCE_DIR}/daemon" "SHELL:-iquote ${CMAKE_CURRENT_SOURCE_DIR}")
target_link_libraries(sweep-store PRIVATE chiso_store)
target_link_options(sweep-store PRIVATE LINKER:--wrap=malloc LINKER:--wrap=calloc LINKER:--wrap=realloc
        LINKER:--wrap=reallocarray LINKER:--wrap=strdup)
# Here a seeded part of the points; all of them: sweep-store io|memory|power FOLDER.
foreach(row IN ITEMS "io;every=80" "memory;every=1200" "power;every=5")
        list(GET row 0 kind)
        list(GET row 1 part)
        add_test(NAME faults/store-${kind} COMMAND sweep-store ${kind} /tmp ${part})
        set_tests_properties(faults/store-${kind} PROPERTIES TIMEOUT 900)
endforeach()
# Commits that are not synced must be caught: the test can fail.
add_test(NAME faults/store-power-weak COMMAND sweep-store power /tmp every=8 weak=1)
set_tests_properties(faults/store-power-weak PROPERTIES TIMEOUT 900 PASS_REGULAR_EXPRESSION "steps, not")
