from .allowed_hosts import (
    ALLOWED_HOSTS_VARIABLE as ALLOWED_HOSTS_VARIABLE,
    AllowedHosts as AllowedHosts,
)
from .credential import (
    Credential as Credential,
)
from .key_search import (
    MIN_SECRET_CHARACTERS as MIN_SECRET_CHARACTERS,
)
from .known_targets import (
    KnownTargets as KnownTargets,
)
from .loopback import (
    is_loopback_address as is_loopback_address,
)
from .stored import (
    KEY_VARIABLE_FIELD as KEY_VARIABLE_FIELD,
    MAX_STORED_TARGETS as MAX_STORED_TARGETS,
    STORED as STORED,
    StoredTarget as StoredTarget,
    TargetStore as TargetStore,
    find_target_faults as find_target_faults,
    normalize_target_name as normalize_target_name,
)
from .target import (
    SANDBOX as SANDBOX,
    Target as Target,
    TargetRegistry as TargetRegistry,
    build_stored_target as build_stored_target,
    derive_target_key as derive_target_key,
    check_same_sandbox as check_same_sandbox,
    describe_missing_key as describe_missing_key,
    parse_track_url as parse_track_url,
    read_secrets_file as read_secrets_file,
    sandbox_target as sandbox_target,
)
