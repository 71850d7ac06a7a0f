"""Choose decision thresholds of probabilities on rows that the model did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.config import CALIBRATION_FOLDS, DEFAULT_THRESHOLD, MIN_CLASS_ROWS, ThresholdRule
from sensorium.metrics import Outcome
from sensorium.split.cross_fit import cross_fit_folds
from sensorium.table import Floats, Rows, Truths
from sensorium.tasks import EncodedTarget, Task, decides_by_default, targets_of, with_thresholds

ROUNDING = 1e-9
Reason: TypeAlias = Literal["chosen", "fixed", "few_rows", "expected_cost", "not_reached"]


@dataclass(frozen=True)
class DecisionThresholds:
    """Chosen decision thresholds of one target.

    Attributes:
        thresholds: one for the positive class, or one for each label.
        reasons: how each was obtained. `chosen`: by the rule. `fixed`: the setting names it. `few_rows`: the default,
            as fewer than `MIN_CLASS_ROWS` rows have or lack the label. `expected_cost`: for the same reason, the one of
            the lowest expected cost if probabilities are right. `not_reached`: no threshold has the precision, and this
            one has the highest.
        rows, groups: number of rows that chose, and of their groups (the number of rows without groups).
        measured: name → value at the default threshold and at thresholds that other rows chose (cross-fitting), a mean
            over labels; empty if no threshold was chosen.
    """

    thresholds: list[float]
    reasons: list[Reason]
    rows: int
    groups: int
    measured: Mapping[str, tuple[float, float]]


def choose_target_thresholds(
    task: Task,
    scores: Floats,
    truth: npt.NDArray[Any],
    rule_of: Callable[[str], ThresholdRule],
    *,
    seed: int,
    groups: Rows | None = None,
) -> dict[str, DecisionThresholds]:
    """Choose the thresholds of each target that has some and whose rule is not `auto`.

    Args:
        task: the task.
        scores: calibrated scores of rows that the model did not learn from.
        truth: their encoded labels.
        rule_of: returns the rule of a target; a single target has the name "".
        seed: random seed of the folds.
        groups: int64[n] group of each row; None if the rows are independent.
    """
    targets = task.each(EncodedTarget(truth, np.ones(len(truth), np.bool_), []))
    own_scores = task.scores_of_each(scores) or {"": scores}
    found = {}
    for name, part in targets_of(task).items():
        rule = rule_of(name)
        if rule.name == "auto" or not part.thresholds:
            continue
        labels = targets[name][1] if targets else EncodedTarget(truth, np.ones(len(truth), np.bool_), [])
        known = labels.known
        outcome = part.outcome(own_scores[name][known], labels.values[known])
        columns = list(outcome.one_against_rest())
        own_groups = None if groups is None else groups[known]
        found[name] = choose_thresholds(rule, columns, seed=seed, groups=own_groups)
    return found


def with_chosen_thresholds(task: Task, found: Mapping[str, DecisionThresholds]) -> Task:
    """Return the task with chosen thresholds of its targets, as `choose_target_thresholds` returns them."""
    return with_thresholds(task, {name: own.thresholds for name, own in found.items()})


def decided_outcome(task: Task, outcome: Outcome) -> Outcome:
    """Return an outcome with the decisions of the task; the same one if its thresholds are the default."""
    if decides_by_default(task):
        return outcome
    return task.outcome(outcome.scores, outcome.truth).grouped(outcome.groups)


def choose_thresholds(
    rule: ThresholdRule, columns: list[tuple[Truths, Floats]], *, seed: int, groups: Rows | None = None
) -> DecisionThresholds:
    """Choose the threshold of the positive class, or of each label.

    Args:
        rule: the rule; not `auto`.
        columns: whether each row has the label, bool[n], and its probability, float64[n], for each label.
        seed: random seed of the folds, which keep groups together.
        groups: int64[n] group of each row; None if the rows are independent.
    """
    rows = len(columns[0][0])
    count = rows if groups is None else len(np.unique(groups))
    chosen = [_choose(rule, truth, scores) for truth, scores in columns]
    thresholds, reasons = [value for value, _ in chosen], [reason for _, reason in chosen]
    tested = [own for own, reason in zip(columns, reasons, strict=True) if reason in ("chosen", "not_reached")]
    measured = {}
    if tested and count >= CALIBRATION_FOLDS:
        folds = cross_fit_folds(rows, groups, seed)
        pairs = [_cross_fitted(rule, truth, scores, folds) for truth, scores in tested]
        for name in pairs[0][0]:
            before, after = (float(np.mean([pair[side][name] for pair in pairs])) for side in (0, 1))
            measured[name] = (before, after)
    return DecisionThresholds(thresholds, reasons, rows, count, measured)


def _choose(rule: ThresholdRule, truth: Truths, scores: Floats) -> tuple[float, Reason]:
    if rule.name == "fixed":
        return rule.value, "fixed"
    if min(truth.sum(), (~truth).sum()) < MIN_CLASS_ROWS:
        return (
            (rule.best_for_probabilities, "expected_cost") if rule.name == "costs" else (DEFAULT_THRESHOLD, "few_rows")
        )
    return best_threshold(rule, truth, scores)


def best_threshold(rule: ThresholdRule, truth: Truths, scores: Floats) -> tuple[float, Reason]:
    """Return the threshold that is best for some rows by a rule, and whether it reaches what the rule asks for.

    Every cut between two different probabilities is tried; the threshold is the middle between them. Of equally good
    cuts, the one closest to 0.5 is returned.

    Args:
        rule: `f1`, `youden` (sensitivity + specificity − 1), `costs` (the lowest cost), `recall` (the largest threshold
            that reaches it) or `precision` (the smallest threshold that reaches it).
        truth: bool[n] with rows of both values.
        scores: float64[n] probabilities.
    """
    thresholds, hits, false_alarms = threshold_cuts(truth, scores)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if rule.name == "recall":
        return float(thresholds[np.argmax(hits >= rule.value * positives - ROUNDING)]), "chosen"
    if rule.name == "precision":
        precision = hits / np.maximum(hits + false_alarms, 1)
        enough = np.flatnonzero((precision >= rule.value - ROUNDING) & (hits > 0))
        if len(enough):
            return float(thresholds[enough[-1]]), "chosen"
        return float(thresholds[np.lexsort((-hits, -precision))[0]]), "not_reached"
    missed = positives - hits
    values = {
        "f1": 2 * hits / (positives + hits + false_alarms),
        "youden": hits / positives - false_alarms / negatives,
        "costs": -(rule.false_negative * missed + rule.false_positive * false_alarms),
    }[rule.name]
    best = np.flatnonzero(np.isclose(values, values.max(), rtol=0, atol=ROUNDING))
    return float(thresholds[best[np.argmin(np.abs(thresholds[best] - DEFAULT_THRESHOLD))]]), "chosen"


def threshold_cuts(truth: Truths, scores: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the threshold of each cut, the highest first, with its numbers of true and false positives.

    The first cut is above all probabilities, unless one of them is 1.
    """
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(truth[order])
    last = np.flatnonzero(np.diff(ordered, append=-np.inf))  # of equal probabilities
    above, below = ordered[last], np.append(ordered[last][1:], 0.0)
    middles = (above + below) / 2
    thresholds = np.where(middles > below, middles, above)  # neighbouring numbers have no middle
    true_positives, predicted = hits[last].astype(np.float64), last + 1.0
    if above[0] < 1:
        thresholds = np.concatenate([[(above[0] + 1) / 2], thresholds])
        true_positives, predicted = np.append(0, true_positives), np.append(0, predicted)
    return thresholds, true_positives, predicted - true_positives


