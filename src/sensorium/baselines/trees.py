"""Gradient-boosted trees over all columns; missing cells stay missing."""

from __future__ import annotations

from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.baselines._base import Baseline, Job
from sensorium.baselines._columns import Columns
from sensorium.baselines._reduce import Features
from sensorium.table import Floats, Rows

TASKS = ("binary", "multiclass", "multilabel", "regression")
SECONDS = (0.003, 4.0)

TREES, RATE, LEAVES = 200, 0.06, 15  # at most; each counts for; each has at most
STEP = 20  # trees that are added before the validation loss is looked at; training stops once they do not lower it
SHARE = 0.3  # of the columns, drawn anew for each split: faster, and less correlated trees
PARALLEL = 2_000_000  # numbers of the training rows, below which threads wait for each other longer than they work
BINS = 255  # of a column, at most; scikit-learn has one more for missing cells


class Trees(Baseline):
    """Histogram-based gradient boosting (Friedman 2001; Ke et al. 2017, LightGBM) by scikit-learn.

    Uses the number of trees that is best on the validation rows, and stops when more trees do not help. A missing cell
    takes the branch with the lower loss. Each split is chosen from a share of the columns (Friedman 2002, "Stochastic
    gradient boosting").
    """

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.binned = bin_columns(job.columns, job.train)

    def _fit(self, target: npt.NDArray[Any]) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        job = self.job
        kind = HistGradientBoostingClassifier if self.classes else HistGradientBoostingRegressor
        if self.classes and len(np.unique(target[job.train])) < 2:
            return float(target[job.train][0])
        model = kind(
            learning_rate=RATE, max_leaf_nodes=LEAVES, max_features=SHARE, early_stopping=False, warm_start=True,
            random_state=job.seed, categorical_features=np.flatnonzero(job.columns.levels),
        )  # fmt: skip
        with self._threads():
            self._grow(model, target)
            losses = [self.loss(answers, target[job.validation]) for answers in self._staged(model, job.validation)]
        return model, int(np.argmin(losses))

    def _grow(self, model: Any, target: npt.NDArray[Any]) -> None:
        """Add trees until they do not lower the validation loss."""
        job, best = self.job, np.inf
        for trees in range(STEP, TREES + 1, STEP):
            model.set_params(max_iter=trees)
            model.fit(self.binned[job.train], target[job.train], self.weights[job.train])
            loss = self.loss(self._last(model, job.validation), target[job.validation])
            if loss >= best:
                break
            best = loss

    def _threads(self) -> AbstractContextManager[Any]:
        """Use one thread for a small matrix; a larger one may use those of the process.

        The threads of OpenMP wait actively at the end of each small step, which is slow beside other work.
        """
        from threadpoolctl import threadpool_limits

        small = self.binned.shape[1] * len(self.job.train) < PARALLEL
        return threadpool_limits(1 if small else None, user_api="openmp")

    def _last(self, model: Any, rows: Rows) -> Floats:
        """Return the outputs of all trees."""
        values = self.binned[rows]
        return self.spread(model.predict_proba(values), model.classes_) if self.classes else model.predict(values)

    def _answer(self, model: Any, rows: Rows) -> Floats:
        if isinstance(model, float):
            return np.tile(np.eye(2)[int(model)], (len(rows), 1))
        trees, best = model
        with self._threads():
            return next(islice(self._staged(trees, rows), best, None))

    def _staged(self, model: Any, rows: Rows) -> Any:
        """Yield the outputs after one tree, two trees …"""
        values = self.binned[rows]
        if not self.classes:
            return model.staged_predict(values)
        return (self.spread(found, model.classes_) for found in model.staged_predict_proba(values))


def bin_columns(columns: Columns, train: Rows) -> Features:
    """Replace numbers by the bins of quantiles that they fall into, float32[n, f]; NaN and categories are kept.

    scikit-learn bins numbers itself, but with weights of the rows it computes each quantile of each column in Python.
    A column of few different values is left to it: its bins are these values.

    Args:
        columns: the matrix of all rows.
        train: positions of the training rows, whose quantiles are used.
    """
    binned = columns.values.copy()
    for place in np.flatnonzero(columns.levels == 0):
        column = columns.values[:, place]
        known = column[train][~np.isnan(column[train])]
        if len(np.unique(known)) <= BINS:
            continue
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1], method="midpoint"))
        found = np.searchsorted(edges, column, side="right")
        binned[:, place] = np.where(np.isnan(column), np.nan, found)
    return binned
