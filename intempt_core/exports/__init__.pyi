from .case_file import (
    IDENTITIES_PSEUDONYMIZED as IDENTITIES_PSEUDONYMIZED,
    CaseFile as CaseFile,
    build_case as build_case,
    dump_case as dump_case,
    read_case as read_case,
    render_case_page as render_case_page,
)
from .csv_files import (
    export_event_lines as export_event_lines,
    export_excluded_csv as export_excluded_csv,
    export_fixed_csv as export_fixed_csv,
    export_problems_csv as export_problems_csv,
    export_results_csv as export_results_csv,
)
from .github_annotations import (
    MAX_ANNOTATIONS as MAX_ANNOTATIONS,
    export_github_annotations as export_github_annotations,
    export_github_error as export_github_error,
    export_github_expectations as export_github_expectations,
    render_expectations_summary as render_expectations_summary,
    render_job_summary as render_job_summary,
)
from .junit import (
    export_check_junit as export_check_junit,
    export_expectations_json as export_expectations_json,
    export_expectations_junit as export_expectations_junit,
)
from .personal_values import (
    list_replaced_keys as list_replaced_keys,
)
from .salt import (
    Salt as Salt,
    check_salt as check_salt,
    load_salt as load_salt,
)
from .secret_guard import (
    reject_secrets as reject_secrets,
    require_no_secret as require_no_secret,
)
from .snippets import (
    render_curl_snippet as render_curl_snippet,
    render_node_snippet as render_node_snippet,
    render_python_snippet as render_python_snippet,
)
from .xlsx_report import (
    find_bad_cells as find_bad_cells,
    write_problems_xlsx as write_problems_xlsx,
)
