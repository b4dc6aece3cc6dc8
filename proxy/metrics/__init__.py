"""What the proxy counts, on Prometheus' own client: label values, series, where values lie, and who adds to them."""

from proxy.metrics.labels import (
    CODES,
    WHOLE_RECORD,
    DatabaseResult,
    DualReadResult,
    DualWriteOutcome,
    RepairResult,
    compared_attributes,
)
from proxy.metrics.recorder import Metrics
from proxy.metrics.values import CONTENT_TYPE, Values, open_values

__all__ = [
    "CODES",
    "CONTENT_TYPE",
    "WHOLE_RECORD",
    "DatabaseResult",
    "DualReadResult",
    "DualWriteOutcome",
    "Metrics",
    "RepairResult",
    "Values",
    "compared_attributes",
    "open_values",
]
