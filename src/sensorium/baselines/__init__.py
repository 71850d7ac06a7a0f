"""Classical models to compare networks with, trained on the same rows. One file per baseline."""

from sensorium.baselines._base import Baseline, Job
from sensorium.baselines._columns import Columns, flatten_columns
from sensorium.baselines._plan import NONE, choose_baselines, left_out, make_baseline, not_installed

__all__ = [
    "NONE", "Baseline", "Columns", "Job", "choose_baselines", "flatten_columns", "left_out",
    "make_baseline", "not_installed",
]  # fmt: skip
