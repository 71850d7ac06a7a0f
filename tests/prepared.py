"""Tables that are planned and prepared, and single trials on them."""

from sensorium.config import Config
from sensorium.planning import plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.trials import Control, TrialSpec, build_fitted, model_of_none, run_trial


def prepare(table, *settings, report=None):
    """A table with these settings, decoded."""
    config = Config.gather(*settings)
    return plan_and_prepare(open_table(table, config.table), config, report or Silent())


def trial(data, control=None, **spec):
    """One trial."""
    return run_trial(data, TrialSpec("trial", **spec), control or Control())


def fresh(data, **spec):
    """A model at its start."""
    return build_fitted(data, TrialSpec("fresh", **spec), model_of_none)
