"""Numbers: standardised by the training rows; ±inf and text that is no number are missing with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import PositiveInt

from sensorium.modalities._base import Encoded, Facts, Modality, Work
from sensorium.modalities._overview import Overview
from sensorium.problems import Problem, shorten
from sensorium.schema import Guess
from sensorium.table import Column

Floats = npt.NDArray[np.float64]

MISSING = frozenset(("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "?", "."))
EXACT = re.compile(r"[$€£¥]?\s*([+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?(?:[eE][+-]?\d+)?|[+-]?\.\d+)\s*%?")
ABOUT = re.compile(r"(?:[~≈<>]|about|ca\.?)?\s*(\d+(?:\.\d+)?)\s*\+?", re.IGNORECASE)
RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)")
PLAIN_TEXT = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
LARGEST_EXACT = 2**53  # whole numbers beyond it are not all float64 numbers
TINY = 1e-300  # below it, values differ by nothing that can be divided by
FARTHEST = 1e6  # deviations from the mean
FEWEST = 20  # values from which some can be told to lie far off
MOST_FAR = 0.01  # share of the values that may
GAP, SPREADS = 100.0, 1000.0  # times as far as the others; times the distance between the quartiles
IDENTIFIER_WORDS = ("id", "code", "zip", "zipcode", "postcode", "sku", "uid")


@dataclass(frozen=True)
class Number(Modality):
    """A measured or counted quantity.

    Encodes to float32[n, 1]: (value − mean) / standard deviation, of the training rows; at most ±a million.

    Attributes:
        mean, deviation: of the training rows; deviation is 1 for a constant column.
        edges: float32[k], increasing: quantiles of the standardised training values, for piecewise-linear embeddings.
    """

    encoder: ClassVar[str] = "tabular"
    tower: ClassVar[str | None] = "tabular"

    mean: float
    deviation: float
    edges: npt.NDArray[np.float32]

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if column.is_integer or column.is_float:
            return _claim_number(column)
        if not column.is_string:
            return None
        sample = [value for value in column.sample(1000) if value.strip().lower() not in MISSING]
        texts = [value for value in sample if _parse(value) is None]
        if not sample or len(texts) > 0.4 * len(sample):
            return None
        if not texts:
            return Guess(0.9, "text that spells numbers")
        examples = ", ".join(map(repr, list(dict.fromkeys(texts))[:3]))
        return Guess(
            0.9 - len(texts) / len(sample),
            f"{len(sample) - len(texts)} of {len(sample)} values are numbers",
            f"others ({examples}) are read as missing; --modality {column.name}=category keeps them",
        )

    @classmethod
    def learn(cls, column: Column, *, bins: PositiveInt = 16) -> Self:
        """Args:
        column: training rows.
        bins: number of quantile bins of the piecewise-linear embedding.
        """
        values, _ = numbers(column)
        values = values[np.isfinite(values)]
        mean, deviation = mean_and_deviation(values)
        scaled = standardise(values, mean, deviation)
        cuts = np.quantile(scaled, np.linspace(0, 1, bins + 1)) if len(values) else np.zeros(1)
        return cls(mean, deviation, np.unique(cuts.astype(np.float32)))

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        values, problems = numbers(column)
        present = np.isfinite(values)
        scaled = np.where(present, standardise(np.where(present, values, 0), self.mean, self.deviation), 0)
        work.advance(len(column))
        return Encoded(scaled.astype(np.float32)[:, None], present, problems)

    def facts(self) -> Facts:
        return {"floats": 1, "edges": self.edges}

    def overview(self, column: Column) -> Overview:
        values, _ = numbers(column)
        return Overview({"value": values[np.isfinite(values)]})

    def describe(self) -> str:
        return f"mean {self.mean:.4g}, standard deviation {self.deviation:.4g}"


def mean_and_deviation(values: Floats) -> tuple[float, float]:
    """Of finite values, however large; the deviation is 1 where they don't differ (or there are none)."""
    scale = float(np.abs(values).max(initial=0))
    if scale < TINY:
        return 0.0, 1.0
    deviation = scale * float((values / scale).std())
    return scale * float((values / scale).mean()), deviation if deviation > TINY else 1.0


def robust_mean_and_deviation(values: Floats) -> tuple[float, float, npt.NDArray[np.bool_]]:
    """Mean and deviation of the values but for a few that lie far off by themselves, and bool[n]: which these are.

    Far off are at most 1% of the values (one value at least): a hundred times as far from the median as the farthest of
    the others, and a thousand times the distance between the quartiles. So a long tail is not, a typing error or a
    code for "missing" such as 999999999 is.
    """
    far = _far_off(values)
    mean, deviation = mean_and_deviation(values[~far] if far.any() else values)
    return mean, deviation, far


