"""Run trials: train the model of a spec on a prepared table, in this process or another, and record the result."""

from sensorium.trials._baseline import forget_matrix, why_left_out
from sensorium.trials._build import (
    blend_pool,
    build_blend,
    build_fitted,
    check_spec,
    model_of_none,
)
from sensorium.trials._calibrate import find_calibration, with_calibration
from sensorium.trials._conformal import with_conformal
from sensorium.trials._cost import Cost, mean_cost
from sensorium.trials._ledger import Ledger, forget_trials, has_trials
from sensorium.trials._result import Control, TrialResult
from sensorium.trials._runner import InProcess, Runner
from sensorium.trials._spec import TrialSpec
from sensorium.trials._thresholds import ChosenBy, decide_by, decided
from sensorium.trials._trial import calibrate_ensemble, finish, run_trial, subset_outcome
from sensorium.trials._work import estimate_all_epochs, estimate_seconds, training_of
from sensorium.trials._workers import check_workers, choose_runner
from sensorium.trials.fingerprint import fingerprint, plan_identity
from sensorium.trials.run_files import files_after, files_before

__all__ = [
    "ChosenBy",
    "Control",
    "Cost",
    "InProcess",
    "Ledger",
    "Runner",
    "TrialResult",
    "TrialSpec",
    "blend_pool",
    "build_blend",
    "build_fitted",
    "calibrate_ensemble",
    "check_spec",
    "check_workers",
    "choose_runner",
    "decide_by",
    "decided",
    "estimate_all_epochs",
    "estimate_seconds",
    "files_after",
    "files_before",
    "find_calibration",
    "fingerprint",
    "finish",
    "forget_matrix",
    "forget_trials",
    "has_trials",
    "mean_cost",
    "model_of_none",
    "plan_identity",
    "run_trial",
    "subset_outcome",
    "training_of",
    "why_left_out",
    "with_calibration",
    "with_conformal",
]
