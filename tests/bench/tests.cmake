# bench-cycle tells the daemon's stages apart without the daemon's help: these calls between files lead through it.
set(timed body_pack_hashed decode_part decode_finish store_figures_of engine_know store_figure_put judge_run store_panel_load store_panel_load_rest store_episodes
        engine_judge store_episode_put store_transition_add teller_run store_commit cycle_evaluate courier_run
        store_message_settle)
foreach(name IN LISTS timed)
        target_link_options(bench-cycle PRIVATE -Wl,--wrap=${name})
endforeach()
