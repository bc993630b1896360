from .case_file import (
    build_case as build_case,
)
from .case_file import (
    dump_case as dump_case,
)
from .case_file import (
    render_case_page as render_case_page,
)
from .case_reader import (
    CaseFile as CaseFile,
)
from .case_reader import (
    read_case as read_case,
)
from .csv_files import (
    export_event_lines as export_event_lines,
)
from .csv_files import (
    export_excluded_csv as export_excluded_csv,
)
from .csv_files import (
    export_expectations_json as export_expectations_json,
)
from .csv_files import (
    export_expectations_junit as export_expectations_junit,
)
from .csv_files import (
    export_fixed_csv as export_fixed_csv,
)
from .csv_files import (
    export_problems_csv as export_problems_csv,
)
from .csv_files import (
    export_results_csv as export_results_csv,
)
from .pseudonyms import (
    load_salt as load_salt,
)
from .secret_guard import (
    reject_secrets as reject_secrets,
)
from .secret_guard import (
    require_no_secret as require_no_secret,
)
from .snippets import (
    render_curl_snippet as render_curl_snippet,
)
from .snippets import (
    render_node_snippet as render_node_snippet,
)
from .snippets import (
    render_python_snippet as render_python_snippet,
)
from .xlsx_report import (
    find_bad_cells as find_bad_cells,
)
from .xlsx_report import (
    write_problems_xlsx as write_problems_xlsx,
)
