"""Embeddings and other vectors: as many numbers in every row, whose places don't follow one another."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.modalities._base import Encoded, Facts, Modality, Work
from sensorium.modalities._files import LEARN_FROM
from sensorium.modalities.number import mean_and_deviation, standardise
from sensorium.problems import Problem, Unreadable, shorten
from sensorium.schema import Guess
from sensorium.table import Column, spelt_list

NAMES = re.compile(r"embed|vector|(^|_)(emb|vec|features?)(_|$)", re.IGNORECASE)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Vector(Modality):
    """A vector: a list of numbers, or a text that spells one, as CSV files have it ("[0.1, 2, -3]").

    Encodes to float32[n, width], each dimension standardised by the training rows, at most ±a million. A vector of
    another width, or with a gap in it, is missing: its dimensions mean something together.

    Attributes:
        mean, deviation: float64[width], of the training rows; deviation is 1 for a constant dimension.
    """

    encoder: ClassVar[str] = "vector_mlp"

    mean: Floats
    deviation: Floats

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if not (column.is_list and _holds_numbers(column.data.type)) and not column.is_string:
            return None
        sample = column.sample(LEARN_FROM)
        widths = {len(cell) if isinstance(cell, list) else len(_spelt(cell)) for cell in sample}
        if len(widths) != 1 or max(widths) < 2:
            return None
        reason = f"lists of {max(widths)} numbers each"
        if column.is_string:
            return Guess(0.99 if NAMES.search(column.name) else 0.95, f"text that spells {reason}")
        return Guess(0.9, f"{reason}, called like a vector") if NAMES.search(column.name) else Guess(0.7, reason)

    @classmethod
    def learn(cls, column: Column) -> Self:
        """Args:
        column: training rows; the width that most of them have is that of the column.
        """
        cells = [cell for cell in map(_finite, column.values.to_pylist()) if cell is not None]
        widths = Counter(map(len, cells)).most_common(1)
        width = widths[0][0] if widths else 1
        kept = np.array([cell for cell in cells if len(cell) == width]).reshape(-1, width)
        mean, deviation = np.array([mean_and_deviation(dimension) for dimension in kept.T]).T.copy()
        return cls(mean, deviation)

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

    def _checked(self, cell: object) -> Floats:
        found = _finite(cell)
        if found is None:
            raise Unreadable("a vector with a gap, or what is no list of finite numbers")
        if len(found) != len(self.mean):
            raise Unreadable(f"a vector of {len(found)} numbers where {len(self.mean)} were learnt")
        return found

    def facts(self) -> Facts:
        return {"width": len(self.mean)}

    def describe(self) -> str:
        return f"{len(self.mean)} dimensions"


def _holds_numbers(kind: pa.DataType) -> bool:
    item = kind.value_type
    return bool(pa.types.is_floating(item) or pa.types.is_integer(item) or pa.types.is_decimal(item))


def _spelt(text: str) -> list[object]:
    """The list that a text spells; an empty one where it spells none."""
    try:
        return spelt_list(text) if text.lstrip().startswith("[") else []
    except Unreadable:
        return []


def _finite(cell: object) -> Floats | None:
    """float64[width]; None for what is no list of finite numbers."""
    cell = _spelt(cell) if isinstance(cell, str) else cell
    if not isinstance(cell, list) or not cell:
        return None
    try:
        values = np.array(cell, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return values if values.ndim == 1 and np.isfinite(values).all() else None
