"""Booleans: yes or no, in the usual spellings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa

from sensorium.findings import Guess, Problem, shorten
from sensorium.labels import TRUTH
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Encoded, Work
from sensorium.table import Column

VALUES = {spelling: sign for pair in TRUTH for spelling, sign in zip(pair, (1.0, -1.0), strict=True)}


@dataclass(frozen=True)
class Boolean(Modality):
    """Yes or no. Encodes to float32[n, 1]: +1 for yes, −1 for no."""

    encoder: ClassVar[str] = "tabular"
    tower: ClassVar[str | None] = "tabular"

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if pa.types.is_boolean(column.data.type):
            return Guess(1.0, "booleans")
        if pa.types.is_nested(column.data.type) or not len(column.values) or column.distinct > 4:
            return None
        spellings = {str(value).strip().lower() for value in column.values.unique().to_pylist()}
        if any(spellings == set(pair) for pair in TRUTH):
            return Guess(0.98, f"the only values are {' and '.join(sorted(spellings))}")
        return None

    @classmethod
    def learn(cls, column: Column) -> Self:
        return cls()

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        signs = [
            None if value is None else VALUES.get(str(value).strip().lower(), 0.0) for value in column.data.to_pylist()
        ]
        values = np.array([sign or 0.0 for sign in signs], dtype=np.float32)
        problems = [
            Problem(row, column.name, "neither yes nor no: read as missing", "", shorten(column.data[row].as_py()))
            for row, sign in enumerate(signs)
            if sign == 0.0
        ]
        work.advance(len(column))
        return Encoded(values[:, None], values != 0, problems)

    def encoder_spec(self) -> EncoderSpec:
        return {"floats": 1}

    def describe(self) -> str:
        return "yes or no"
