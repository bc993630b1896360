from .credential import (
    Credential as Credential,
)
from .key_search import (
    MIN_SECRET_CHARACTERS as MIN_SECRET_CHARACTERS,
)
from .loopback import (
    is_loopback_address as is_loopback_address,
)
from .target import (
    SANDBOX as SANDBOX,
    Target as Target,
    TargetRegistry as TargetRegistry,
    derive_target_key as derive_target_key,
    parse_track_url as parse_track_url,
    read_secrets_file as read_secrets_file,
    sandbox_target as sandbox_target,
    typed_target as typed_target,
)
