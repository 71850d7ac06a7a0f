"""Measure the coverage and size of prediction sets and intervals on labelled rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.conformal import EVERY, Category, Conformal, Per, Presence, Regions, find_regions
from sensorium.evaluate._coverage_results import CoverageRate, Coverages, TargetCoverage
from sensorium.evaluate._studentized import Studentized
from sensorium.evaluate.bootstrap import CELLS, LEVEL, group_resamples, interval_around, resamples
from sensorium.evaluate.proportions import proportion
from sensorium.metrics import Outcome
from sensorium.table import Floats, Rows

POINTS = 100  # of an abstention curve


def measure_coverage(
    conformal: Mapping[str, Conformal], outcome: Outcome, presence: Presence, level: float, per: Per = "modalities"
) -> Coverages:
    """Measure the coverage of each target that has a conformal predictor.

    Args:
        conformal: target → its conformal predictor, with the key "" for a single target.
        outcome: truth, scores and groups of rows.
        presence: modalities of these rows.
        level: the coverage to reach.
        per: the rows for which it has to be reached, see `find_regions`.

    Raises:
        ConfigError: there are too few calibration rows for this coverage.
    """
    found = dict[str, TargetCoverage]()
    for name, own, there in _parts(outcome, presence):
        if name in conformal and len(own):
            regions = find_regions(conformal[name], own.scores, there, level, per)
            found[name] = _measure(conformal[name], regions, own, there, per)
    return Coverages(level, per, found)


def _parts(outcome: Outcome, presence: Presence) -> Iterator[tuple[str, Outcome, Presence]]:
    """Yield each target with its rows of a known label."""
    if not outcome.parts:
        yield "", outcome, presence
    for name in outcome.parts:
        rows, own = outcome.of_target(name)
        yield name, own, presence.take(rows)


def _measure(conformal: Conformal, regions: Regions, outcome: Outcome, presence: Presence, per: Per) -> TargetCoverage:
    covered, every = regions.contain(outcome.truth), np.arange(len(outcome))

    def rate(category: Category, rows: Rows, contained: npt.NDArray[np.bool_]) -> CoverageRate:
        own, kind = conformal.distributions.get(category), category[0]
        falls_back = kind == per and (own is None or category in regions.fallbacks)
        used = conformal.every if own is None or falls_back or kind != per else own
        groups = None if outcome.groups is None else outcome.groups[rows]
        sizes = regions.sizes[rows]
        empty = None if regions.sets is None else float((sizes == 0).mean())
        return CoverageRate(
            names=list(category[1]),
            rows=len(rows),
            calibration_rows=used.rows,
            fallback=falls_back,
            coverage=float(contained[rows].mean()),
            interval=share_interval(contained[rows], groups),
            size=float(sizes.mean()),
            size_interval=mean_interval(sizes, groups),
            empty=empty,
        )

    codes, subsets = presence.subsets()
    modalities = [
        rate(("modalities", names), np.flatnonzero(codes == number), covered) for number, names in enumerate(subsets)
    ]
    classes = []
    for number in range(conformal.labels):
        rows, contained = _of_class(regions, outcome, covered, number)
        classes += [rate(("class", (str(number),)), rows, contained)] if len(rows) else []
    return TargetCoverage(
        method=conformal.method,
        every=rate(EVERY, every, covered),
        modalities=sorted(modalities, key=lambda each: -each.rows),
        classes=classes,
        abstention=abstention_curve(outcome, regions),
        single=_single(regions, outcome, covered),
    )


def _of_class(
    regions: Regions, outcome: Outcome, covered: npt.NDArray[np.bool_], number: int
) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """Return the rows of a class or with a label, and whether the set of each row contains it."""
    if not outcome.is_multilabel:
        return np.flatnonzero(outcome.truth == number), covered
    assert regions.sets is not None
    return np.flatnonzero(outcome.truth[:, number]), regions.sets[:, number]


def _single(regions: Regions, outcome: Outcome, covered: npt.NDArray[np.bool_]) -> dict[str, float] | None:
    if regions.sets is None or outcome.is_multilabel:
        return None
    single = regions.sizes == 1
    accuracy = float(covered[single].mean()) if single.any() else float("nan")
    return {"answered": float(single.mean()), "accuracy": accuracy}


def abstention_curve(outcome: Outcome, regions: Regions) -> list[dict[str, float]]:
    """Return the quality of predictions if only the most certain rows are answered, at up to `POINTS` shares.

    Classes are as certain as the probability of the predicted one, amounts the more, the narrower their interval.
    Several labels per row have no common certainty: their curve is empty.
    """
    if outcome.is_multilabel:
        return []
    rows = np.arange(len(outcome))
    certain = -regions.sizes if regions.sets is None else outcome.scores[rows, outcome.predicted]
    if np.ptp(certain) <= 1e-9 * np.abs(certain).max(initial=0.0):
        return []
    order = np.argsort(-certain, kind="stable")
    name, values = ("mae", np.abs(outcome.truth - outcome.scores)) if regions.sets is None else _right(outcome)
    ends = np.unique(np.linspace(0, len(rows), min(POINTS, len(rows)) + 1).round().astype(np.int64))[1:]
    means = np.cumsum(values[order])[ends - 1] / ends
    return [{"answered": float(n / len(rows)), name: float(mean)} for n, mean in zip(ends, means, strict=True)]


def _right(outcome: Outcome) -> tuple[str, Floats]:
    return "accuracy", (outcome.predicted == outcome.truth).astype(np.float64)


def share_interval(holds: npt.NDArray[np.bool_], groups: Rows | None) -> tuple[float, float]:
    """Return the 95% interval of a share; NaN for a single group."""
    found = proportion(holds, groups)
    return found.low, found.high


def mean_interval(values: npt.NDArray[Any], groups: Rows | None) -> tuple[float, float]:
    """Return the 95% interval of a mean of rows by the bootstrap, studentized if it can be; NaN for a single group."""
    blocks = resamples(len(values), cells=CELLS) if groups is None else group_resamples(groups, cells=CELLS)
    studentized = Studentized.of(values.astype(np.float64), np.ones(len(values)), float, groups=groups)
    drawn = []
    for weights in blocks:
        studentized.add(weights)
        with np.errstate(invalid="ignore"):  # a resample of one group has no rows
            drawn.append(weights @ values / weights.sum(1))
    return studentized.ends(LEVEL) or interval_around(np.concatenate(drawn), float(values.mean()))
