"""Networks as candidates of a blend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from sensorium.blending._candidates import Candidate, candidate_of
from sensorium.blending._time import FEWEST, NetworkFolds, TimeLimit
from sensorium.errors import TrainingError
from sensorium.planning import PreparedTable, cut_folds
from sensorium.runtime.progress import Reporter
from sensorium.table import Floats
from sensorium.trials import TrialResult, TrialSpec, estimate_all_epochs, estimate_seconds

Train: TypeAlias = Callable[[Sequence[TrialSpec]], Sequence[TrialResult]]

NETWORK = "network"


@dataclass(frozen=True, eq=False)
class Networks:
    """Trained networks.

    Attributes:
        candidates: those that may become members.
        once: estimated seconds of one training of each.
        spent: estimated seconds of all trainings, also those on folds.
    """

    candidates: list[Candidate]
    once: float
    spent: float


def too_slow(data: PreparedTable, spec: TrialSpec, limit: TimeLimit) -> TrainingError | None:
    """Return the error of a network whose training on a CPU would exceed the time limit; None if it does not."""
    if data.plan.device.type != "cpu":
        return None
    reason = limit.network_reason(estimate_all_epochs(data, spec), trainings=1 if spec.fold else FEWEST)
    return TrainingError(reason) if reason else None


def train_networks(data: PreparedTable, mains: Sequence[TrialResult], train: Train, report: Reporter) -> Networks:
    """Train networks on folds, as many as their time allows; log those that are left out.

    Args:
        data: the table.
        mains: the training of each network, of a fold or of the whole table.
        train: trains networks: for a whole table, one on each of some folds.
        report: logs progress.
    """
    rows = len(data.rows("train")) + len(data.rows("validation"))
    found, once, spent = list[Candidate](), 0.0, 0.0
    for main in mains:
        try:
            if main.error is not None:
                raise main.error
            if main.collapsed:
                raise TrainingError("it predicts a constant")
            seconds = estimate_seconds(data, main)
            folds = None if main.spec.fold else NetworkFolds.of(seconds, rows)
            once, spent = once + seconds, spent + (folds.trainings if folds else 1) * seconds
            found.append(_candidate(data, main, train, folds))
        except TrainingError as error:
            report.log(f"? {main.spec.name} is left out of the blend: {error.finding}")
    return Networks(found, once, spent)


def _candidate(data: PreparedTable, main: TrialResult, train: Train, folds: NetworkFolds | None) -> Candidate:
    """Return a network with out-of-fold scores, by trainings on folds unless it was trained on one."""
    if folds:
        cut = cut_folds(data.plan, folds.count).folds
        numbers = range(len(cut))[-folds.trained :]  # in order of time, the last folds learn from most rows
        specs = [
            replace(main.spec, name=_name(main.spec.name, number, len(cut)), fold=[number, folds.count])
            for number in numbers
        ]
        results = zip(train(specs), numbers, strict=True)
        found = [(cut[number].judge, _tested(result)) for result, number in results]
    else:
        own = main.spec.data(data)
        found = [(own.rows(split), outcome.scores) for split, outcome in main.outcomes.items()]
    rows, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return candidate_of(main.spec.name, main.model.towers, rows, scores, main.model.first, len(data.plan.used))


def _tested(result: TrialResult) -> Floats:
    """Return the scores of the rows that a fold judges, or raise the error of a failed training."""
    if result.error is not None:
        raise result.error
    return result.outcomes["test"].scores


def _name(network: str, fold: int, count: int) -> str:
    return f"{network}, fold {fold + 1} of {count}"
