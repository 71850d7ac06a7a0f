"""Estimate the time that the remaining trials of a comparison take, from those that are finished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import mean

from sensorium.blending import NetworkFolds
from sensorium.comparison._plan import Candidate
from sensorium.comparison._result import Kind

ROWS = 2000  # assumed for a blend; with fewer, its networks may be trained on more folds
SINGLES = 2.0  # times the work of the classical models of all columns, with those of each modality alone


def seconds_left(todo: Iterable[str], candidates: Mapping[str, Candidate], measured: Mapping[str, float]) -> float:
    """Return the estimated seconds of the remaining trials, one after another; 0 if they cannot be estimated yet.

    A fusion takes as long as its modalities together, times the factor of the fusions that are finished. So each
    modality must have been trained alone first: one may take a hundred times as long as another. The networks of a
    blend take as long as a fusion, and its classical models as long as the baselines, in each fold.

    Args:
        todo: candidate of each remaining trial.
        candidates: the models by name.
        measured: candidate → mean seconds of its finished trials.
    """
    todo = list(todo)
    if any(candidates[name].kind == "single" and name not in measured for name in todo):
        return 0.0
    return sum(measured.get(name) or _expected(candidates[name], candidates, measured) for name in todo)


def _expected(candidate: Candidate, candidates: Mapping[str, Candidate], measured: Mapping[str, float]) -> float:
    if candidate.kind == "baseline":
        return mean(_finished("baseline", candidates, measured).values() or [0.0])
    factors = [
        seconds / alone
        for name, seconds in _finished("fusion", candidates, measured).items()
        if (alone := _alone(candidates[name], measured))
    ]
    network = _alone(candidate, measured) * mean(factors or [1.0])
    if candidate.kind == "fusion":
        return network
    trainings = NetworkFolds.of(network, ROWS).trainings if candidate.folds > 1 else 1
    classical = sum(_finished("baseline", candidates, measured).values())
    return network * trainings + classical * candidate.folds * SINGLES


def _finished(kind: Kind, candidates: Mapping[str, Candidate], measured: Mapping[str, float]) -> dict[str, float]:
    """Return name → seconds of the finished models of a kind."""
    return {name: seconds for name, seconds in measured.items() if candidates[name].kind == kind}


def _alone(candidate: Candidate, measured: Mapping[str, float]) -> float:
    """Return the seconds that the modalities of a candidate took alone; those that failed do not count."""
    return sum(measured.get(name, 0.0) for name in candidate.modalities)
