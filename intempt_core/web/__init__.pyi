from .access import (
    AccessControl as AccessControl,
)
from .console_cookie import (
    COOKIE_PREFIX as COOKIE_PREFIX,
    ConsoleCookie as ConsoleCookie,
    find_other_consoles as find_other_consoles,
)
from .exposure import (
    SANDBOX_ORIGINS_VARIABLE as SANDBOX_ORIGINS_VARIABLE,
    Exposure as Exposure,
)
from .frontend_page import FrontendPage as FrontendPage
from .guard import (
    HEALTH_PATH as HEALTH_PATH,
    METRICS_PATH as METRICS_PATH,
    RequestGuard as RequestGuard,
)
from .metrics_token import (
    MetricsToken as MetricsToken,
)
from .malformed_input import (
    answer_malformed_input as answer_malformed_input,
)
from .origins import (
    LOOPBACK_NAMES as LOOPBACK_NAMES,
    AnsweredAddresses as AnsweredAddresses,
    WebOrigin as WebOrigin,
    is_loopback as is_loopback,
    parse_origin_list as parse_origin_list,
)
from .password import (
    PasswordCheck as PasswordCheck,
    PasswordGate as PasswordGate,
    is_signed_in as is_signed_in,
)
from .private_files import (
    PRIVATE_UMASK as PRIVATE_UMASK,
    describe_readable_secrets as describe_readable_secrets,
    make_private_folder as make_private_folder,
)
from .response_headers import (
    ResponseHeaders as ResponseHeaders,
)
from .sandbox_access import (
    build_sandbox_middleware as build_sandbox_middleware,
)
from .slow_connections import (
    limit_slow_connections as limit_slow_connections,
    limit_slow_connections_everywhere as limit_slow_connections_everywhere,
)
from .socket_filter import (
    SocketFilter as SocketFilter,
)
