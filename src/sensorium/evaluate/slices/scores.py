"""Compute metrics of slices, and their differences to the other rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensorium.evaluate._slice_results import Slice
from sensorium.evaluate.bootstrap import correct_bias
from sensorium.evaluate.compare import difference_of
from sensorium.evaluate.evaluation import evaluate_outcome
from sensorium.evaluate.scores import resamples_of
from sensorium.evaluate.slices.cuts import Cut
from sensorium.metrics import Difference, Outcome, direction, score
from sensorium.table import Floats, Truths


def score_cut(outcome: Outcome, cut: Cut, names: Sequence[str], metric: str) -> list[Slice]:
    """Compute metrics of each slice of a cut, with intervals, and the difference of one metric to the other rows.

    Args:
        outcome: outcome of all rows.
        cut: slices of these rows.
        names: metrics of the task.
        metric: registered name of the metric whose differences are computed.
    """
    pairs = zip(cut.values, cut.rows, strict=True)
    return [score_slice(outcome, rows, ((cut.column,), (value,)), names, metric) for value, rows in pairs]


def score_slice(
    outcome: Outcome,
    rows: Truths,
    name: tuple[tuple[str, ...], tuple[str, ...]],
    names: Sequence[str],
    metric: str,
) -> Slice:
    """Compute metrics of the rows of a slice, bool[n]; `name` holds its columns and its values."""
    found = evaluate_outcome(outcome.take(np.flatnonzero(rows)), names)
    difference = None if rows.all() else compare_rows(outcome, rows, metric)
    return Slice(*name, found.n, found.metrics, found.intervals, difference, found.groups)


def compare_rows(outcome: Outcome, rows: Truths, metric: str) -> Difference:
    """Compare a metric of some rows with that of all other rows, by a bootstrap.

    The rows of both sides are resampled separately. Groups can have rows on both sides: they are resampled jointly.
    Bootstrapped values of each side are corrected for their bias, as those of an interval are, because the bias of a
    metric depends on the number of rows.
    """
    sides = [np.flatnonzero(rows), np.flatnonzero(~rows)]
    parts = [outcome.take(places) for places in sides]
    values = [float(score(metric, part)[0]) for part in parts]
    if outcome.groups is None:
        drawn = [_drawn(metric, part, seed) for seed, part in enumerate(parts)]
    else:
        blocks = [
            [score(metric, part, weights[:, places]) for part, places in zip(parts, sides, strict=True)]
            for weights in resamples_of(outcome)
        ]
        drawn = [np.concatenate(own) for own in zip(*blocks, strict=True)]
    own, others = (correct_bias(draws, value) for draws, value in zip(drawn, values, strict=True))
    sign = direction(metric)
    return difference_of(metric, sign * (values[0] - values[1]), sign * (own - others))


def _drawn(metric: str, outcome: Outcome, seed: int) -> Floats:
    return np.concatenate([score(metric, outcome, weights) for weights in resamples_of(outcome, seed)])
