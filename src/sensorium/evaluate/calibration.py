"""Decide by cross-fitting whether a temperature calibrates a classifier on rows that did not fit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.config import CALIBRATION_FOLDS, CALIBRATION_ROWS
from sensorium.evaluate.compare import compare_losses
from sensorium.metrics import Difference, log_losses, score
from sensorium.model import Outputs, at_bound, fit_temperature, is_varied, outcome_at, with_varied_labels
from sensorium.split.cross_fit import cross_fit_folds
from sensorium.table import Floats, Rows
from sensorium.tasks import EncodedTarget, Task

Reason: TypeAlias = Literal["kept", "no_gain", "at_bound", "one_class", "few_rows", "few_groups", "above_prior"]


@dataclass(frozen=True)
class Calibration:
    """Result of cross-fitted temperature scaling of one target.

    Attributes:
        reason: whether the temperature is kept, and else why not; `above_prior`: it is kept without a gain on other
            rows, because the log loss would exceed that of the class frequencies (see `bound_by_prior`).
        rows: rows with a known label, which fit the temperature.
        groups: groups that the rows belong to; the number of rows without groups.
        fitted: the temperature of all rows, kept or not; None if it was not fitted.
        gain: log loss without minus log loss with scaling, each row scaled by the temperature of the other folds; None
            if it was not fitted.
        log_loss, ece: metrics without and with scaling on these held-out rows; empty if it was not fitted. For
            multilabel, labels without both values do not count.
        prior_share: share of the class frequencies in the scores; above 0 only where a temperature is not enough.
    """

    reason: Reason
    rows: int
    groups: int
    fitted: float | None = None
    gain: Difference | None = None
    log_loss: tuple[float, ...] = ()
    ece: tuple[float, ...] = ()
    prior_share: float = 0.0

    @property
    def temperature(self) -> float:
        """Return the divisor of the logits or log-probabilities; 1 if the temperature is not kept."""
        return self.fitted if self.fitted is not None and self.reason in ("kept", "above_prior") else 1.0


def calibrate(
    task: Task, outputs: Outputs, truth: npt.NDArray[Any], seed: int, groups: Rows | None = None
) -> Calibration:
    """Fit a temperature, and keep it if scaling helps on rows that did not fit it.

    Each fold is scaled by the temperature that is best for the other folds (cross-fitting), so that no row is judged by
    a temperature that it fitted itself. All rows of a group are in one fold. The temperature of all rows is kept if the
    paired bootstrap interval of the gain in log loss lies above 0, and if it is not at a bound of the search; groups
    are resampled as a whole. Rows with a single class fit no temperature.

    Args:
        task: a task with classes or labels.
        outputs: outputs of the model for rows that it did not learn from, such as the validation rows: logits of a
            network, or scores of a blend.
        truth: their encoded labels.
        seed: random seed of the folds.
        groups: int64[n] group of each row; None if the rows are independent.
    """
    count = len(truth) if groups is None else len(np.unique(groups))
    if len(truth) < CALIBRATION_ROWS:
        return Calibration("few_rows", len(truth), count)
    if count < CALIBRATION_FOLDS:
        return Calibration("few_groups", len(truth), count)
    if not is_varied(truth):
        return Calibration("one_class", len(truth), count)
    folds = cross_fit_folds(len(truth), groups, seed)
    plain = with_varied_labels(outcome_at(task, outputs, truth, 1.0))
    scaled = with_varied_labels(task.outcome(_cross_fitted(task, outputs, truth, folds), truth))
    gain = compare_losses(log_losses(scaled), log_losses(plain), "log_loss", groups=groups, seed=seed)
    changes = [(float(score(name, plain)[0]), float(score(name, scaled)[0])) for name in ("log_loss", "ece")]
    fitted = fit_temperature(task, outputs, truth)
    reason: Reason = "no_gain" if not gain.helps else "at_bound" if at_bound(fitted) else "kept"
    return Calibration(reason, len(truth), count, fitted, gain, changes[0], changes[1])


def _cross_fitted(task: Task, outputs: Outputs, truth: npt.NDArray[Any], folds: Rows) -> Floats:
    """Return the scores of each row, scaled by the temperature of the other folds."""
    scores: Floats | None = None
    for fold in range(CALIBRATION_FOLDS):
        rest, own = folds != fold, folds == fold
        temperature = fit_temperature(task, outputs.take(rest), truth[rest])
        found = outputs.take(own).at(task, temperature)
        scores = np.empty((len(truth), *found.shape[1:])) if scores is None else scores
        scores[own] = found
    assert scores is not None
    return scores


def calibrate_targets(
    task: Task, outputs: Outputs, truth: npt.NDArray[Any], seed: int, groups: Rows | None = None
) -> dict[str, Calibration]:
    """Calibrate each of several targets that has classes or labels, on its rows with a known label.

    The arguments are those of `calibrate`. A single target has the key "".
    """
    targets = task.each(EncodedTarget(truth, np.ones(len(truth), np.bool_), []))
    if not targets:
        return {"": calibrate(task, outputs, truth, seed, groups)} if task.labels else {}
    parts, found = outputs.of_each(task), {}
    for name, (part, labels) in targets.items():
        if part.labels:
            known = labels.known
            own = None if groups is None else groups[known]
            found[name] = calibrate(part, parts[name].take(known), labels.values[known], seed, own)
    return found
