"""Estimate the time that the remaining trials of a comparison take, from those that are finished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import mean

from sensorium.comparison._plan import Candidate


def seconds_left(todo: Iterable[str], candidates: Mapping[str, Candidate], measured: Mapping[str, float]) -> float:
    """Return the estimated seconds of the remaining trials, one after another; 0 if they cannot be estimated yet.

    A fusion takes as long as its modalities together, times the factor of the fusions that are finished. So each
    modality must have been trained alone first: one may take a hundred times as long as another.

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
    finished = [name for name in measured if candidates[name].kind == candidate.kind]
    if candidate.kind == "baseline":
        return mean(map(measured.__getitem__, finished)) if finished else 0.0
    factors = [measured[name] / alone for name in finished if (alone := _alone(candidates[name], measured))]
    return _alone(candidate, measured) * (mean(factors) if factors else 1.0)


def _alone(candidate: Candidate, measured: Mapping[str, float]) -> float:
    """Return the seconds that the modalities of a candidate took alone; those that failed do not count."""
    return sum(measured.get(name, 0.0) for name in candidate.modalities)
