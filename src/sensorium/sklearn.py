"""Scikit-learn estimators, for pipelines, cross-validation and hyperparameter search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.api import fit
from sensorium.config import Config
from sensorium.errors import MissingExtraError
from sensorium.predictor import Model
from sensorium.table import Table, open_table

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data
except ImportError as error:  # pragma: no cover - the tests install it
    raise MissingExtraError("scikit-learn is not installed", cure="pip install 'sensorium[sklearn]'") from error

TARGET = "__target__"
FEWEST_ROWS = 4


class _Multimodal(BaseEstimator):
    """Base class of both estimators; X is anything that `sensorium.fit` takes, or an array."""

    def __init__(
        self,
        *,
        fusion: str | Mapping[str, Any] = "concat",
        modalities: Mapping[str, Any] | None = None,
        encoders: Mapping[str, Any] | None = None,
        epochs: int | None = None,
        validation_fraction: float = 0.1,
        config: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = 0,
        device: str = "auto",
    ) -> None:
        self.fusion = fusion
        self.modalities = modalities
        self.encoders = encoders
        self.epochs = epochs
        self.validation_fraction = validation_fraction
        self.config = config
        self.random_state = random_state
        self.device = device

    def _fit(self, table: Table, y: npt.NDArray[Any], task: str) -> None:
        if len(y) < FEWEST_ROWS:
            raise ValueError(f"{FEWEST_ROWS} rows or more are needed to train and validate, found n_samples={len(y)}")
        self.model_: Model = fit(
            replace(table, arrow=table.arrow.append_column(TARGET, pa.array(y))),
            TARGET,
            config=self.config,
            progress=False,
            task=task,
            fusion=self.fusion,
            modalities=self.modalities or {},
            encoders=self.encoders or {},
            train={} if self.epochs is None else {"epochs": self.epochs},
            split={"test": 0.0, "validation": self.validation_fraction},
            seed=self._seed(),
            device=self.device,
        )

    def _seed(self) -> int:
        if isinstance(self.random_state, np.random.RandomState):
            return int(self.random_state.randint(2**31))
        return int(self.random_state or 0)

    def _checked(self, X: Any, y: Any) -> tuple[Table, npt.NDArray[Any]]:
        """Return the table and the labels of a fit, checked."""
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        table = open_table(self._source(X, reset=True), Config.gather(self.config or {}).table)
        labels = column_or_1d(y, warn=True)
        check_consistent_length(table, labels)
        return table, labels

    def _given(self, X: Any) -> Any:
        """Return the rows to predict; the model knows how to read their cells."""
        check_is_fitted(self)
        return self._source(X, reset=False)

    def _source(self, X: Any, reset: bool) -> Any:
        """Return a frame unchanged, or the columns of an array named x0, x1 …"""
        if hasattr(X, "__arrow_c_stream__"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        values = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
        columns = enumerate(np.asarray(values).T)
        return {f"x{place}": column.tolist() if column.dtype == object else column for place, column in columns}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags


class MultimodalClassifier(ClassifierMixin, _Multimodal):
    """Classifier for tables with columns of several modalities.

    Args:
        fusion: registered name, or a mapping of name and options.
        modalities, encoders: column → modality, encoder, as in `sensorium.fit`.
        epochs: maximum number of passes over the rows; depends on their number by default.
        validation_fraction: fraction of the rows that is held out for early stopping.
        config: any other settings, as nested mappings.
        random_state: random seed, or a generator to draw it from; None means 0.
        device: auto, cpu, cuda …

    Attributes:
        classes_: the sorted labels, in the order of the columns of `predict_proba`.
        model_: the fitted `sensorium.Model`.

    Example:
        >>> from sensorium.sklearn import MultimodalClassifier
        >>> X = np.random.default_rng(0).normal(size=(60, 3))
        >>> y = np.where(X[:, 0] > 0, "yes", "no")
        >>> classifier = MultimodalClassifier(epochs=2).fit(X, y)
        >>> classifier.classes_.tolist(), classifier.predict_proba(X).shape
        (['no', 'yes'], (60, 2))
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train the model.

        Args:
            X: a data frame, an array or a list of rows.
            y: [n] labels.
        """
        table, labels = self._checked(X, y)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier cannot be trained on one class only: {self.classes_.tolist()[0]!r}")
        self._fit(table, codes, "binary" if len(self.classes_) == 2 else "multiclass")
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Predict the labels, [n]."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(1)]

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Predict the probabilities of the classes, [n, classes], in the order of `classes_`."""
        rows = self._given(X)
        return self.model_.predict_proba(rows)


class MultimodalRegressor(RegressorMixin, _Multimodal):
    """Regressor for tables with columns of several modalities; takes the arguments of `MultimodalClassifier`.

    Attributes:
        model_: the fitted `sensorium.Model`.

    Example:
        >>> from sensorium.sklearn import MultimodalRegressor
        >>> X = np.random.default_rng(0).normal(size=(60, 3))
        >>> MultimodalRegressor(epochs=2).fit(X, X.sum(1)).predict(X).shape
        (60,)
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train the model.

        Args:
            X: a data frame, an array or a list of rows.
            y: [n] values.
        """
        table, values = self._checked(X, y)
        type_of_target(values, raise_unknown=True)
        self._fit(table, np.asarray(values, dtype=np.float64), "regression")
        return self

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Predict the values, [n]."""
        rows = self._given(X)
        return self.model_.predict(rows)


__all__: Sequence[str] = ["MultimodalClassifier", "MultimodalRegressor"]
