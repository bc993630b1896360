from .alive_processes import (
    find_sending_process as find_sending_process,
    hold_process_name as hold_process_name,
    is_process_alive as is_process_alive,
)
from .dispatcher import (
    Dispatcher as Dispatcher,
)
from .environment import (
    SendingEnvironment as SendingEnvironment,
)
from .health import (
    check_health as check_health,
)
from .interrupted import (
    stop_abandoned_recordings as stop_abandoned_recordings,
    check_resumable as check_resumable,
    count_never_left as count_never_left,
    list_interrupted_batches as list_interrupted_batches,
    resume_interrupted as resume_interrupted,
)
from .lane_sender import (
    TurnResult as TurnResult,
    split_body as split_body,
)
from .one_shot import (
    make_batch_intent as make_batch_intent,
    send_plan as send_plan,
    pause_interrupted as pause_interrupted,
    wait_for_batch as wait_for_batch,
    wake_once as wake_once,
)
from .process_locks import (
    hold_data_folder as hold_data_folder,
    hold_process_lock as hold_process_lock,
    read_running_console as read_running_console,
)
from .progress import (
    Progress as Progress,
)
from .rate_limits import (
    FAILURES_TO_BREAK as FAILURES_TO_BREAK,
)
from .sending_process import (
    SendingProcess as SendingProcess,
)
