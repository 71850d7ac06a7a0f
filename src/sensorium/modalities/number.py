"""Numbers: standardized with the training rows; infinite values and other text are missing, with a reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from sensorium.config import Words, as_modality
from sensorium.findings import Guess, Problem, count
from sensorium.modalities._base import Encoded, EncoderSpec, Modality, Work
from sensorium.modalities._beyond import beyond_problems, check_span, far_beyond, span_of
from sensorium.modalities._numbers import (
    LARGEST_EXACT,
    LOOKED_AT,
    about_infinite,
    in_words,
    infer_notation,
    notes,
    numbers,
    of_column_alone,
    read_numbers,
    survey_column,
)
from sensorium.modalities._overview import Overview
from sensorium.modalities._sentinels import number_sentinels, sentinel_note
from sensorium.table import (
    LEGACY,
    Column,
    Notation,
    Note,
    SavedNotation,
    Survey,
    has_limits,
    is_clearly_numbers,
    may_be_numbers,
    refusal,
    same_but_for_zeros,
    stands_for_gaps,
    survey,
)

__all__ = [
    "Notation",
    "Number",
    "infer_notation",
    "mean_and_deviation",
    "notes",
    "number_sentinels",
    "numbers",
    "of_column_alone",
    "read_numbers",
    "robust_mean_and_deviation",
    "sentinel_note",
    "standardise",
    "survey_column",
]

Floats = npt.NDArray[np.float64]

TINY = 1e-300  # below it, differences of values are too small to divide by
FARTHEST = 1e6  # standard deviations from the mean
FEWEST = 20  # fewest values for outlier detection
MOST_FAR = 0.01  # share of the values that may be outliers
SAMPLED = 10_000  # values that are checked first, to rule outliers out quickly
GAP, SPREADS = 100.0, 1000.0  # multiples of the distance of the others; of the interquartile range
MOST_LIMITS = 0.6  # largest share of limits among the numbers of a number column
MOST_OTHERS = 0.4  # largest share of other cells in a number column
MOST_WITHOUT_UNIT = 0.25  # the same, if the numbers have a unit
FEW = 50  # distinct values up to which two spellings of one number are searched for
SPELT = "numbers as text"
IDENTIFIER_WORDS = ("id", "code", "zip", "zipcode", "postcode", "sku", "uid")


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
        if column.is_integer or column.is_float:
            return _claim_spelt(column, _claim_number(column)) if column.spelling is not None else _claim_number(column)
        if not column.is_string or not may_be_numbers(column.sample(LOOKED_AT)):
            return None
        return _claim_text(column, survey(column.data, column.conventions))

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
        notation = found.notation if found else infer_notation(column, known)
        cells, problems = read_numbers(column, notation)
        values = cells[np.isfinite(cells)]
        mean, deviation, far = robust_mean_and_deviation(values)
        farthest = FARTHEST
        told = [*(notes(found, column.name) if found else []), *about_infinite(problems, len(column.values))]
        if far.any():
            farthest = float(np.abs(standardise(values[~far], mean, deviation)).max())
            told.append(_far_note(values, far, column.name))
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


def mean_and_deviation(values: Floats) -> tuple[float, float]:
    """Return mean and standard deviation of finite values of any size; 1 if they do not differ (or there are none)."""
    scale = float(np.abs(values).max(initial=0))
    if scale < TINY:
        return 0.0, 1.0
    deviation = scale * float((values / scale).std())
    return scale * float((values / scale).mean()), deviation if deviation > TINY else 1.0


def robust_mean_and_deviation(values: Floats) -> tuple[float, float, npt.NDArray[np.bool_]]:
    """Return mean and standard deviation of the values without outliers, and bool[n]: which values are outliers.

    Outliers are at most 1% of the values (at least one): a hundred times as far from the median as the farthest of the
    others, and a thousand times the interquartile range. So a long tail is not cut, but typing errors and codes for
    missing values such as 999999999 are outliers.
    """
    far = _far_off(values)
    mean, deviation = mean_and_deviation(values[~far] if far.any() else values)
    return mean, deviation, far


def _far_off(values: Floats) -> npt.NDArray[np.bool_]:
    """Return bool[n]: outliers; all False if the other values do not differ, since then there is no scale."""
    count, most = len(values), max(1, int(MOST_FAR * len(values)))
    if count < FEWEST:
        return np.zeros(count, bool)
    scale = float(np.abs(values).max()) or 1.0
    some = np.sort(values[:: max(1, count // SAMPLED)]) / scale
    spread = some[3 * len(some) // 4] - some[len(some) // 4]
    if max(values.max() / scale - some[0], some[-1] - values.min() / scale) < SPREADS / 2 * spread:
        return np.zeros(count, bool)  # clearly none, which saves sorting a million values
    ordered = np.sort(values) / scale
    low, middle, high = ordered[[count // 4, count // 2, 3 * count // 4]]
    ends = np.abs(np.concatenate([ordered[: most + 1], ordered[-most - 1 :]]) - middle)
    top = np.sort(ends)[-most - 1 :]  # the farthest of the others, then the candidates
    gaps = np.flatnonzero((top[:-1] > 0) & (top[1:] > GAP * top[:-1]) & (top[1:] > SPREADS * (high - low)))
    return np.abs(values / scale - middle) > top[gaps[0]] if len(gaps) else np.zeros(count, bool)


def standardise(values: Floats, mean: float | Floats, deviation: float | Floats) -> Floats:
    """Return (values − mean) / deviation, clipped to ±a million."""
    with np.errstate(over="ignore"):
        return np.clip(values / deviation - mean / deviation, -FARTHEST, FARTHEST)


def _claim_number(column: Column) -> Guess:
    kind = "whole numbers" if column.is_integer else "numbers"
    values = column.values.filter(pc.is_finite(column.values))
    low, high = pc.min_max(values).as_py().values() if len(values) else (0, 0)
    reason = f"{kind} from {low:.6g} to {high:.6g}"
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name).lower())
    if column.is_integer and (set(words) & set(IDENTIFIER_WORDS) or max(-low, high) > LARGEST_EXACT):
        far = max(-low, high) > LARGEST_EXACT  # more digits than float64 represents
        return Guess(0.45 if far else 0.6, f"{reason}, but they may be identifiers")
    return Guess(0.9 if column.distinct > 2 else 0.7, reason)


def _claim_text(column: Column, found: Survey) -> Guess | None:
    counts = found.counts
    codes = refusal(found, column.name, any_currency=column.conventions.currency is None)
    if codes:
        return Guess(0.0, "codes, not quantities", codes)
    others = counts.codes + (Counter() if found.notation.ranges else counts.joined)
    others += Counter() if stands_for_gaps(counts) else counts.words
    share = others.total() / max(1, counts.cells)
    bounds = counts.limits.total() > MOST_LIMITS * counts.numbers  # <=50K and >50K are classes
    if counts.unit and share > MOST_WITHOUT_UNIT:
        return _refuse_unit(found, column.name)
    if not counts.numbers or share > MOST_OTHERS or bounds:
        return None
    said = "; ".join(in_words(found, column.name))
    if not others:
        return Guess(0.98 if is_clearly_numbers(counts) else 0.9, f"numbers as text: {said}" if said else SPELT)
    examples = ", ".join(repr(text) for text, _ in others.most_common(3))
    reason = f"{counts.cells - others.total():,} of {counts.cells:,} values are numbers" + (f"; {said}" if said else "")
    caution = f"others ({examples}) are read as missing; {as_modality(column.name, 'category')} keeps them"
    return Guess(0.9 if counts.unit else 0.9 - share, reason, caution)


def _refuse_unit(found: Survey, name: str) -> Guess:
    cells = f"{found.counts.numbers:,} of {found.counts.cells:,} cells of {name}"
    cure = f"{as_modality(name, 'number')} reads them and reads the others as missing"
    return Guess(0.0, "too few numbers", f"{cells} are numbers with the unit {found.notation.units[0]!r}; {cure}")


def _claim_spelt(column: Column, guess: Guess) -> Guess:
    """Claim decimal numbers stored as text, considering their spelling."""
    assert column.spelling is not None
    if column.distinct <= FEW and (pair := same_but_for_zeros(column.spelling)):
        same = as_modality(column.name, "category")
        caution = f"{pair[0]!r} and {pair[1]!r} are the same number; {same} keeps them apart"
        return Guess(guess.confidence, guess.reason, caution)
    found = survey_column(column)
    if not found:
        return guess
    if codes := refusal(found, column.name, any_currency=False):
        return Guess(0.0, "codes, not quantities", codes)
    said = "; ".join(in_words(found, column.name))
    return Guess(guess.confidence, f"numbers as text: {said}" if said else guess.reason, guess.caution)


def _far_note(values: Floats, far: npt.NDArray[np.bool_], name: str) -> tuple[str, str]:
    examples = ", ".join(f"{value:.10g}" for value in list(dict.fromkeys(values[far].tolist()))[:3])
    some = f"{count(int(far.sum()), 'cell')} of {len(values):,} ({examples})"
    reason = f"outliers: {some} are more than {GAP:.0f} times as far from the median as all others"
    done = "the scale is learned from the others, to whose range the outliers are clipped"
    return (
        f"{reason}; {done}",
        f"correct typing errors; if these are codes in {name}, empty the cells or list the codes in table.missing",
    )
