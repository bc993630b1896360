from .page import (
    MetricsPage as MetricsPage,
)
from .work_metrics import (
    WorkMetrics as WorkMetrics,
)
