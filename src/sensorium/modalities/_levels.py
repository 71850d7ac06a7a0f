"""The scale on which pictures of more than 8 bits are read: which of their values become black and white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["integer", "float"]
Values = npt.NDArray[np.float32]

NOMINAL = {"integer": (255, 1023, 4095, 16_383, 65_535, 2**32 - 1), "float": (1, 255, 1023, 4095, 16_383, 65_535)}
FULL = {"integer": (255, 65_535), "float": (1, 255)}  # scales that say nothing new of a file of this kind
HALF = 0.5  # of a usual scale, from which on the values are taken to be on it
NARROW = 0.25  # of the highest value, below which the distance to the lowest is all that a picture shows
RINGING = 0.05  # of the highest value: so little below 0 comes from filters
RARE = 0.001  # share of pixels, at either end, that may lie far out
FAR = 3  # times the range of all other pixels, from which on pixels lie far out
PIXELS = 4096  # of a file, that the rare ones are told by
MANY = 16  # different values from which a lone lowest one stands for "no value"
FAINT = 1 / 64  # of the scale: a picture whose values differ by less shows next to nothing
CLIPPED = 0.01  # share of a picture's pixels that may lie outside the scale without a word


@dataclass(frozen=True)
class Span:
    """What one file holds.

    Attributes:
        lowest, highest: of its numbers.
        some: evenly spaced ones of them.
        gaps: whether pixels have no number.
    """

    kind: Kind
    lowest: float
    highest: float
    some: Values
    gaps: bool


@dataclass(frozen=True)
class Scale:
    """`low` becomes 0 and `high` 255; `lowest` and `highest` are what the training pictures hold."""

    low: float
    high: float
    lowest: float
    highest: float

    def apply(self, values: Values, ground: int) -> npt.NDArray[np.uint8]:
        """Values → uint8; those outside the scale are clipped, those that are no number show the ground."""
        width = self.high - self.low
        shades = np.clip((values - np.float32(self.low)) * np.float32(255 / width if width else 0), 0, 255)
        return np.asarray(np.rint(np.where(np.isnan(shades), np.float32(ground), shades)), np.uint8)

    def misfit(self, values: Values) -> str:
        """What is lost of a file on this scale; empty where nothing is."""
        found = values[~np.isnan(values)]
        if not len(found):
            return ""
        outside = np.mean((found < min(self.low, self.lowest)) | (found > max(self.high, self.highest)))
        where = f"the scale {self.text()} of the training pictures"
        if outside > CLIPPED:
            return f"more than {CLIPPED:.0%} of the pixel values lie outside {where} and are clipped"
        if 0 < float(np.ptp(found)) < FAINT * (self.high - self.low):
            return f"the pixel values differ by less than {FAINT:.1%} of {where}: the picture shows almost nothing"
        return ""

    def text(self) -> str:
        """Such as "0–4,095"."""
        return f"{_number(self.low)}{' to ' if self.low < 0 or self.high < 0 else '–'}{_number(self.high)}"

    def seen(self) -> str:
        """Such as "0 to 4,080"."""
        return f"{_number(self.lowest)} to {_number(self.highest)}"

    def is_full(self, kind: str) -> bool:
        """Whether it is the scale that a file of this kind has where nothing else is known."""
        return self.low == 0 and self.high in FULL[kind] and self.low <= self.lowest and self.highest <= self.high


def span_of(values: Values, kind: Kind) -> Span | None:
    """None where no pixel has a value."""
    found = values[~np.isnan(values)]
    if not len(found):
        return None
    some = np.sort(found[np.linspace(0, len(found) - 1, min(PIXELS, len(found))).astype(np.int64)])
    return Span(kind, float(found.min()), float(found.max()), some, len(found) < values.size)


def learn_scale(spans: Sequence[Span]) -> Scale:
    """One scale for all files: the usual one (1, 8, 10, 12, 14, 16 bits) that their values use at least half of,
    otherwise their range. Rare pixels far out, such as dead ones of a sensor, do not count.
    """
    lowest, highest = min(span.lowest for span in spans), max(span.highest for span in spans)
    low, high = _without_far_out(lowest, highest, np.sort(np.concatenate([span.some for span in spans])))
    kind = spans[0].kind
    if low < 0:
        if -low > RINGING * high:
            even = kind == "float" and HALF <= max(-low, high) <= 1 and -low >= HALF * high >= 0
            return Scale(*((-1.0, 1.0) if even else (low, high)), lowest, highest)
    elif 0 < high - low < NARROW * high:
        return Scale(low, high, lowest, highest)
    usual = next((top for top in NOMINAL[kind] if top >= high), high)
    return Scale(0.0, float(usual) if high >= HALF * usual or not high else high, lowest, highest)


def _without_far_out(low: float, high: float, some: Values) -> tuple[float, float]:
    if low < 0 and some[0] == low and len(rest := some[some > low]):
        # A lone value far below all others, however often it comes, stands for "no value".
        width = _quantile(rest, 1 - RARE) - rest[0]
        if rest[0] - low > FAR * width and len(np.unique(rest)) >= MANY:
            low, some = float(rest[0]), rest
    bottom, top = _quantile(some, RARE), _quantile(some, 1 - RARE)
    reach = FAR * (top - bottom)
    return (bottom if reach and bottom - low > reach else low), (top if reach and high - top > reach else high)


def _quantile(ordered: Values, share: float) -> float:
    return float(ordered[round(share * (len(ordered) - 1))])


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"
