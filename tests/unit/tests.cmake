# Mails of ours read by foreign parsers.
add_executable(mail-samples unit/mail-samples.c)
target_link_libraries(mail-samples PRIVATE chiso_app)
add_test(NAME unit/mail-parse
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/mail-parse.py $<TARGET_FILE:mail-samples>
                ${CMAKE_CURRENT_SOURCE_DIR}/unit/mail-parse.pl)

# Webhook bodies against the schema that we publish.
add_executable(render-samples unit/render-samples.c)
target_link_libraries(render-samples PRIVATE chiso_app)
add_test(NAME unit/webhook-schema
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/webhook-schema.py $<TARGET_FILE:render-samples>
                ${CMAKE_SOURCE_DIR}/docs/webhook.schema.json)
set_tests_properties(unit/webhook-schema PROPERTIES SKIP_RETURN_CODE 77)
add_test(NAME unit/templates-doc
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/templates-doc.py $<TARGET_FILE:render-samples> ${CMAKE_SOURCE_DIR})

# Workbooks of ours read by a foreign reader.
add_executable(export-samples unit/export-samples.c)
target_link_libraries(export-samples PRIVATE chiso_app)
add_test(NAME unit/export-read
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/export-read.py $<TARGET_FILE:export-samples>)

# Where the kernel refuses to watch a socket.
target_link_options(test-http PRIVATE LINKER:--wrap=epoll_ctl)

# Some sixty talks with real relays, each a process.
set_tests_properties(unit/test-smtp PROPERTIES TIMEOUT 300)
