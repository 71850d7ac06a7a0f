"""Plan a table, then prepare it, before any model is trained."""

from sensorium.planning._folds import PlannedFolds, name_fold, plan_folds
from sensorium.planning._make_plan import Settle, log_notices, make_plan
from sensorium.planning._needs import check_several_modalities, check_validation_rows
from sensorium.planning._plan import Plan
from sensorium.planning._prepared import PreparedTable, continued_with, plan_and_prepare, prepare_table, with_cells
from sensorium.planning._roles import at_fold, cut_folds, with_validation_learned
from sensorium.planning._start import SLOWER, continued_settings, scores_before, take_weights

__all__ = [
    "SLOWER",
    "Plan",
    "PlannedFolds",
    "PreparedTable",
    "Settle",
    "at_fold",
    "check_several_modalities",
    "check_validation_rows",
    "continued_settings",
    "continued_with",
    "cut_folds",
    "log_notices",
    "make_plan",
    "name_fold",
    "plan_and_prepare",
    "plan_folds",
    "prepare_table",
    "scores_before",
    "take_weights",
    "with_cells",
    "with_validation_learned",
]
