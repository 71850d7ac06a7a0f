"""Classical models of all columns, fitted with out-of-fold predictions and saved as plain arrays. One file each."""

from sensorium.baselines._base import Baseline, Model, Path, Sample
from sensorium.baselines._cross_fit import CrossFitted, cross_fit, fit_selected, fold_losses
from sensorium.baselines._features import FlatColumns
from sensorium.baselines._job import Job
from sensorium.baselines._plan import NONE, choose_baselines, fit_seconds, left_out, unsuited
from sensorium.baselines._shared import SharedBlocks

__all__ = [
    "NONE", "Baseline", "CrossFitted", "FlatColumns", "Job", "Model", "Path", "Sample", "SharedBlocks",
    "choose_baselines", "cross_fit", "fit_seconds", "fit_selected", "fold_losses", "left_out", "unsuited",
]  # fmt: skip
