"""Contract of baselines: fitted classical models of all columns, and the path on which each is fitted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pydantic
from pydantic import Field

from sensorium.baselines._answers import answers, count_outputs, with_errors
from sensorium.baselines._blocks import Form
from sensorium.baselines._features import FlatColumns, split_arrays
from sensorium.errors import ArtifactError
from sensorium.files.state import SAVED, HasState, reading_saved
from sensorium.prepare import Prepared
from sensorium.prepare.summaries import Summaries, summarize
from sensorium.table import Floats, Rows
from sensorium.tasks import Distribution, Task
from sensorium.tasks.multilabel import Multilabel

MAX_CLASSES, MAX_ERRORS = 1_000_000, 1_000
SMALLEST = 1e-12  # weight of a class, or mean of counts, whose logarithm is taken
PARALLEL = 2_000_000  # numbers of a matrix, below which threads wait for each other longer than they work


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of one target to learn from.

    Attributes:
        matrix: [n, f], features as `FlatColumns.apply` returns them.
        levels: int64[f]: number of levels of a code; 0 for numbers.
        target: int64[n], classes from 0, each of which occurs; or float64[n], values near 0.
        weights: float64[n], of the rows.
        outputs: raw scores per row: 0 for a single class, 1 for two classes or a value, else one per class.
        classes: number of classes; 0 for a value.
        seed: random seed.
        threads: largest number of threads.
        distribution: distribution of a value. Counts (`poisson`) are divided by their mean.
        shared: name → decomposition of the matrix, which paths of several targets share.
    """

    matrix: Any
    levels: npt.NDArray[np.int64]
    target: npt.NDArray[Any]
    weights: Floats
    outputs: int
    classes: int
    seed: int
    threads: int
    distribution: Distribution = "normal"
    shared: dict[str, Any] = field(default_factory=dict)

    @property
    def lacks_events(self) -> bool:
        """Return whether all rows are counts of 0: no Poisson model can be fitted to them."""
        return self.distribution == "poisson" and not self.classes and not self.target.any()


