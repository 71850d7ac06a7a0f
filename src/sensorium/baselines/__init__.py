"""ONE FILE PER BASELINE: classical models of the same rows, to compare fused networks with."""

from sensorium.baselines._base import Baseline, Job
from sensorium.baselines._columns import Columns, flatten_columns
from sensorium.baselines._plan import NONE, choose_baselines, left_out, make_baseline, not_installed

__all__ = [
    "NONE", "Baseline", "Columns", "Job", "choose_baselines", "flatten_columns", "left_out",
    "make_baseline", "not_installed",
]  # fmt: skip
