"""Gradient-boosted trees over all columns; missing cells stay missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sensorium.baselines._base import SMALLEST, Baseline, Model, Path, Sample, useful_threads
from sensorium.baselines._blocks import Form
from sensorium.baselines._forest import Forest
from sensorium.table import Floats

TASKS = ("one class", "multilabel", "an amount")
SECONDS = (0.0002, 1.4)

ROUNDS, STEP = 400, 20  # trees per output, at most; trees that are added from one place on the path to the next
RATES = {0: 0.05, 10_000: 0.1}  # from this number of rows: how much a tree counts
LEAVES = {0: 15, 3_000: 31}  # from this number of rows: leaves of a tree, at most
FEWEST = {0: 3, 300: 5, 1_000: 10, 10_000: 20}  # from this number of rows: rows in a leaf, at least
BINS = {0: 63, 10_000: 255}  # from this number of rows: bins of a number, at most
SHARES = {0: 1.0, 10: 0.5, 200: 0.3}  # from this number of features: the share that a tree may use


@dataclass(frozen=True, eq=False)
class Trees(Baseline):
    """Gradient boosting (Friedman 2001) by LightGBM (Ke et al. 2017), stored as plain arrays.

    A missing cell takes the branch with the lower loss. Each tree is made from a share of the features (Friedman 2002,
    "Stochastic gradient boosting"). The path begins with a constant, the class frequencies or the mean, which is used
    if no tree predicts better. LightGBM is used to fit only.
    """

    form: ClassVar[Form] = "trees"
    model: ClassVar[type[Model]] = Forest
    usual: ClassVar[int] = 5

    @classmethod
    def path(cls, sample: Sample) -> Path:
        return _TreesPath(sample)


class _TreesPath(Path):
    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._constant = _constant(sample)
        self._sizes = list[int]()  # rounds at each place; fewer than planned if no tree can be added
        self._booster: Any = _new_booster(sample) if sample.outputs and not sample.lacks_events else None

    def steps(self, asked: Any) -> Iterator[Floats]:
        sample, booster = self._sample, self._booster
        self._sizes.append(0)
        yield np.tile(self._constant, (len(asked), 1))
        raw, done = np.zeros((len(asked), sample.outputs)), 0
        for _ in range(0, ROUNDS, STEP):
            for _ in range(STEP if booster is not None else 0):
                if booster.update():  # no split lowers the loss
                    break
            rounds = booster.current_iteration() if booster is not None else 0
            if rounds > done and len(asked):
                found = booster.predict(
                    asked,
                    start_iteration=done,
                    num_iteration=rounds - done,
                    raw_score=True,
                    num_threads=_threads(sample),
                )
                raw = raw + found.reshape(len(asked), sample.outputs)
            done = rounds
            self._sizes.append(rounds)
            yield raw if rounds else np.tile(self._constant, (len(asked), 1))

    def model(self, place: int) -> Forest:
        sample, rounds = self._sample, self._sizes[place]
        if not rounds:
            return Forest.constant(self._constant, sample.matrix.shape[1])
        text = self._booster.model_to_string(num_iteration=rounds)
        return Forest.of_lightgbm(text, sample.outputs, sample.matrix.shape[1])


def _constant(sample: Sample) -> Floats:
    """Return the raw scores float64[outputs] of the class frequencies, or of the mean."""
    if not sample.classes:
        mean = float(sample.target.mean())
        return np.array([np.log(max(mean, SMALLEST)) if sample.distribution == "poisson" else mean])
    if not sample.outputs:
        return np.zeros(0)
    logs = np.log(np.bincount(sample.target, sample.weights, sample.classes).clip(SMALLEST))
    return logs if sample.outputs > 1 else logs[1:] - logs[:1]


def _new_booster(sample: Sample) -> Any:
    import lightgbm

    options = _options(sample)
    codes = np.flatnonzero(sample.levels).tolist()
    data = lightgbm.Dataset(
        sample.matrix, sample.target, weight=sample.weights, categorical_feature=codes, params=options
    )
    return lightgbm.Booster(options, data)


def _options(sample: Sample) -> dict[str, Any]:
    """Return LightGBM's parameters: small trees for few rows; the same trees for any number of threads."""
    rows, width = sample.matrix.shape
    fewest = _from(FEWEST, rows)
    of_values = "poisson" if sample.distribution == "poisson" else "regression"
    objective = {0: of_values, 2: "binary"}.get(sample.classes, "multiclass")
    return {
        "objective": objective,
        "num_class": sample.classes if sample.classes > 2 else 1,
        "learning_rate": _from(RATES, rows),
        "num_leaves": _from(LEAVES, rows),
        "max_bin": _from(BINS, rows),
        "min_data_in_leaf": fewest,
        "min_data_per_group": fewest,
        "feature_fraction": _from(SHARES, width),
        "seed": sample.seed % 2**31,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": _threads(sample),
        "verbosity": -1,
    }


def _threads(sample: Sample) -> int:
    return useful_threads(sample.threads, int(np.prod(sample.matrix.shape)))


def _from(steps: dict[int, Any], size: int) -> Any:
    """Return the last value whose key is not above a size."""
    return next(value for least, value in reversed(steps.items()) if size >= least)
