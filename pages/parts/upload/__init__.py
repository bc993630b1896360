"""The Upload screen, step by step: file, mapping, problems, plan, sending, result.

- ``state``: the file, its mapping and its checks, and the callbacks of the steps.
- ``step``: one step as a line that unfolds.
- ``file_view``: step 1, and the screen without a file.
- ``mapping_view``, ``mapping_times_view``, ``saved_mappings_view``: step 2.
- ``problems_view``, ``expectations_view``: step 3.
- ``fixes_state``, ``fixes_view``: fixes of the file, and one cell of it.
- ``plan_view``, ``excluded_rows_view``: step 4.
- ``view``: the steps in their order, the progress and the result.
"""
