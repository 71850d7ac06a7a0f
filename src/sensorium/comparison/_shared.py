"""Validation metrics of all models on the rows that judge a blend, so that they can be compared with its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from statistics import mean

import numpy as np

from sensorium.metrics import score
from sensorium.planning import PreparedTable
from sensorium.table import Rows
from sensorium.trials import TrialResult


def shared_validation(
    data: PreparedTable, trials: Mapping[str, Sequence[TrialResult]], metric: str
) -> dict[str, float]:
    """Return name → mean validation metric on the rows that judge every blend; empty without a blend.

    A blend is judged by all validation rows of a table of up to 5,000 rows, and by half of them otherwise.

    Args:
        data: the table.
        trials: name → results, one per seed.
        metric: the watched metric.
    """
    judged = [each.rows(data, "validation") for own in trials.values() for each in own if each.blend]
    if not judged:
        return {}
    rows = reduce(np.intersect1d, judged)
    return {name: mean(_value(data, each, metric, rows) for each in own) for name, own in trials.items()}


def _value(data: PreparedTable, trial: TrialResult, metric: str, rows: Rows) -> float:
    outcome = trial.outcomes.get("validation")
    if outcome is None or not len(rows):
        return math.nan
    places = np.flatnonzero(np.isin(trial.rows(data, "validation"), rows))
    return float(score(metric, outcome.take(places))[0])
