# Every allocation of judging and planning fails once: -ENOMEM comes out, nothing leaks, nothing is half done.
add_executable(test-judge-oom oom/test-judge-oom.c)
target_link_libraries(test-judge-oom PRIVATE chiso_core PkgConfig::CMOCKA)
target_link_options(test-judge-oom PRIVATE
        LINKER:--wrap=malloc LINKER:--wrap=calloc LINKER:--wrap=realloc LINKER:--wrap=reallocarray)
add_test(NAME oom/test-judge-oom COMMAND test-judge-oom)
