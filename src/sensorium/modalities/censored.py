"""Limits among numbers: whether a cell is an upper limit ("<5"), a lower limit (">100", "50+"), or a value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np

from sensorium.findings import Guess
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._numbers import LOOKED_AT, infer_notation, read_limits
from sensorium.modalities._overview import Overview
from sensorium.table import Column, Notation, SavedNotation, has_limits, may_be_numbers


@dataclass(frozen=True)
class Censored(Modality):
    """Column NAME.censored, derived from a number column: which cells are limits (<5, >100).

    Encodes to float32[n, 1]: −1 for an upper limit such as "<5", +1 for a lower limit such as ">100", 0 for a value.

    Attributes:
        notation: how the training rows write numbers (`Notation.to_json`).
    """

    encoder: ClassVar[str] = "tabular"
    tower: ClassVar[str | None] = "tabular"
    quick: ClassVar[bool] = True

    notation: SavedNotation

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if not column.is_string or not may_be_numbers(column.sample(LOOKED_AT)):  # reading every text would be slow
            return None
        return Guess(0.1, "some numbers are limits") if has_limits(column.data) else None

    @classmethod
    def learn(cls, column: Column) -> Self:
        return cls(infer_notation(column).to_json())

    @cached_property
    def _notation(self) -> Notation:
        return Notation.from_json(self.notation)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        values, found, problems = read_limits(column, self._notation)
        present = np.isfinite(values)
        work.advance(len(column))
        # The number column itself reports unreadable cells.
        told = [] if column.is_view else problems
        return Encoded(np.where(present, found, 0).astype(np.float32)[:, None], present, told)

    def encoder_spec(self) -> EncoderSpec:
        return {"floats": 1}

    def overview(self, column: Column) -> Overview:
        values, found, _ = read_limits(column, self._notation)
        return Overview({"limit": found[np.isfinite(values)].astype(np.float64)})

    def describe(self) -> str:
        return "-1 for an upper limit, +1 for a lower limit, 0 for a value"
