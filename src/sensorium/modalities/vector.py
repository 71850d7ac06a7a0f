"""Embeddings and other vectors: the same number of values in each row, without an order in time."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from sensorium.findings import Guess, Problem, Unreadable, shorten
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._fields import Decimal, check_scale
from sensorium.modalities._lists import guess_of_lists, learn_list_notation
from sensorium.modalities._scale import mean_and_deviation, standardise
from sensorium.table import Column, Floats, ListNotation


@dataclass(frozen=True)
class Vector(Modality):
    """A vector: a list of numbers, or text that lists numbers, as in CSV files ("[0.1, 2, -3]", "0.1 2 -3").

    Encodes to float32[n, width], each dimension standardized with the training rows, clipped to ±a million. A vector
    of another width, or with a gap, is missing: its dimensions are meaningful only together.

    Attributes:
        mean, deviation: float64[width], of the training rows; deviation is 1 for a constant dimension.
        separator, decimal: how text lists numbers; no separator: in brackets.
    """

    encoder: ClassVar[str] = "vector_mlp"

    mean: Floats
    deviation: Floats
    separator: str = ""
    decimal: Decimal = "."

    def check(self) -> None:
        check_scale(self.mean, self.deviation, max(1, self.mean.size))

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        return guess_of_lists(column, "vector")

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        separator: Annotated[str, Field(min_length=1)] | None = None,
        decimal: Literal[".", ","] | None = None,
    ) -> Self:
        """Learn the width, and mean and deviation per dimension.

        Args:
            column: training rows; the most frequent width is that of the column.
            separator: separator of numbers in text without brackets; inferred from the training rows by default.
            decimal: decimal mark of such numbers; inferred from the training rows by default.
        """
        notation = learn_list_notation(column, separator, decimal)
        cells = [cell for cell in (_finite(cell, notation) for cell in column.values.to_pylist()) if cell is not None]
        widths = Counter(map(len, cells)).most_common(1)
        width = widths[0][0] if widths else 1
        kept = np.array([cell for cell in cells if len(cell) == width]).reshape(-1, width)
        mean, deviation = np.array([mean_and_deviation(dimension) for dimension in kept.T]).T.copy()
        return cls(mean, deviation, notation.separator, notation.decimal)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        values = np.zeros((len(column), len(self.mean)))
        present, problems = np.zeros(len(column), bool), list[Problem]()
        for row, cell in enumerate(column.data.to_pylist()):
            if cell is None:
                continue
            try:
                values[row], present[row] = self._checked(cell), True
            except Unreadable as error:
                reason = f"{error.reason}: read as missing"
                problems.append(Problem(row, column.name, reason, error.cure, shorten(cell)))
        scaled = np.where(present[:, None], standardise(values, self.mean, self.deviation), 0)
        work.advance(len(column))
        return Encoded(scaled.astype(np.float32), present, problems)

    @property
    def _notation(self) -> ListNotation:
        return ListNotation(self.separator, self.decimal)

    def _checked(self, cell: object) -> Floats:
        found = _finite(cell, self._notation)
        if found is None:
            raise Unreadable("the vector has a gap, or is not a list of finite numbers")
        if len(found) != len(self.mean):
            raise Unreadable(f"the vector has {len(found)} numbers instead of {len(self.mean)}")
        return found

    def encoder_spec(self) -> EncoderSpec:
        return {"width": len(self.mean)}

    def describe(self) -> str:
        return f"{len(self.mean)} dimensions"


def _finite(cell: object, notation: ListNotation) -> Floats | None:
    """Return float64[width]; None for anything but a list of finite numbers."""
    if isinstance(cell, str):
        with suppress(Unreadable):
            cell = notation.read(cell, shortened=True)
    if not isinstance(cell, list) or not cell:
        return None
    try:
        values = np.array(cell, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    values = values[0] if values.ndim == 2 and len(values) == 1 else values  # [[0.1, 0.2]], as models return them
    return values if values.ndim == 1 and np.isfinite(values).all() else None
