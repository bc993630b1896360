from .credential import (
    MASK as MASK,
)
from .credential import (
    Credential as Credential,
)
from .target import (
    KEY_VARIABLE as KEY_VARIABLE,
)
from .target import (
    SANDBOX as SANDBOX,
)
from .target import (
    Target as Target,
)
from .target import (
    TargetRegistry as TargetRegistry,
)
from .target import (
    parse_track_url as parse_track_url,
)
from .target import (
    read_secrets_file as read_secrets_file,
)
from .target import (
    sandbox_target as sandbox_target,
)
from .target import (
    typed_target as typed_target,
)
