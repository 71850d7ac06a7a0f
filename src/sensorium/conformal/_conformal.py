"""Conformal predictor of one target: nonconformity score, and its distribution on calibration rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from sensorium.conformal._distribution import ROUNDING, Distribution
from sensorium.conformal._nonconformity import INTERVAL_METHODS, Method, Nonconformity
from sensorium.conformal._presence import Names
from sensorium.conformal._spread import ONE_SPREAD, Spread
from sensorium.files.state import HasState
from sensorium.table import Floats

Per: TypeAlias = Literal["modalities", "class", "all"]
PER: tuple[Per, ...] = get_args(Per)
Category: TypeAlias = tuple[Per, Names]  # such as ("modalities", ("image", "text")) and ("class", ("0",))
EVERY: Category = ("all", ())


@dataclass(frozen=True, eq=False)
class Conformal(HasState):
    """Conformal predictor of one target (Vovk, Gammerman and Shafer 2005, "Algorithmic learning in a random world").

    A category is all calibration rows, those with one class or label (`class`, by its number), or those that have
    values of the same modalities (`modalities`). Each has a distribution of its own (Mondrian conformal prediction).

    Attributes:
        method: nonconformity score, see `Nonconformity`.
        labels: number k of classes or labels; 0 for an amount.
        ordered: whether the classes are ordered.
        whole: whether the target is a whole number of at least 0.
        kinds, names: kind and names of each category.
        rows: number of rows of each category.
        ends: end of each category's scores in `scores`.
        scores, mass: distributions of the categories, one after the other, see `Distribution`.
        places, errors: mean errors by prediction, see `Spread`.
    """

    method: Method
    labels: NonNegativeInt
    ordered: bool
    whole: bool
    kinds: list[Per]
    names: list[list[str]]
    rows: list[PositiveInt]
    ends: list[PositiveInt]
    scores: npt.NDArray[np.float64] = field(repr=False)
    mass: npt.NDArray[np.float64] = field(repr=False)
    places: list[float] = field(default_factory=lambda: list(ONE_SPREAD.places))
    errors: list[PositiveFloat] = field(default_factory=lambda: list(ONE_SPREAD.errors))

    @classmethod
    def of(
        cls, score: Nonconformity, found: Mapping[Category, Distribution], *, labels: int, whole: bool = False
    ) -> Conformal:
        """Return the conformal predictor of a score with its distributions, that of all rows among them.

        Args:
            score: the nonconformity score.
            found: category → distribution.
            labels: number of classes or labels; 0 for an amount.
            whole: whether the target is a whole number of at least 0.
        """
        own = dict(sorted(found.items(), key=lambda item: item[0] != EVERY))
        return cls(
            method=score.method,
            labels=labels,
            ordered=score.ordered,
            whole=whole,
            kinds=[kind for kind, _ in own],
            names=[list(names) for _, names in own],
            rows=[each.rows for each in own.values()],
            ends=np.cumsum([len(each.scores) for each in own.values()]).tolist(),
            scores=np.concatenate([each.scores for each in own.values()]),
            mass=np.concatenate([each.mass for each in own.values()]),
            places=list(score.spread.places),
            errors=list(score.spread.errors),
        )

    @property
    def score(self) -> Nonconformity:
        """Return the nonconformity score."""
        return Nonconformity(self.method, self.ordered, Spread(tuple(self.places), tuple(self.errors)))

    @cached_property
    def distributions(self) -> dict[Category, Distribution]:
        """Return category → distribution of the scores of its calibration rows."""
        return {(kind, tuple(names)): own for kind, names, own in self._each()}

    @property
    def every(self) -> Distribution:
        """Return the distribution of all calibration rows."""
        return self.distributions[EVERY]

    def _each(self) -> Iterator[tuple[Per, list[str], Distribution]]:
        bounds = pairwise([0, *self.ends])
        for kind, names, rows, (start, end) in zip(self.kinds, self.names, self.rows, bounds, strict=True):
            yield kind, names, Distribution(self.scores[start:end], self.mass[start:end], rows)

    def check(self) -> None:
        if not len(self.kinds) == len(self.names) == len(self.rows) == len(self.ends) > 0:
            raise ValueError("the categories have other numbers of kinds, names, rows and ends")
        if not _ascends(np.array([0, *self.ends])) or not self.ends[-1] == len(self.scores) == len(self.mass):
            raise ValueError("the ends of the categories do not fit their scores")
        if self.scores.ndim != 1 or self.mass.ndim != 1 or (self.scores < 0).any():
            raise ValueError("scores are not a vector of numbers of at least 0")
        if (self.labels > 0) == (self.method in INTERVAL_METHODS):
            raise ValueError(f"the method {self.method!r} for {self.labels} labels")
        if self.labels and self.scores.max() > 1 + ROUNDING:
            raise ValueError("scores of classes or labels above 1")
        if not len(self.places) == len(self.errors) > 0 or not _ascends(np.array(self.places)):
            raise ValueError("places and errors do not fit each other")
        if EVERY not in self.distributions or len(self.distributions) < len(self.kinds):
            raise ValueError("the category of all rows is missing, or a category occurs twice")
        for own in self.distributions.values():
            _check_distribution(own)
        self._check_names()

    def _check_names(self) -> None:
        numbers = {str(number) for number in range(self.labels)}
        for kind, names in self.distributions:
            if kind == "class" and not (len(names) == 1 and names[0] in numbers):
                raise ValueError(f"a category of the class {list(names)!r:.50}, of {self.labels}")
            if kind == "all" and names:
                raise ValueError("the category of all rows has names")


def _check_distribution(own: Distribution) -> None:
    if (np.diff(own.scores) < 0).any() or not _ascends(own.mass) or own.mass[0] <= 0:
        raise ValueError("scores or their mass do not ascend")
    if not 1 <= own.units <= own.rows or abs(own.units - own.mass[-1]) > ROUNDING or len(own.scores) > own.rows:
        raise ValueError("the mass of the scores does not fit the number of rows")


def _ascends(values: npt.NDArray[np.int64] | Floats) -> bool:
    return bool((np.diff(values) > 0).all())
