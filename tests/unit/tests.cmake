# Mails of ours read by foreign parsers.
add_executable(mail-samples unit/mail-samples.c)
target_link_libraries(mail-samples PRIVATE chiso_app)
add_test(NAME unit/mail-parse
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/mail-parse.py $<TARGET_FILE:mail-samples>
                ${CMAKE_CURRENT_SOURCE_DIR}/unit/mail-parse.pl)
