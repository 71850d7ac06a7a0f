"""Average the scores of several models, if the ensemble is significantly better than the best model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sensorium.evaluate import compare_outcomes
from sensorium.metrics import Outcome, rank_value, score
from sensorium.planning import Plan
from sensorium.strategies._search._space import has_probabilities
from sensorium.trials import TrialResult

MOST = 4  # members


def choose_ensemble(plan: Plan, models: Sequence[TrialResult], metric: str) -> list[int]:
    """Select an ensemble greedily (Caruana et al. 2004, "Ensemble selection from libraries of models").

    The selection starts from the best model and adds one model at a time, each at most once: the one that improves the
    averaged scores most. In classification, a model that increases the log loss is not added, because averaging can
    improve accuracy and yet impair calibration.

    Args:
        plan: the plan, whose task reads the scores.
        models: the models with their validation outcomes, best first.
        metric: the watched metric.

    Returns:
        Indices of the members among the models, best first; empty unless the paired bootstrap interval of the gain
        over the best model lies above 0.
    """
    outcomes = [model.outcomes["validation"] for model in models]

    def value(places: list[int]) -> float:
        outcome = mean_outcome(plan, [outcomes[place] for place in places])
        return rank_value(metric, float(score(metric, outcome)[0]))

    def loss(places: list[int]) -> float:
        outcome = mean_outcome(plan, [outcomes[place] for place in places])
        return float(score("log_loss", outcome)[0]) if has_probabilities(plan) else 0.0

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
        return []
    gain = compare_outcomes(mean_outcome(plan, [outcomes[place] for place in members]), outcomes[0], metric)
    return members if gain.interval[0] > 0 else []


def mean_outcome(plan: Plan, outcomes: Sequence[Outcome]) -> Outcome:
    """Average the scores of several outcomes of the same rows; a model without a value in a row counts with the prior.

    It only selects candidates. Whether the ensemble is kept depends on the outcome of the joined model.
    """
    scores = np.mean([outcome.scores for outcome in outcomes], axis=0)
    return plan.task.outcome(scores, outcomes[0].truth).grouped(outcomes[0].groups)


def join(plan: Plan, models: Sequence[TrialResult]) -> TrialResult:
    """Join several models to one ensemble of equal weights, which has the card of the first.

    Each member keeps its temperature and gets the name of its trial. The result has no outcomes yet: in a row where a
    member has no value, the ensemble averages the others, and `mean_outcome` does not.
    """
    fitted = [model.model for model in models]
    members = [replace(fit.first, name=model.spec.name) for fit, model in zip(fitted, models, strict=True)]
    needed = {column for each in fitted for column in each.learnt}
    columns = [name for name in plan.learnt if name in needed]
    joined = replace(
        fitted[0],
        learnt={name: plan.learnt[name] for name in columns},
        kinds={name: plan.kinds[name] for name in columns},
        members=members,
        member_weights=(),
        prior_share=0.0,
    )
    seconds = sum(model.seconds for model in models)
    return replace(models[0], fitted=joined, outcomes={}, seconds=seconds)
