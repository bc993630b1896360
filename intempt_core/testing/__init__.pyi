from .arrived_event import (
    ArrivedEvent as ArrivedEvent,
)
from .track_api import (
    ExpectationFailed as ExpectationFailed,
    TrackApi as TrackApi,
)
