from .boot_clock import (
    is_same_start as is_same_start,
    read_boot_clock as read_boot_clock,
    read_boot_id as read_boot_id,
)
from .disks import (
    measure_free_bytes as measure_free_bytes,
)
from .file_locks import (
    is_file_at as is_file_at,
    open_lock_file as open_lock_file,
    read_start as read_start,
    remove_lock_file as remove_lock_file,
    try_lock as try_lock,
    unlock as unlock,
    write_start as write_start,
)
from .processes import (
    build_detached_options as build_detached_options,
    can_hand_over_files as can_hand_over_files,
    give_way as give_way,
    read_own_peak_bytes as read_own_peak_bytes,
    read_resident_bytes as read_resident_bytes,
)
from .terminals import (
    enable_cursor_control as enable_cursor_control,
)
