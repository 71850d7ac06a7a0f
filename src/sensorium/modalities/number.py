"""Numbers: standardized with the training rows; infinite values and other text are missing, with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from sensorium.config import Words
from sensorium.findings import Guess, Problem
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._beyond import beyond_problems, check_span, far_beyond, span_of
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._number_claims import claim_numbers, claim_spelt_numbers, claim_text
from sensorium.modalities._number_cures import for_target
from sensorium.modalities._number_notes import about_infinite, notes
from sensorium.modalities._numbers import (
    LOOKED_AT,
    infer_notation,
    numbers,
    plain_notation,
    read_numbers,
    survey_column,
)
from sensorium.modalities._overview import Overview
from sensorium.modalities._scale import (
    FARTHEST,
    about_outliers,
    mean_and_deviation,
    robust_mean_and_deviation,
    standardise,
)
from sensorium.modalities._sentinels import number_sentinels, sentinel_note
from sensorium.table import (
    LEGACY,
    Column,
    Floats,
    Notation,
    Note,
    SavedNotation,
    has_limits,
    may_be_numbers,
    survey,
)

__all__ = [
    "Notation",
    "Number",
    "for_target",
    "infer_notation",
    "mean_and_deviation",
    "notes",
    "number_sentinels",
    "numbers",
    "read_numbers",
    "robust_mean_and_deviation",
    "sentinel_note",
    "standardise",
    "survey_column",
]


@dataclass(frozen=True)
class Number(Modality):
    """A measured or counted quantity.

    Encodes to float32[n, 1]: (value − mean) / standard deviation of the training rows, clipped to ±`farthest`.

    Attributes:
        mean, deviation: mean and standard deviation of the training rows without outliers; 1 for a constant column.
        edges: float32[k], increasing: quantiles of the standardized training values, for piecewise-linear embeddings.
        notation: how the training rows write numbers (`Notation.to_json`).
        notes: reports on the whole column: a reason and how to fix it.
        farthest: standard deviations from the mean to which values are clipped.
        lowest, highest: range of the training rows without outliers; None in models of older versions.
    """

    encoder: ClassVar[str] = "tabular"
    tower: ClassVar[str | None] = "tabular"
    quick: ClassVar[bool] = True

    mean: float
    deviation: PositiveFloat
    edges: npt.NDArray[np.float32]
    notation: SavedNotation = field(default_factory=LEGACY.to_json)
    notes: list[Note] = field(default_factory=list)
    farthest: NonNegativeFloat = FARTHEST
    lowest: float | None = None
    highest: float | None = None

    def check(self) -> None:
        check_span(self.lowest, self.highest)
        if self.edges.ndim != 1 or not len(self.edges) or not (np.diff(self.edges) > 0).all():
            raise ValueError("the bin edges do not increase")

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if column.is_number:
            return (
                claim_spelt_numbers(column, claim_numbers(column))
                if column.spelling is not None
                else claim_numbers(column)
            )
        if not column.is_string or not may_be_numbers(column.sample(LOOKED_AT)):
            return None
        return claim_text(column, survey(column.data, column.conventions))

    @classmethod
    def views(cls, column: Column) -> Mapping[str, str]:
        kept = column.is_string and column.conventions.censored == "limit"
        return {"censored": "censored"} if kept and has_limits(column.data) else {}

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        bins: PositiveInt = 16,
        decimal: Literal[".", ","] | None = None,
        thousands: Literal["", ".", ",", " ", "'"] | None = None,
        currency: str | None = None,
        missing: Words | None = None,
        censored: Literal["limit", "missing"] | None = None,
    ) -> Self:
        """Learn the notation and the scale of the numbers.

        Args:
            column: training rows.
            bins: number of quantile bins of the piecewise-linear embedding.
            decimal: decimal mark; by default the setting of the table, else inferred from the cells.
            thousands: mark between groups of digits; by default the setting of the table, else inferred from the cells.
            currency: the currency to read if there are several; cells in others are missing.
            missing: words or numbers that stand for a missing value.
            censored: how to read "<5": as its limit, or as missing; by default the setting of the table.
        """
        known = column.conventions.given(
            decimal=decimal, thousands=thousands, currency=currency, missing=missing, censored=censored
        )
        found = survey_column(column, known)
        notation = found.notation if found else plain_notation(column, known)
        cells, problems = read_numbers(column, notation)
        values = cells[np.isfinite(cells)]
        mean, deviation, far = robust_mean_and_deviation(values)
        farthest = FARTHEST
        told = [*(notes(found, column.name) if found else []), *about_infinite(problems, len(column.values))]
        if far.any():
            farthest = float(np.abs(standardise(values[~far], mean, deviation)).max())
            told.append(about_outliers(values, far, column.name))
            cells = np.where(np.isin(cells, values[far]), np.nan, cells)
        if codes := number_sentinels(column, cells):
            told.append(sentinel_note(codes, column.name, known.missing))
        scaled = np.clip(standardise(values, mean, deviation), -farthest, farthest)
        cuts = np.quantile(scaled, np.linspace(0, 1, bins + 1)) if len(values) else np.zeros(1)
        edges = np.unique(cuts.astype(np.float32))
        span = span_of(values[~far]) or (None, None)
        return cls(mean, deviation, edges, notation.to_json(), [list(note) for note in told], farthest, *span)

    @cached_property
    def _notation(self) -> Notation:
        return Notation.from_json(self.notation)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        values, problems = read_numbers(column, self._notation)
        present = np.isfinite(values)
        problems += self._beyond(column, values)
        scaled = np.where(present, standardise(np.where(present, values, 0), self.mean, self.deviation), 0)
        work.advance(len(column))
        return Encoded(np.clip(scaled, -self.farthest, self.farthest).astype(np.float32)[:, None], present, problems)

    def _beyond(self, column: Column, values: Floats) -> list[Problem]:
        if self.lowest is None or self.highest is None:
            return []
        far = far_beyond(values, (self.lowest, self.highest))
        return beyond_problems(column, far, f"{self.lowest:.6g}", f"{self.highest:.6g}")

    def encoder_spec(self) -> EncoderSpec:
        return {"floats": 1, "edges": self.edges}

    def findings(self, column: str) -> list[Problem]:
        return [Problem(None, column, reason, cure) for reason, cure in self.notes]

    def overview(self, column: Column) -> Overview:
        values, _ = read_numbers(column, self._notation)
        return Overview({"value": values[np.isfinite(values)]})

    def describe(self) -> str:
        comma = ", decimal comma" if self._notation.decimal == "," else ""
        return f"mean {self.mean:.4g}, standard deviation {self.deviation:.4g}{comma}"
