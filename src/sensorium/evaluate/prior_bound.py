"""Keep the log loss of a model from exceeding that of the class frequencies, as a last resort."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensorium.metrics import log_losses
from sensorium.model import Outputs, fit_temperature, is_varied, minimize
from sensorium.tasks import EncodedTarget, prior_scores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sensorium.evaluate.calibration import Calibration
    from sensorium.table import Floats
    from sensorium.tasks import Task


def bound_targets(
    found: Mapping[str, Calibration],
    task: Task,
    outputs: Outputs,
    truth: npt.NDArray[Any],
    prior: Sequence[float],
) -> dict[str, Calibration]:
    """Bound the calibration of each target, as `calibrate_targets` returns them.

    The arguments are those of `bound_by_prior`.
    """
    targets = task.each(EncodedTarget(truth, np.ones(len(truth), np.bool_), []))
    if not targets:
        return {name: bound_by_prior(own, task, outputs, truth, prior) for name, own in found.items()}
    parts, priors = outputs.of_each(task), task.scores_of_each(np.array(prior, np.float64)[None])
    bounded = {}
    for name, own in found.items():
        part, labels = targets[name]
        known = labels.known
        bounded[name] = bound_by_prior(own, part, parts[name].take(known), labels.values[known], list(priors[name][0]))
    return bounded


def bound_by_prior(
    found: Calibration, task: Task, outputs: Outputs, truth: npt.NDArray[Any], prior: Sequence[float]
) -> Calibration:
    """Return a calibration whose log loss on its rows is at most that of the prior.

    A calibration that reaches this is returned as it is, and so is that of rows of a single class, which say little.
    Else the temperature of all rows is used without a test on other rows. If that is not enough, the scores are mixed
    with the prior: (1 − s) · model + s · prior, with the share s that has the lowest log loss on these rows.

    Args:
        found: the calibration by cross-fitting.
        task: a task with classes or labels.
        outputs: outputs of the model.
        truth: encoded labels of the same rows.
        prior: the scores of a row without any value: frequencies of the training rows.
    """
    if not is_varied(truth):
        return found
    constant = prior_scores(task, prior, len(truth))
    limit = _loss(task, constant, truth)
    if _loss(task, outputs.at(task, found.temperature), truth) <= limit:
        return found
    temperature = fit_temperature(task, outputs, truth) if found.fitted is None else found.fitted
    scores = outputs.at(task, temperature)
    share = 0.0 if _loss(task, scores, truth) <= limit else _share(task, scores, constant, truth)
    return replace(found, reason="above_prior", fitted=temperature, prior_share=share)


def _share(task: Task, scores: Floats, constant: Floats, truth: npt.NDArray[Any]) -> float:
    """Return the share of the prior with the lowest log loss, which is a convex function of it."""

    def loss(share: float) -> float:
        return _loss(task, (1 - share) * scores + share * constant, truth)

    share = minimize(loss, 0.0, 1.0)
    return share if loss(share) <= loss(1.0) else 1.0  # the search does not reach its bounds


def _loss(task: Task, scores: Floats, truth: npt.NDArray[Any]) -> float:
    return float(np.mean(log_losses(task.outcome(scores, truth))))
