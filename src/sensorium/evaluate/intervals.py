"""95% intervals of metrics.

Proportions of rows have Wilson's interval, other ratios of sums the studentized bootstrap, and all others the
accelerated bootstrap (BCa); the file of a metric says what it is (`metrics/_ratios.py`). `benchmarks/intervals.py`
measures how often intervals contain the value of the population.

Wilson 1927, "Probable inference, the law of succession, and statistical inference"; Efron 1987, "Better bootstrap
confidence intervals"; Hall 1988, "Theoretical comparison of bootstrap confidence intervals"; Hesterberg 2015, "What
teachers should know about the bootstrap".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sensorium.evaluate._acceleration import measure_acceleration
from sensorium.evaluate._studentized import Studentized
from sensorium.evaluate.bootstrap import LEVEL, correct_bias
from sensorium.evaluate.proportions import NORMAL, wilson
from sensorium.evaluate.resampled_t import quantile_t
from sensorium.evaluate.scores import clip_interval
from sensorium.metrics import Outcome, Trials, bias_of, terms_of, trials_of
from sensorium.table import Floats

FEW_ROWS, FEW_GROUPS = 300, 30  # from which on intervals are meant to contain the population's value in 95%


class MetricInterval:
    """Interval of the mean of a metric over several runs, from resamples that are added block by block.

    Args:
        name: registered name; `target.metric` for one of several targets.
        runs: outcomes on the same rows.
    """

    def __init__(self, name: str, runs: Sequence[Outcome]) -> None:
        self.name, self.runs = name, runs
        self.drawn: list[Floats] = []
        terms = terms_of(name, runs[0]) if len(runs) == 1 else None
        self.studentized = None if terms is None else Studentized.of(*terms, groups=runs[0].groups)

    def add(self, weights: Floats, values: Floats) -> None:
        """Add a block of resamples: their weights [r, n] and values [r]."""
        self.drawn.append(values)
        if self.studentized:
            self.studentized.add(weights)

    def ends(self, value: float) -> tuple[float, float]:
        """Return the interval, which contains the value on all rows; NaN if most resamples have no value."""
        drawn = np.concatenate(self.drawn)
        defined = drawn[np.isfinite(drawn)]
        if not math.isfinite(value) or 2 * len(defined) < len(drawn):
            return math.nan, math.nan
        if (trials := trials_of(self.name, self.runs[0])) is not None:
            low, high = _of_proportion(value, trials, defined, self.runs)
        elif self.studentized is None or (found := self.studentized.ends(LEVEL)) is None:
            low, high = self._accelerated(value, defined)
        else:
            low, high = found
        return clip_interval(self.name, min(low, value), max(high, value))

    def _accelerated(self, value: float, drawn: Floats) -> tuple[float, float]:
        """Return percentiles of the bias-corrected resamples, at levels that allow for skewness and few units."""
        outcome, target = self.runs[0], self.name.rpartition(".")[0]
        known = outcome.parts[target].known if target else np.ones(len(outcome), bool)
        units = int(known.sum()) if outcome.groups is None else len(np.unique(outcome.groups[known]))
        spread = quantile_t(LEVEL, units - 1) if units > 1 else NORMAL
        acceleration = measure_acceleration(self.name, self.runs)
        levels = [_normal_share(z / (1 - acceleration * z)) for z in (-spread, spread)]
        bias = bias_of(self.name, outcome)
        if bias is None:
            low, high = np.quantile(correct_bias(drawn, value), levels)
            return float(low), float(high)
        low, high = np.quantile(drawn, levels) - np.median(drawn) + value
        return float(low) - bias[1], float(high) - bias[0]


def count_few(outcome: Outcome) -> dict[str, int]:
    """Return what is too few for intervals to be relied on: `rows` or `groups` → their number; empty if nothing is.

    With several targets, `target.rows` and `target.groups` are those with a label of this target, if all are enough.
    """
    few = _few(outcome)
    for name, part in outcome.parts.items():
        own = outcome.take(np.flatnonzero(part.known))
        few |= {f"{name}.{unit}": number for unit, number in _few(own).items() if unit not in few}
    return few


def _few(outcome: Outcome) -> dict[str, int]:
    few = {"rows": len(outcome)} if len(outcome) < FEW_ROWS else {}
    groups = outcome.group_count
    return few | ({"groups": groups} if groups is not None and groups < FEW_GROUPS else {})


def _of_proportion(value: float, trials: Trials, drawn: Floats, runs: Sequence[Outcome]) -> tuple[float, float]:
    """Return Wilson's interval of a proportion.

    Rows of a group, and runs on the same rows, are not independent: their number is replaced by the effective one, with
    which the variance of a proportion equals that of the resamples (Korn and Graubard 1998).
    """
    groups = runs[0].groups
    counted = np.ones(len(runs[0]), bool) if trials[1] is None else trials[1]
    number, quantile = float(counted.sum()), NORMAL
    independent = number if groups is None else len(np.unique(groups[counted]))
    if groups is not None or len(runs) > 1:
        variance = float(drawn.var())
        effective = value * (1 - value) / variance if variance > 0 else independent
        number = min(number * len(runs), effective)
    if groups is not None:
        quantile = quantile_t(LEVEL, max(1, int(independent) - 1))
    return wilson(value, number, quantile)


def _normal_share(z: float) -> float:
    """Return the share of the standard normal distribution below z."""
    return (1 + math.erf(z / math.sqrt(2))) / 2
