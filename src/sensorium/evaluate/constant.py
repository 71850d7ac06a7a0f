"""Find predictions that are those of a constant: a collapsed network predicts the same for every row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sensorium.metrics import Outcome, log_losses
from sensorium.table import Floats

MIN_ROWS = 10  # fewer rows do not tell a constant from a weak model
MAX_SPREAD = 1e-3  # variance of the predictions between rows, as a share of that of the labels
MIDDLE = (0.05, 0.95)  # quantiles between which the spread of values is measured: outliers do not count
ROUNDING = 1e-9  # of the mean loss: smaller gains are rounding errors
STANDARD_ERRORS = 2.0  # by which the mean gain over the constant must exceed 0


def predicts_constant(outcome: Outcome) -> bool:
    """Return whether a model predicts next to the same for every row, and does not predict better than that constant.

    Both must hold, so that rare classes, whose probabilities vary little, are no collapse:

    - The variance of the predictions between rows is at most a thousandth of the variance of the labels, summed over
      classes or labels. For numbers, the middle 90% of both are compared instead, so that outliers do not count.
    - The loss of the rows (log loss; absolute error of numbers) is not shown to be below that of the mean prediction
      (of numbers, the median): the mean paired difference is at most two standard errors.

    Several targets must all be constant. With fewer than ten rows, or the same label in all rows, the result is False.

    >>> import numpy as np
    >>> from sensorium.evaluate.constant import predicts_constant
    >>> from sensorium.metrics import Outcome
    >>> truth = np.arange(20) % 2
    >>> same, other = np.full((20, 2), 0.5), np.eye(2)[truth]
    >>> [predicts_constant(Outcome(truth, scores, scores.argmax(1))) for scores in (same, other)]
    [True, False]
    """
    judged = list(_judged(outcome))
    return bool(judged) and all(spread(each) <= MAX_SPREAD and not _is_informed(each) for each in judged)


def spread(outcome: Outcome) -> float:
    """Return the variance of the predictions of one target, as a share of the variance of the labels."""
    truth, scores = outcome.truth, outcome.scores
    if scores.ndim > 1:
        shares = truth.mean(0) if truth.ndim > 1 else np.bincount(truth, minlength=scores.shape[1]) / len(truth)
        return float(scores.var(0).sum() / (shares * (1 - shares)).sum())
    ranges = [float(np.diff(np.quantile(values, MIDDLE))[0]) for values in (scores, truth)]
    if ranges[1] == 0:  # most labels are the same
        ranges = [float(np.std(values)) for values in (scores, truth)]
    return (ranges[0] / ranges[1]) ** 2


def mean_loss(outcome: Outcome) -> float:
    """Return the mean loss of the rows: log loss; of numbers, the absolute error as a share of that of the median.

    With several targets, it is the mean over those that can be judged; NaN if none can.
    """
    losses = []
    for each in _judged(outcome):
        own = float(_losses(each).mean())
        median = np.abs(each.truth - np.median(each.truth)).mean() if each.scores.ndim == 1 else 1.0
        losses.append(own / float(median))
    return float(np.mean(losses)) if losses else math.nan


def _judged(outcome: Outcome) -> Iterator[Outcome]:
    """Yield the outcome of each target with enough rows and more than one label, on the rows that have one."""
    parts = [part.outcome.take(np.flatnonzero(part.known)) for part in outcome.parts.values()]
    for each in parts or [outcome]:
        if len(each) >= MIN_ROWS and (each.truth != each.truth[0]).any():
            yield each


def _is_informed(outcome: Outcome) -> bool:
    """Return whether the predictions are shown to be better than a constant, their mean or median."""
    scores = outcome.scores
    constant = np.broadcast_to(scores.mean(0) if scores.ndim > 1 else np.median(scores), scores.shape)
    losses = _losses(replace(outcome, scores=constant))
    gains = losses - _losses(outcome)
    mean, error = float(gains.mean()), float(gains.std(ddof=1)) / math.sqrt(len(gains))
    return mean > max(ROUNDING * float(losses.mean()), STANDARD_ERRORS * error)


def _losses(outcome: Outcome) -> Floats:
    """Return the loss of each row, float64[n]."""
    return log_losses(outcome) if outcome.scores.ndim > 1 else np.abs(outcome.truth - outcome.scores)
