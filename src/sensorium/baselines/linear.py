"""Logistic or ridge regression over all columns."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.baselines._base import Baseline, Job
from sensorium.table import Floats, Rows

TASKS = ("binary", "multiclass", "multilabel", "regression")
SECONDS = (0.002, 2.0)

PENALTIES = (0.1, 1.0, 10.0, 100.0)  # of which the best on the validation rows is taken
STEPS = 300  # of the solver, at most
LARGEST = 10.0  # deviations from the mean at which a number is cut


class Linear(Baseline):
    """Linear model on standardized numbers, gaps filled with the mean plus an indicator, one-hot categories; L2."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.matrix = _spread_out(job)

    @property
    def parameters(self) -> int:  # type: ignore[override]
        return sum(model.coef_.size + np.size(model.intercept_) for model in self.models if hasattr(model, "coef_"))

    def _fit(self, target: npt.NDArray[Any]) -> Any:
        train, validation = self.job.train, self.job.validation
        if self.classes and len(np.unique(target[train])) < 2:
            return float(target[train][0])
        if not self.classes:
            middle, scale = target[train].mean(), target[train].std() or 1.0
            target = (target - middle) / scale
        found: list[tuple[float, int, Any]] = []
        for penalty in PENALTIES:
            model = self._solve(penalty, target)
            found.append((self.loss(self._plain(model, validation), target[validation]), len(found), model))
        best = min(found)[2]
        if not self.classes:
            best.coef_, best.intercept_ = best.coef_ * scale, best.intercept_ * scale + middle
        return best

    def _solve(self, penalty: float, target: npt.NDArray[Any]) -> Any:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression, Ridge

        model = LogisticRegression(C=1 / penalty, max_iter=STEPS) if self.classes else Ridge(penalty)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a stop before full convergence is acceptable
            train = self.job.train
            return model.fit(self.matrix[train], target[train], self.weights[train])

    def _answer(self, model: Any, rows: Rows) -> Floats:
        if isinstance(model, float):
            return np.tile(np.eye(2)[int(model)], (len(rows), 1))
        return self._plain(model, rows)

    def _plain(self, model: Any, rows: Rows) -> Floats:
        if not self.classes:
            return np.asarray(model.predict(self.matrix[rows]), np.float64)
        return self.spread(model.predict_proba(self.matrix[rows]), model.classes_)


def _spread_out(job: Job) -> npt.NDArray[np.float32]:
    """Return float32[n, g] without gaps."""
    values, levels, parts = job.columns.values, job.columns.levels, list[Any]()
    for place, count in enumerate(levels):
        if count:
            parts.append(values[:, place, None] == np.arange(count))
    numbers = values[:, levels == 0]
    if numbers.shape[1]:
        gaps = np.isnan(numbers)
        marked = gaps[job.train].any(0)
        known = np.ma.masked_array(numbers, gaps)[job.train].astype(np.float64)
        mean, scale = known.mean(0).filled(0), known.std(0).filled(1)
        scaled = (numbers - mean) / np.where((scale > 0) & ~job.columns.components[levels == 0], scale, 1)
        parts += [np.where(gaps, 0, scaled).clip(-LARGEST, LARGEST), gaps[:, marked]]
    return np.concatenate(parts, 1).astype(np.float32)