class Model(HasState, ABC):
    """Fitted model of one target: a frozen dataclass whose fields are all that it learned."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Return the number of raw scores per row."""

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Return the number of learned parameters."""

    @abstractmethod
    def raw(self, matrix: Any) -> Floats:
        """Return raw scores float64[n, outputs]: log odds of the second class, a logit per class, or a value.

        Of counts, it is the logarithm of the expected value of the target.
        """

    @abstractmethod
    def check_width(self, width: int) -> None:
        """Raise ValueError if the model does not take this number of features."""


def useful_threads(most: int, numbers: int) -> int:
    """Return the number of threads for a matrix with `numbers` elements: one for a small matrix."""
    return most if numbers >= PARALLEL else 1


class Path(ABC):
    """Models of one target in the order of their complexity, each continued from the one before."""

    @abstractmethod
    def steps(self, asked: Any) -> Iterator[Floats]:
        """Fit one model after another, and yield the raw scores of each for the rows of a matrix."""

    @abstractmethod
    def model(self, place: int) -> Model:
        """Return a model that `steps` has fitted, by its place."""


@dataclass(frozen=True, eq=False)
class Baseline(HasState, ABC):
    """Fitted classical model of all columns; for several labels, one model each.

    Its file states, as literals, the tasks that it supports, and its approximate training time in seconds: for each
    output, per feature and per million numbers of the matrix:

        TASKS = ("binary", "regression")
        SECONDS = (0.01, 0.5)
        TEXT_FEATURES = 100  # that a column of texts counts as; this is the default

    Class attributes:
        form: the form of its features.
        model: the class of its models.
        usual: place on the path that is used if no row can judge.

    Attributes:
        features: features of the columns.
        classes: number of classes of one target; 0 for a value.
        several: whether there are several labels.
        seen: the classes that occurred in the rows to learn from, of each target; empty for a value.
        models: the model of each target.
        errors: points of the distribution of errors on the raw scale, by which predictions of a transformed target
            become means (see `Regression`); empty for other targets.

    Example:
        >>> from sensorium.baselines import Baseline, Job, Model, Path, cross_fit
        >>> from sensorium.registry import baselines
        >>> kind = baselines.load("linear")
        >>> issubclass(kind, Baseline), issubclass(kind.model, Model), kind.form
        (True, True, 'linear')
    """

    form: ClassVar[Form]
    model: ClassVar[type[Model]]
    usual: ClassVar[int]

    features: FlatColumns
    classes: Annotated[int, Field(ge=0, le=MAX_CLASSES)]
    several: bool
    seen: list[list[int]]
    models: list[Model]
    errors: list[float] = field(default_factory=list)

    @classmethod
    @abstractmethod
    def path(cls, sample: Sample) -> Path:
        """Return the path of models for some rows."""

    @property
    def columns(self) -> list[str]:
        """Return the names of the columns that it reads."""
        return list(self.features.blocks)

    @property
    def parameters(self) -> int:
        """Return the number of learned parameters of its models."""
        return sum(model.parameters for model in self.models)

    def scores(self, task: Task, cells: Prepared | Summaries, rows: Rows | None = None) -> Floats:
        """Return scores float64[n, ...] of rows, all by default, like `Task.scores`.

        Raises:
            ArtifactError: the columns or the task are not those that it was fitted with.
        """
        self.check_task(task)
        matrix = self.features.apply(summarize(cells.only(self.columns), rows))
        corrected = with_errors(task, self.errors)
        found = [
            answers(model.raw(matrix), seen, self.classes, corrected)
            for model, seen in zip(self.models, self.seen, strict=True)
        ]
        return np.stack([each[:, 1] for each in found], 1) if self.several else found[0]

    def check_task(self, task: Task) -> None:
        """Raise ArtifactError if the scores would not be those of the task."""
        labels = len(self.models) if self.several else self.classes
        if labels != len(task.labels) or self.several != isinstance(task, Multilabel) or task.targets:
            raise ArtifactError(
                f"the model was fitted for another task: {labels} labels instead of {len(task.labels)}",
                cure="fit the model again",
            )

    def check(self) -> None:
        if not self.models or len(self.models) != len(self.seen) or (len(self.models) > 1 and not self.several):
            raise ValueError(f"{len(self.models)} models, classes of {len(self.seen)}")
        if (self.several and self.classes != 2) or self.classes == 1:
            raise ValueError(f"{self.classes} classes")
        if self.features.form != self.form:
            raise ValueError(f"features for {self.features.form} models")
        for model, seen in zip(self.models, self.seen, strict=True):
            if sorted({*seen}) != seen or bool(seen) != bool(self.classes):
                raise ValueError("the classes are not sorted and distinct")
            if seen and not 0 <= seen[0] <= seen[-1] < self.classes:
                raise ValueError(f"a class is not among {self.classes}")
            if model.outputs != count_outputs(len(seen)):
                raise ValueError(f"{model.outputs} outputs for {len(seen)} classes")
            model.check_width(self.features.width)

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        parts = [self.features.state(), *(model.state() for model in self.models)]
        arrays = {f"{place}.{name}": array for place, (_, own) in enumerate(parts) for name, array in own.items()}
        features, *models = (json for json, _ in parts)
        plain = {"classes": self.classes, "several": self.several, "seen": self.seen, "errors": self.errors}
        return {"features": features, **plain, "models": models}, arrays

    @classmethod
    def restore(cls, json: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Restore a model from `state`.

        Raises:
            ArtifactError: a field is missing, unknown, of another type or out of range, or two fields do not match.
        """
        with reading_saved(cls.__name__):
            saved = _SavedBaseline.model_validate(json)
            first, *rest = split_arrays(arrays, 1 + len(saved.models))
            features = FlatColumns.restore(saved.features, first)
            models = [cls.model.restore(own, mine) for own, mine in zip(saved.models, rest, strict=True)]
            found = cls(features, saved.classes, saved.several, saved.seen, models, saved.errors)
            found.check()
            return found


class _SavedBaseline(pydantic.BaseModel):
    model_config = SAVED

    features: dict[str, Any]
    classes: Annotated[int, Field(ge=0, le=MAX_CLASSES)]
    several: bool
    seen: list[list[int]]
    models: Annotated[list[dict[str, Any]], Field(min_length=1)]
    errors: Annotated[list[float], Field(max_length=MAX_ERRORS)]
