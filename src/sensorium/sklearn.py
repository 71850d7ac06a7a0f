"""Estimators that keep scikit-learn's contract, for its pipelines, cross-validation and searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.api import fit
from sensorium.errors import MissingExtraError
from sensorium.predictor import Model
from sensorium.table import open_table

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data
except ImportError as error:  # pragma: no cover - the tests install it
    raise MissingExtraError("scikit-learn is not installed", cure="pip install 'sensorium[sklearn]'") from error

TARGET = "__target__"
FEWEST_ROWS = 4


class _Multimodal(BaseEstimator):
    """What both estimators share; X is anything that `sensorium.fit` takes, or an array."""

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

    def _fit(self, columns: Mapping[str, Any], y: npt.NDArray[Any], task: str) -> None:
        if len(y) < FEWEST_ROWS:
            raise ValueError(f"{FEWEST_ROWS} rows or more are needed to train and validate, found n_samples={len(y)}")
        self.model_: Model = fit(
            pa.table({**columns, TARGET: pa.array(y)}),
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

    def _checked(self, X: Any, y: Any) -> tuple[dict[str, pa.ChunkedArray], npt.NDArray[Any]]:
        """Columns and labels of a fit."""
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        columns = self._columns(X, reset=True)
        labels = column_or_1d(y, warn=True)
        check_consistent_length(next(iter(columns.values())), labels)
        return columns, labels

    def _table(self, X: Any) -> pa.Table:
        """The table of a prediction."""
        check_is_fitted(self)
        return pa.table(self._columns(X, reset=False))

    def _columns(self, X: Any, reset: bool) -> dict[str, pa.ChunkedArray]:
        """Columns of a frame by name, those of an array as x0, x1 …"""
        if hasattr(X, "__arrow_c_stream__"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            table = open_table(X)
            # An index is no feature to scikit-learn, and after a shuffled split it tells the rows apart.
            names = [name for name in table.columns if name not in table.origins or not table.origins[name].index]
            return {name: table.arrow.column(name) for name in names}
        values = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
        return {f"x{place}": pa.chunked_array([_array(column)]) for place, column in enumerate(np.asarray(values).T)}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags


class MultimodalClassifier(ClassifierMixin, _Multimodal):
    """Classify rows of several modalities.

    Args:
        fusion: registered name, or a mapping of name and options.
        modalities, encoders: column → modality, encoder, as in `sensorium.fit`.
        epochs: passes over the rows; by their number by default.
        validation_fraction: share of the rows that early stopping watches.
        config: any other settings, as nested mappings.
        random_state: seed, or a generator to draw it from; None is 0.
        device: auto, cpu, cuda …

    Attributes:
        classes_: the labels, sorted; the columns of `predict_proba`.
        model_: the `sensorium.Model`.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn; X is a frame, an array or a list of rows, y their labels."""
        columns, labels = self._checked(X, y)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier can't train on one class only: {self.classes_[0]!r}")
        self._fit(columns, codes, "binary" if len(self.classes_) == 2 else "multiclass")
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """[n] labels."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(1)]

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """[n, classes] probabilities, in the order of `classes_`."""
        table = self._table(X)
        return self.model_.predict_proba(table)


class MultimodalRegressor(RegressorMixin, _Multimodal):
    """Predict an amount from rows of several modalities; arguments as for `MultimodalClassifier`.

    Attributes:
        model_: the `sensorium.Model`.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn; X is a frame, an array or a list of rows, y their values."""
        columns, values = self._checked(X, y)
        type_of_target(values, raise_unknown=True)
        self._fit(columns, np.asarray(values, dtype=np.float64), "regression")
        return self

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """[n] values."""
        table = self._table(X)
        return self.model_.predict(table)


def _array(column: npt.NDArray[Any]) -> pa.Array:
    return pa.array(column.tolist() if column.dtype == object else column)


__all__: Sequence[str] = ["MultimodalClassifier", "MultimodalRegressor"]
