from .page import (
    MetricsPage as MetricsPage,
)
from .server import (
    serve_metrics as serve_metrics,
)
from .work_metrics import (
    WorkMetrics as WorkMetrics,
)
