"""Several models as one: the mean of their scores, taken only where it is surely better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sensorium.evaluate import Difference, compare_outcomes
from sensorium.metrics import Outcome, lower_is_better, score
from sensorium.model.card import CalibrationRecord
from sensorium.planning import Plan
from sensorium.strategies._search._space import has_probabilities
from sensorium.trials import TrialResult

MOST = 4  # members


@dataclass(frozen=True)
class Ensemble:
    """Members by their places among the models that were offered, the best first, and what they gain over it."""

    members: list[int]
    gain: Difference


def choose_ensemble(plan: Plan, models: Sequence[TrialResult], metric: str) -> Ensemble | None:
    """Greedy selection (Caruana et al. 2004, "Ensemble selection from libraries of models").

    It starts from the best model and adds, one at a time and each once, the model that betters the mean of the scores
    most. Of classes and labels, none that makes the log loss worse: a mean of unequal models can be right more often
    and yet far from as sure as it is right.

    Args:
        plan: whose task reads the scores.
        models: the best first, with their answers to the validation rows.
        metric: the watched one.

    Returns:
        None unless the paired bootstrap interval of its gain over the best model alone lies above 0.
    """
    outcomes = [model.outcomes["validation"] for model in models]
    sign = -1 if lower_is_better(metric) else 1

    def value(places: list[int]) -> float:
        found = sign * float(score(metric, mean_outcome(plan, [outcomes[place] for place in places]))[0])
        return found if np.isfinite(found) else -np.inf

    def loss(places: list[int]) -> float:
        found = mean_outcome(plan, [outcomes[place] for place in places])
        return float(score("log_loss", found)[0]) if has_probabilities(plan) else 0.0

    members, best = [0], value([0])
    while len(members) < MOST:
        most = loss(members)
        offered = [place for place in range(len(models)) if place not in members and loss([*members, place]) <= most]
        tried = [(value([*members, place]), -place) for place in offered]
        if not tried or max(tried)[0] <= best:
            break
        best = max(tried)[0]
        members.append(-max(tried)[1])
    if len(members) == 1:
        return None
    gain = compare_outcomes(mean_outcome(plan, [outcomes[place] for place in members]), outcomes[0], metric)
    return Ensemble(members, gain) if gain.interval[0] > 0 else None


def mean_outcome(plan: Plan, outcomes: Sequence[Outcome]) -> Outcome:
    """The answers of the mean of some models' scores to the rows that they all answered."""
    scores = np.mean([outcome.scores for outcome in outcomes], axis=0)
    return plan.task.outcome(scores, outcomes[0].truth)


def join(plan: Plan, models: Sequence[TrialResult]) -> TrialResult:
    """One model of several; the card is that of the first, with all their temperatures."""
    fitted = [model.model for model in models]
    needed = {column for each in fitted for column in each.learnt}
    columns = [name for name in plan.learnt if name in needed]
    card = fitted[0].card
    if has_probabilities(plan) and card.calibration:
        calibration = CalibrationRecord(temperature=[each.temperature for each in fitted])
        card = card.updated(calibration=calibration)
    joined = replace(
        fitted[0],
        learnt={name: plan.learnt[name] for name in columns},
        kinds={name: plan.kinds[name] for name in columns},
        others=[member for other in fitted[1:] for member in other.members],
        card=card,
    )
    outcomes = {"validation": mean_outcome(plan, [model.outcomes["validation"] for model in models])}
    seconds = sum(model.seconds for model in models)
    return replace(models[0], fitted=joined, outcomes=outcomes, seconds=seconds, pretraining=None)
