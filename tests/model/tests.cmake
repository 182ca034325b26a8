# The plan against its oracle: 1,000 worlds must agree, and seven seeded mistakes must not.
add_test(NAME model/worlds
        COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1
                python3 ${CMAKE_CURRENT_SOURCE_DIR}/model/run-worlds.py $<TARGET_FILE:plan-world> 1000)
add_test(NAME model/bugs
        COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1
                python3 ${CMAKE_CURRENT_SOURCE_DIR}/model/run-worlds.py $<TARGET_FILE:plan-world> 25 --bugs)
set_tests_properties(model/worlds model/bugs PROPERTIES TIMEOUT 1800)
# Random lives of alerts, 10,000 of them: pairing, missing figures, judging again, one message a day, and the truth at rest.
add_test(NAME model/alert-properties COMMAND alert-properties 10000)
set_tests_properties(model/alert-properties PROPERTIES TIMEOUT 1800)
# What the scenarios and the properties are there to find, seeded one at a time: each must be noticed.
# One compiler is enough.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CHISO_SANITIZE)
        add_test(NAME model/mistakes
                COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1
                        python3 ${CMAKE_CURRENT_SOURCE_DIR}/model/mistakes.py ${CMAKE_BINARY_DIR})
        set_tests_properties(model/mistakes PROPERTIES TIMEOUT 1800)
endif()
# Thresholds and `for` mean what Prometheus means by them, where they mean the same (docs/prometheus.md).
add_test(NAME model/promtool
        COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1 CHISO_SHARE_DIR=${CMAKE_SOURCE_DIR}/conf
                python3 ${CMAKE_CURRENT_SOURCE_DIR}/model/promtool.py $<TARGET_FILE:chisoctl>)
set_tests_properties(model/promtool PROPERTIES TIMEOUT 600)