def _far_off(values: Floats) -> npt.NDArray[np.bool_]:
    """bool[n], all false where the other values don't differ: then nothing says what is far."""
    nothing, most = np.zeros(len(values), bool), max(1, int(MOST_FAR * len(values)))
    if len(values) < FEWEST:
        return nothing
    scale = float(np.abs(values).max()) or 1.0
    low, middle, high = np.quantile(values / scale, (0.25, 0.5, 0.75))
    distances = np.abs(values / scale - middle)
    top = np.sort(np.partition(distances, len(values) - most - 1)[-most - 1 :])  # of the rest the farthest, then these
    gaps = np.flatnonzero((top[1:] > GAP * top[:-1]) & (top[1:] > SPREADS * (high - low)))
    gaps = gaps[top[gaps] > 0]
    return distances > top[gaps[0]] if len(gaps) else nothing


def standardise(values: Floats, mean: float | Floats, deviation: float | Floats) -> Floats:
    """(values − mean) / deviation, kept within ±a million."""
    with np.errstate(over="ignore"):
        return np.clip(values / deviation - mean / deviation, -FARTHEST, FARTHEST)


def _claim_number(column: Column) -> Guess:
    kind = "whole numbers" if column.is_integer else "numbers"
    low, high = pc.min_max(column.values).as_py().values() if len(column.values) else (0, 0)
    reason = f"{kind} from {low:.6g} to {high:.6g}"
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name).lower())
    if column.is_integer and (set(words) & set(IDENTIFIER_WORDS) or max(-low, high) > LARGEST_EXACT):
        return Guess(0.6, f"{reason}, but they may be names")
    return Guess(0.9 if column.distinct > 2 else 0.7, reason)


def numbers(column: Column) -> tuple[Floats, list[Problem]]:
    """float64[n], NaN where missing or not finite, and what was not read exactly."""
    data, problems = column.data, list[Problem]()
    if not (column.is_integer or column.is_float or pa.types.is_boolean(data.type)):
        values = _spelt(column, problems)
    else:
        kept = data.cast(pa.float64(), safe=False)
        values = np.array(kept.to_numpy(zero_copy_only=False), dtype=np.float64)
        if column.is_integer:
            cure = f"--modality {column.name}=category if it is a name"
            whole = pc.fill_null(data, 0).to_numpy()
            for row in np.flatnonzero((whole > LARGEST_EXACT) | (whole < -LARGEST_EXACT)):
                reason = "whole number beyond 2^53: its last digits are lost"
                problems.append(Problem(int(row), column.name, reason, cure, str(data[int(row)])))
    for row in np.flatnonzero(np.isinf(values)):
        problems.append(Problem(int(row), column.name, "infinite: read as missing", "", str(values[row])))
    values[~np.isfinite(values)] = np.nan
    return values, problems


def _spelt(column: Column, problems: list[Problem]) -> Floats:
    data = column.strings
    plain = pc.fill_null(pc.match_substring_regex(data, PLAIN_TEXT), False)
    casts = pc.utf8_trim_whitespace(pc.if_else(plain, data, pa.scalar(None, pa.string()))).cast(pa.float64())
    values = np.array(casts.to_numpy(zero_copy_only=False), dtype=np.float64)
    for row in np.flatnonzero(column.present & ~np.asarray(plain)):
        text = data[int(row)].as_py()
        if text.strip().lower() in MISSING:
            continue
        parsed = _parse(text)
        values[row], exact = parsed or (np.nan, True)
        reason = "not a number: read as missing" if parsed is None else "not an exact number: read as the nearest one"
        if parsed is None or not exact:
            problems.append(Problem(int(row), column.name, reason, "", shorten(text)))
    return values


def _parse(text: str) -> tuple[float, bool] | None:
    """The number that a text spells and whether exactly: "1,200" → 1200, "50+" → about 50, "91-92" → about 91.5."""
    text = text.strip()
    if text.lower() in ("inf", "+inf", "-inf", "infinity", "-infinity"):
        return float(text), True
    if found := EXACT.fullmatch(text):
        return float(found[1].replace(",", "")), True
    if found := RANGE.fullmatch(text):
        return (float(found[1]) + float(found[2])) / 2, False
    if found := ABOUT.fullmatch(text):
        return float(found[1]), False
    return None