def _cross_fitted(
    rule: ThresholdRule, truth: Truths, scores: Floats, folds: Rows
) -> tuple[dict[str, float], dict[str, float]]:
    """Measure decisions at the default threshold, and at those that are best for the other folds."""
    decided = np.zeros(len(truth), np.bool_)
    for fold in range(CALIBRATION_FOLDS):
        own, rest = folds == fold, folds != fold
        threshold = (
            best_threshold(rule, truth[rest], scores[rest])[0] if 0 < truth[rest].mean() < 1 else DEFAULT_THRESHOLD
        )
        decided[own] = scores[own] >= threshold
    return _measure(rule, truth, scores >= DEFAULT_THRESHOLD), _measure(rule, truth, decided)


def _measure(rule: ThresholdRule, truth: Truths, decided: Truths) -> dict[str, float]:
    hits, false_alarms = int((truth & decided).sum()), int((~truth & decided).sum())
    positives, negatives = int(truth.sum()), int((~truth).sum())
    recall, predicted = hits / positives, hits + false_alarms
    if rule.name == "f1":
        return {"f1": 2 * hits / (positives + predicted)}
    if rule.name == "youden":
        return {"youden": recall - false_alarms / negatives}
    if rule.name == "costs":
        costs = rule.false_negative * (positives - hits) + rule.false_positive * false_alarms
        return {"cost": costs / len(truth)}
    return {"recall": recall, "precision": hits / predicted if predicted else float("nan")}
