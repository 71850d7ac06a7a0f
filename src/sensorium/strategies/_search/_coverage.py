"""What a search tried of its space, and the time budget that would try the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from sensorium.model.card import SearchCoverage
from sensorium.strategies._search._schedule import MOST, Schedule, make_schedule
from sensorium.strategies._search._trials import TrainingResult

ENOUGH = 10  # times the epochs of full trainings of all candidates, beyond which there is no schedule for them
STEP = 1.1  # factor between the budgets that are considered
OVERHEAD = 1.3  # of the time of trainings: files, intervals, and epochs that are not all alike


def coverage(
    results: Sequence[TrainingResult],
    firsts: Sequence[Mapping[str, Any]],
    schedule: Schedule | None,
    wanted: int,
    *,
    share: float = 1.0,
) -> SearchCoverage:
    """Return which settings the candidates of a search varied.

    Args:
        results: all trainings.
        firsts: choices of the first candidates, the plain fit first.
        schedule: the schedule of the search; None if the time was too short for one.
        wanted: number of epochs of a plain fit.
        share: share of the budget that the search may use.
    """
    plain, candidates = firsts[0], [result for result in results if result.key.isdigit()]
    tried = {result.key: result.choices for result in candidates}
    rest = [name for name in plain if name not in _varied(tried.values(), plain)]
    planned = schedule.rungs[0].candidates if schedule and schedule.rungs else 1
    needed = next((n for n in range(1, len(firsts)) if {*rest} <= _varied(firsts[:n], plain)), len(firsts))
    singles = [result for result in results if not result.key.isdigit()]
    per_epoch = mean(result.per_epoch for result in candidates or singles)
    epochs, begin = _epochs_for(needed, wanted), sum(result.seconds for result in singles)
    seconds = None if epochs is None or not rest else round(OVERHEAD * (epochs * per_epoch + begin) / share, 1)
    return SearchCoverage(
        planned=max(planned, len(tried)),
        tried=len(tried),
        varied=[name for name in plain if name not in rest],
        unvaried=rest,
        candidates_needed=needed if rest else None,
        seconds_needed=seconds,
    )


def _varied(choices: Any, plain: Mapping[str, Any]) -> set[str]:
    return {name for each in choices for name, value in each.items() if value != plain.get(name)}


def _epochs_for(candidates: int, wanted: int) -> float | None:
    """Return the number of epochs of a whole model from which a schedule has so many candidates.

    None if trainings of so few epochs are too short to compare as many.
    """
    epochs = float(candidates)
    while epochs < ENOUGH * candidates * wanted:
        rungs = make_schedule(epochs, wanted).rungs
        if rungs and rungs[0].candidates >= min(candidates, MOST):
            return epochs
        epochs *= STEP
    return None
