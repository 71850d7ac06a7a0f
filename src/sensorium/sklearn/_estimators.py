"""Scikit-learn estimators, for pipelines, cross-validation and hyperparameter search."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from sensorium.api import fit
from sensorium.config import Config, list_settings, nest, overlay, read_settings
from sensorium.predictor import Model
from sensorium.registry.traits import suited_tasks, traits_of
from sensorium.sklearn._inputs import SPARSE, as_given, check_dense_size, column_names, is_frame, with_names
from sensorium.sklearn._targets import in_order, read_labels, read_values
from sensorium.table import Table, open_table

TARGET = "y"  # as scikit-learn calls the labels, in errors and reports
CONFIG = "config__"  # before the name of a setting in a grid search
FEWEST_ROWS = 4


class _Multimodal(BaseEstimator):
    """Base class of both estimators; X is a data frame, an array, a sparse matrix, rows, or one column of text."""

    def __init__(
        self,
        *,
        task: str | None = None,
        preset: str | None = None,
        fusion: str | Mapping[str, Any] | None = None,
        modalities: Mapping[str, Any] | None = None,
        encoders: Mapping[str, Any] | None = None,
        epochs: int | None = None,
        validation_fraction: float = 0.1,
        config: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = 0,
        device: str = "auto",
    ) -> None:
        self.task = task
        self.preset = preset
        self.fusion = fusion
        self.modalities = modalities
        self.encoders = encoders
        self.epochs = epochs
        self.validation_fraction = validation_fraction
        self.config = config
        self.random_state = random_state
        self.device = device

    def set_params(self, **params: Any) -> Self:
        """Set parameters; `config__GROUP__NAME` sets one setting of `config`, and leaves the others as they are."""
        own = {key: value for key, value in params.items() if not key.startswith(CONFIG)}
        self._check_names(own)
        super().set_params(**own)
        nested = [(key.removeprefix(CONFIG).split("__"), params[key]) for key in params if key not in own]
        if nested:
            layers = [nest(names, value) for names, value in nested]
            self.config = functools.reduce(overlay, layers, dict(read_settings(self.config)))
        return self

    def _check_names(self, params: Iterable[str]) -> None:
        """Refuse names of settings that are no parameters, with the name under which they can be set."""
        known = sorted((setting.name for setting in list_settings()), key=lambda name: -name.count("."))
        settings = {name.rpartition(".")[2]: name for name in known}  # of several, that of the outermost group
        for name in (set(params) - set(self.get_params(deep=False))) & set(settings):
            nested = CONFIG + settings[name].replace(".", "__")
            raise ValueError(f"Invalid parameter {name!r} for estimator {self}. It is a setting: use {nested!r}.")

    def _fit(self, table: Table, y: npt.NDArray[Any], task: str) -> None:
        if len(y) < FEWEST_ROWS:
            raise ValueError(f"{FEWEST_ROWS} rows or more are needed to train and validate, found n_samples={len(y)}")
        target = TARGET
        while target in table.arrow.column_names:
            target += "_"
        self.model_: Model = fit(
            replace(table, arrow=table.arrow.append_column(target, pa.array(y))),
            target,
            config=self.config,
            progress=False,
            task=task,
            preset=self.preset,
            fusion=self.fusion,
            modalities=self.modalities or {},
            encoders=self.encoders or {},
            train={} if self.epochs is None else {"epochs": self.epochs},
            split={"test": 0.0, "validation": self.validation_fraction},
            seed=self._seed(),
            device=self.device,
        )

    def _check_task(self, trait: str) -> None:
        """Refuse a task that is not one of this estimator."""
        if self.task is not None and trait not in traits_of(self.task):
            names = ", ".join(repr(name) for name in suited_tasks([trait]))
            raise ValueError(f"task={self.task!r} is not a task of {type(self).__name__}; use None or one of {names}")

    def _seed(self) -> int:
        if isinstance(self.random_state, np.random.RandomState):
            return int(self.random_state.randint(2**31))
        return int(self.random_state or 0)

    def _checked(self, X: Any, labels: npt.NDArray[Any]) -> Table:
        """Return the table of a fit, checked."""
        X = self._validated(X, reset=True)
        self._columns = column_names(X)
        table = open_table(with_names(X, self._columns), Config.gather(self.config or {}).table)
        check_consistent_length(table, labels)
        return table

    def _given(self, X: Any) -> Any:
        """Return the rows to predict; the model knows how to read their cells."""
        check_is_fitted(self)
        return with_names(self._validated(X, reset=False), self._columns)

    def _validated(self, X: Any, reset: bool) -> Any:
        """Return a frame, an array or a sparse matrix, whose columns scikit-learn has checked."""
        X = as_given(X)
        if is_frame(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        X = validate_data(self, X, reset=reset, accept_sparse=SPARSE, dtype=None, ensure_all_finite="allow-nan")
        if issparse(X):
            check_dense_size(X)
        return X

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        return tags


class MultimodalClassifier(ClassifierMixin, _Multimodal):
    """Classifier for tables with columns of several modalities.

    Args:
        task: `binary`, `multiclass` or `ordinal`; None means `binary` for two classes, else `multiclass`. The classes
            of `ordinal` are numbers, or y is ordered: `pandas.Categorical(y, categories=[…], ordered=True)`.
        preset: how much to train, as in `sensorium.fit`: None means `auto`. Use `fast` where there are many fits.
        fusion: registered name, or a mapping of name and options; None means the default fusion.
        modalities, encoders: column → modality, encoder, as in `sensorium.fit`.
        epochs: maximum number of passes over the rows; depends on their number by default.
        validation_fraction: fraction of the rows that is held out for early stopping.
        config: any other settings, as nested mappings. In a grid search, `config__train__learning_rate` sets one.
        random_state: random seed, or a generator to draw it from; None means 0.
        device: auto, cpu, cuda …

    Attributes:
        classes_: the labels, in the order of the columns of `predict_proba`: sorted, or the lowest first for `ordinal`.
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
            X: a data frame, an array, a sparse matrix, rows as lists or dicts, or one column of text. A sparse matrix
                gives the same model as the dense one, and needs as much memory.
            y: [n] labels.

        Raises:
            ValueError: labels are missing or of one class, or the task is not a classification or has no order.
        """
        self._check_task("one class")
        labels = read_labels(y)
        table = self._checked(X, labels)
        check_classification_targets(labels)
        ordered = self.task is not None and "ordered classes" in traits_of(self.task)
        self.classes_, codes = in_order(labels, y) if ordered else np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier cannot be trained on one class only: {self.classes_.tolist()[0]!r}")
        self._fit(table, codes, self.task or ("binary" if len(self.classes_) == 2 else "multiclass"))
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Predict the labels, [n]; of ordered classes, the medians."""
        rows = self._given(X)
        return self.classes_[np.asarray(self.model_.predict(rows), np.int64)]

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Predict the probabilities of the classes, [n, classes], in the order of `classes_`.

        A class that only validation rows have, as one with a single row, has the probability 0.
        """
        rows = self._given(X)
        known = self.model_.predict_proba(rows)
        found = np.zeros((len(known), len(self.classes_)))
        found[:, [int(code) for code in self.model_.labels]] = known
        return found


class MultimodalRegressor(RegressorMixin, _Multimodal):
    """Regressor for tables with columns of several modalities; takes the arguments of `MultimodalClassifier`.

    Its `task` is `regression` or `count` (y are whole numbers of at least 0); None means `regression`.

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
            X: a data frame, an array, a sparse matrix, rows as lists or dicts, or one column of text. A sparse matrix
                gives the same model as the dense one, and needs as much memory.
            y: [n] values.

        Raises:
            ValueError: values are missing or no numbers, or the task is not one of amounts.
        """
        self._check_task("an amount")
        values = read_values(y)
        self._fit(self._checked(X, values), values, self.task or "regression")
        return self

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Predict the values, [n]."""
        rows = self._given(X)
        return self.model_.predict(rows)
