"""Logistic, ridge or Poisson regression over all columns."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from sensorium.baselines._base import SMALLEST, Baseline, Model, Path, Sample
from sensorium.baselines._blocks import Form
from sensorium.baselines._ridge import Ridge
from sensorium.table import Floats

TASKS = ("one class", "multilabel", "an amount")
SECONDS = (0.00005, 0.3)
TEXT_FEATURES = 200

STRENGTHS = (0.0001, 0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)  # of the data against the penalty, 1 / λ
STEPS = 200  # of the solver per strength, at most


@dataclass(frozen=True, eq=False)
class LinearModel(Model):
    """Linear model of one target.

    Attributes:
        coefficients: float32[outputs, f].
        intercepts: float64[outputs].
    """

    coefficients: npt.NDArray[np.float32]
    intercepts: npt.NDArray[np.float64]

    def check(self) -> None:
        if self.coefficients.ndim != 2 or self.intercepts.shape != self.coefficients.shape[:1]:
            raise ValueError("coefficients and intercepts do not match")

    def check_width(self, width: int) -> None:
        if self.coefficients.shape[1] != width:
            raise ValueError(f"coefficients of {self.coefficients.shape[1]} features instead of {width}")

    @property
    def outputs(self) -> int:
        return len(self.intercepts)

    @property
    def parameters(self) -> int:
        return self.coefficients.size + self.intercepts.size

    def raw(self, matrix: Any) -> Floats:
        return np.asarray(matrix @ self.coefficients.T.astype(np.float64) + self.intercepts, np.float64)


@dataclass(frozen=True, eq=False)
class Linear(Baseline):
    """Linear model with an L2 penalty on standardized numbers, TF-IDF of texts and one-hot categories.

    Strengths of the penalty from strong to weak; each solution starts from the one before.
    """

    form: ClassVar[Form] = "linear"
    model: ClassVar[type[Model]] = LinearModel
    usual: ClassVar[int] = STRENGTHS.index(1.0)

    @classmethod
    def path(cls, sample: Sample) -> Path:
        return _LinearPath(sample)


class _LinearPath(Path):
    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._models: list[LinearModel] = []

    def steps(self, asked: Any) -> Iterator[Floats]:
        for coefficients, intercepts in self._solutions():
            model = LinearModel(coefficients.astype(np.float32), np.asarray(intercepts, np.float64))
            self._models.append(model)
            yield model.raw(asked)

    def model(self, place: int) -> LinearModel:
        return self._models[place]

    def _solutions(self) -> Iterator[tuple[Floats, Floats]]:
        """Yield coefficients [outputs, f] and intercepts [outputs] of each strength."""
        sample, width = self._sample, self._sample.matrix.shape[1]
        if sample.classes == 1:
            return iter([(np.zeros((0, width)), np.zeros(0))] * len(STRENGTHS))
        if sample.lacks_events:
            return iter([(np.zeros((1, width)), np.log([SMALLEST]))] * len(STRENGTHS))
        if not sample.classes and sample.distribution == "normal":
            if "ridge" not in sample.shared:
                sample.shared["ridge"] = Ridge(sample.matrix)
            return sample.shared["ridge"].path(sample.target, [1 / strength for strength in STRENGTHS])
        solutions = self._logistic if sample.classes else self._poisson
        if not width:  # scikit-learn wants a feature
            return ((found[:, :0], own) for found, own in solutions(np.zeros((len(sample.target), 1))))
        return solutions(sample.matrix)

    def _poisson(self, matrix: Any) -> Iterator[tuple[Floats, Floats]]:
        """Minimize the sum of the deviances / 2 and the penalty; scikit-learn divides the sum by the number of rows."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import PoissonRegressor

        target = self._sample.target
        model = PoissonRegressor(max_iter=STEPS, warm_start=True)
        for strength in STRENGTHS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.set_params(alpha=1 / (strength * len(target))).fit(matrix, target)
            yield model.coef_[None], np.array([model.intercept_])

    def _logistic(self, matrix: Any) -> Iterator[tuple[Floats, Floats]]:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(max_iter=STEPS, warm_start=True)
        for strength in STRENGTHS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # a stop before full convergence is acceptable
                warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # the task is known
                model.set_params(C=strength).fit(matrix, self._sample.target, self._sample.weights)
            yield model.coef_, model.intercept_
