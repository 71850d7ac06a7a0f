"""Gradient-boosted trees over all columns; missing cells stay missing."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.baselines._base import Baseline
from sensorium.table import Floats, Rows

TASKS = ("binary", "multiclass", "multilabel", "regression")
SECONDS = (0.016, 2.5)

TREES, RATE, LEAVES = 200, 0.06, 15  # at most; each counts for; each has at most


class Trees(Baseline):
    """Histogram-based gradient boosting (Friedman 2001; Ke et al. 2017, LightGBM) by scikit-learn.

    Uses the number of trees that is best on the validation rows. A missing cell takes the branch with the lower loss.
    """

    def _fit(self, target: npt.NDArray[Any]) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        job = self.job
        kind = HistGradientBoostingClassifier if self.classes else HistGradientBoostingRegressor
        if self.classes and len(np.unique(target[job.train])) < 2:
            return float(target[job.train][0])
        model = kind(
            max_iter=TREES, learning_rate=RATE, max_leaf_nodes=LEAVES, early_stopping=False, random_state=job.seed,
            categorical_features=np.flatnonzero(job.columns.levels),
        )  # fmt: skip
        model.fit(job.columns.values[job.train], target[job.train], self.weights[job.train])
        losses = [self.loss(answers, target[job.validation]) for answers in self._staged(model, job.validation)]
        return model, int(np.argmin(losses))

    def _answer(self, model: Any, rows: Rows) -> Floats:
        if isinstance(model, float):
            return np.tile(np.eye(2)[int(model)], (len(rows), 1))
        trees, best = model
        return next(islice(self._staged(trees, rows), best, None))

    def _staged(self, model: Any, rows: Rows) -> Any:
        """Yield the outputs after one tree, two trees …"""
        values = self.job.columns.values[rows]
        if not self.classes:
            return model.staged_predict(values)
        return (self.spread(found, model.classes_) for found in model.staged_predict_proba(values))
