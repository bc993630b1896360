from .check import (
    run_check as run_check,
)
from .entry import (
    main as main,
)
from .sandbox import (
    serve_sandbox as serve_sandbox,
)
from .send import (
    run_send as run_send,
)
from .settings import (
    print_settings as print_settings,
)
from .suggest import (
    print_mapping as print_mapping,
)
