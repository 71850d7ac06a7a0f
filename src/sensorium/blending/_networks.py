"""Networks as candidates of a blend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from sensorium.blending._candidates import Candidate, candidate_of
from sensorium.blending._time import FEWEST, NetworkFolds, TimeLimit, count_rows
from sensorium.errors import TrainingError
from sensorium.planning import Plan, PreparedTable
from sensorium.runtime.progress import Reporter
from sensorium.split import Fold
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


def check_network(main: TrialResult) -> None:
    """Check that a trained network may become a member of a blend.

    Raises:
        TrainingError: its training failed, or it predicts a constant.
    """
    if reason := _why_unusable(main):
        raise reason


def _why_unusable(main: TrialResult) -> TrainingError | None:
    return main.error or (TrainingError("it predicts a constant") if main.collapsed else None)


def main_network(mains: Sequence[TrialResult]) -> TrialResult:
    """Return the first training that may become a member of a blend, else the first one.

    The blend gets its card, and what it learned of the errors that transformed amounts are corrected by.
    """
    return next((main for main in mains if not _why_unusable(main)), mains[0])


def train_networks(data: PreparedTable, mains: Sequence[TrialResult], train: Train, report: Reporter) -> Networks:
    """Train networks on folds, as many as their time allows; log those that are left out, and why there are few folds.

    Args:
        data: the table.
        mains: the training of each network, of a fold or of the whole table.
        train: trains networks: for a whole table, one on each of some folds.
        report: logs progress.
    """
    found, once, spent = list[Candidate](), 0.0, 0.0
    for main in mains:
        try:
            check_network(main)
            seconds = estimate_seconds(data, main)
            folds = None if main.spec.fold else NetworkFolds.of(seconds, count_rows(data.plan))
            if folds and (reason := folds.reason(seconds)):
                report.log(f"? {main.spec.name} is trained on {folds.trained} of {folds.count} folds: {reason}")
            once, spent = once + seconds, spent + (folds.trainings if folds else 1) * seconds
            found.append(network_candidate(data, main, train, folds))
        except TrainingError as error:
            report.log(f"? {main.spec.name} is left out of the blend: {error.finding}")
    return Networks(found, once, spent)


def network_candidate(data: PreparedTable, main: TrialResult, train: Train, folds: NetworkFolds | None) -> Candidate:
    """Return a network with its scores of rows that it did not learn from.

    Args:
        data: the table.
        main: the training of the network.
        train: trains networks on folds.
        folds: the folds for predictions out of fold. None for none: then the network predicts the rows that `main` did
            not learn from; of a whole table, these are the validation rows, which chose its epoch.

    Raises:
        TrainingError: a training on a fold failed.
    """
    if folds:
        numbered = folds.judging(data.plan)
        last, _ = numbered[-1]
        specs = [
            replace(own, name=f"{own.name}, fold {number + 1} of {last + 1}", fold=[number, folds.count])
            for number, own in ((number, _on_fold(data.plan, main, fold)) for number, fold in numbered)
        ]
        results = zip(train(specs), numbered, strict=True)
        found = [(fold.judge, _tested(result)) for result, (_, fold) in results]
    else:
        own, splits = main.spec.data(data), main.outcomes if main.spec.fold else ["validation"]
        found = [(own.rows(split), main.outcomes[split].scores) for split in splits]
    rows, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return candidate_of(main.spec.name, main.model.towers, rows, scores, main.model.first, len(data.plan.used))


def has_validation_rows(plan: Plan, fold: Fold) -> bool:
    """Return whether a fold learns from validation rows, which stop a training; in order of time, it may have none."""
    return bool(len(np.intersect1d(fold.learn, plan.rows("validation"))))


def _on_fold(plan: Plan, main: TrialResult, fold: Fold) -> TrialSpec:
    """Return the training of a network on a fold.

    Without validation rows, it takes as many epochs as the main network took to its best.
    """
    return main.spec if has_validation_rows(plan, fold) else main.spec.with_epochs(main.training_history.best)


def _tested(result: TrialResult) -> Floats:
    """Return the scores of the rows that a fold judges, or raise the error of a failed training."""
    if result.error is not None:
        raise result.error
    return result.outcomes["test"].scores
