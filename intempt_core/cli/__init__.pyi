from .checks.check import (
    run_check as run_check,
)
from .commands.console import (
    start_console as start_console,
)
from .commands.coverage import (
    print_coverage as print_coverage,
)
from .commands.generate import (
    write_fixture as write_fixture,
)
from .commands.backup import (
    back_up as back_up,
    restore as restore,
)
from .commands.move import (
    move_to_database as move_to_database,
)
from .commands.sandbox import (
    serve_sandbox as serve_sandbox,
)
from .commands.schema import (
    print_schema as print_schema,
)
from .commands.settings import (
    print_settings as print_settings,
)
from .commands.suggest import (
    print_mapping as print_mapping,
)
from .commands.tail import (
    follow_events as follow_events,
)
from .commands.worker import (
    run_worker as run_worker,
)
from .entry import (
    main as main,
)
from .sends.send import (
    run_send as run_send,
)
