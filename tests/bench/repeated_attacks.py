"""The attacks that tests carry out already: the benchmark repeats them, each against a console of its own."""

from collections.abc import Mapping, Sequence

TESTS_BY_FILE: Mapping[str, Mapping[str, Sequence[str]]] = {
    "tests/test_access.py": {
        "told_origins": ["test_told_where_to_answer_it_answers_there_and_nowhere_else"],
        "sandbox_alone": ["test_a_sandbox_that_is_served_alone_takes_the_same_rule"],
        "another_server": ["test_served_by_another_program_at_an_address_of_others_it_rejects_them"],
        "password_everywhere": ["test_beyond_loopback_the_password_opens_screens_sockets_and_routes"],
        "readable_secrets": ["test_a_file_of_keys_that_others_may_open_is_said_on_screen_and_at_start"],
    },
    "tests/browser/test_access.py": {
        "other_port_page": ["test_a_page_of_another_port_reaches_nothing_and_one_that_is_named_the_sandbox_only"],
        "phoning_out": [
            "test_over_a_whole_session_the_console_resolves_and_connects_to_nothing_but_this_machine",
        ],
    },
    "tests/core/web/test_malformed_input.py": {
        "malformed_handshakes": ["test_a_handshake_that_the_second_parser_rejects_is_400_and_closed"],
    },
    "tests/core/web/test_every_route.py": {
        "schemathesis": ["test_schemathesis_finds_no_5xx_in_any_route"],
    },
    "tests/core/cli/test_send_once.py": {
        "two_sends": ["test_of_two_sends_of_one_file_at_once_one_is_sent_and_the_other_ends_with_5"],
        "overlapping_jobs": ["test_a_job_that_overlaps_with_the_one_before_it_sends_nothing_that_is_going"],
        "recorder_killed": ["test_the_rest_of_a_file_whose_recording_was_killed_is_sent_in_its_order"],
        "send_interrupted": [
            "test_interrupted_it_drains_says_how_to_go_on_and_resume_sends_exactly_what_never_left",
        ],
        "send_killed": ["test_what_was_in_flight_when_its_process_was_killed_is_unknown_and_not_sent_again"],
        "terminal_closed": ["test_a_terminal_that_is_closed_loses_nothing"],
        "results_in_the_way": [
            "test_an_existing_file_is_not_replaced_unless_it_is_said",
            "test_a_file_that_appears_while_it_sends_is_not_replaced",
        ],
    },
    "tests/core/history/test_repeats.py": {
        "recorders_at_once": ["test_of_processes_that_record_the_same_at_once_one_does"],
    },
    "tests/test_process.py": {
        "hang_up": ["test_told_to_end_it_waits_for_answers_and_every_outcome_is_written_within_ten_seconds"],
    },
    "tests/core/dispatch/test_health.py": {
        "history_without_writes": ["test_a_history_that_is_gone_or_takes_no_writes_is_not_well"],
    },
    "tests/core/dispatch/test_two_consoles.py": {
        "second_console": ["test_a_second_console_says_what_it_is_and_does_what_it_says"],
        "damaged_engine": ["test_a_damaged_engine_file_is_moved_aside_and_what_was_pending_is_sent"],
    },
    "tests/core/dispatch/test_shared_limits.py": {
        "limits_of_several_processes": [
            "test_two_processes_send_no_more_than_the_limit_and_a_killed_ones_share_is_given_back",
        ],
    },
    "tests/test_sick_console.py": {
        "history_damaged": ["test_after_a_kill_damage_is_found_and_a_damaged_engine_keeps_nothing_from_starting"],
    },
    "tests/core/history/test_upkeep.py": {
        "history_lost": ["test_a_history_that_is_empty_where_there_was_one_is_told_for_a_day"],
        "migration_without_a_copy": [
            "test_an_existing_file_is_copied_before_it_is_migrated",
            "test_where_no_copy_can_be_made_nothing_is_migrated",
        ],
    },
    "tests/browser/test_closed_tabs.py": {
        "tabs_closed": [
            "test_the_table_of_a_closed_tab_is_given_back_within_a_minute_and_mapped_again_for_one_that_comes_back",
        ],
    },
    "tests/core/exports/test_case_names_nobody.py": {
        "case_files": ["test_no_planted_person_is_left_and_the_problems_stay"],
    },
    "tests/test_standard_error.py": {
        "standard_error": ["test_a_console_that_starts_sends_fails_and_ends_writes_objects"],
    },
    "tests/core/transport/test_track_client.py": {
        "echoed_keys": ["test_a_key_is_masked_in_a_response_in_every_form_it_may_take"],
        "names_of_this_machine": [
            "test_a_name_that_leads_elsewhere_after_it_was_checked_gets_no_key_in_clear_text",
        ],
    },
    "tests/core/targets/test_key_search.py": {
        "echoed_keys": ["test_a_key_is_masked_in_every_form"],
    },
    "tests/core/readers/test_pasted_keys.py": {
        "pasted_keys": ["test_no_key_is_left_in_a_request_that_a_tool_has_copied"],
    },
    "tests/browser/test_inspect.py": {
        "pasted_keys": ["test_no_pasted_key_is_shown_for_one_frame_in_any_form_of_a_copied_request"],
    },
}
"""By file, then by attack: the tests that carry it out. The tests of one attack may lie in several files."""


def list_repeated_attacks() -> dict[str, list[str]]:
    """Every attack that tests carry out, with the tests as pytest names them."""
    found: dict[str, list[str]] = {}
    for file, attacks in TESTS_BY_FILE.items():
        for name, tests in attacks.items():
            found.setdefault(name, []).extend(f"{file}::{test}" for test in tests)
    return found
