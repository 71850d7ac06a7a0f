"""Intensity scale of images with more than 8 bits: the values that become black and white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from sensorium.table import evenly_spaced

Kind = Literal["integer", "float"]
Values = npt.NDArray[np.float32]

NOMINAL = {"integer": (255, 1023, 4095, 16_383, 65_535, 2**32 - 1), "float": (1, 255, 1023, 4095, 16_383, 65_535)}
FULL = {"integer": (255, 65_535), "float": (1, 255)}  # scales that are expected for this kind of file
HALF = 0.5  # share of a usual scale that values must reach to be read on it
NARROW = 0.25  # share of the highest value; a smaller range is read on its own scale
RINGING = 0.05  # share of the highest value; filters cause negative values this small
RARE = 0.001  # share of pixels, at either end, that may be outliers
FAR = 3  # multiple of the range of all other pixels beyond which pixels are outliers
PIXELS = 4096  # pixels of a file by which outliers are found
MANY = 16  # fewest distinct values for which a lone lowest value means "no value"
FAINT = 1 / 64  # of the scale: an image whose values differ by less shows next to nothing
CLIPPED = 0.01  # share of an image's pixels that may be clipped without a report


@dataclass(frozen=True)
class Span:
    """Sample of the values of one file.

    Attributes:
        lowest, highest: minimum and maximum.
        some: an evenly spaced sample.
        gaps: whether some pixels have no value.
    """

    kind: Kind
    lowest: float
    highest: float
    some: Values
    gaps: bool


@dataclass(frozen=True)
class Scale:
    """Scale from `low` to `high`, which become 0 and 255; training images range from `lowest` to `highest`."""

    low: float
    high: float
    lowest: float
    highest: float

    def apply(self, values: Values, ground: int) -> npt.NDArray[np.uint8]:
        """Convert values to uint8; clip those outside the scale, show NaN as the ground."""
        width = self.high - self.low
        shades = np.clip((values - np.float32(self.low)) * np.float32(255 / width if width else 0), 0, 255)
        return np.asarray(np.rint(np.where(np.isnan(shades), np.float32(ground), shades)), np.uint8)

    def misfit(self, values: Values) -> str:
        """Describe what a file loses on this scale; empty if it loses nothing."""
        found = values[~np.isnan(values)]
        if not len(found):
            return ""
        outside = np.mean((found < min(self.low, self.lowest)) | (found > max(self.high, self.highest)))
        where = f"the scale {self.text()} of the training images"
        if outside > CLIPPED:
            return f"more than {CLIPPED:.0%} of the pixel values lie outside {where} and are clipped"
        if 0 < float(np.ptp(found)) < FAINT * (self.high - self.low):
            return f"the pixel values differ by less than {FAINT:.1%} of {where}: the image shows almost nothing"
        return ""

    def text(self) -> str:
        """Format the scale, such as "0–4,095"."""
        return f"{_number(self.low)}{' to ' if self.low < 0 or self.high < 0 else '–'}{_number(self.high)}"

    def seen(self) -> str:
        """Format the range of the training images, such as "0 to 4,080"."""
        return f"{_number(self.lowest)} to {_number(self.highest)}"

    def is_full(self, kind: str) -> bool:
        """Return whether this is the scale that is expected for this kind of file."""
        return self.low == 0 and self.high in FULL[kind] and self.low <= self.lowest and self.highest <= self.high


def span_of(values: Values, kind: Kind) -> Span | None:
    """Return the values of a file; None if no pixel has a value."""
    found = values[~np.isnan(values)]
    if not len(found):
        return None
    some = np.sort(found[evenly_spaced(len(found), PIXELS)])
    return Span(kind, float(found.min()), float(found.max()), some, len(found) < values.size)


def learn_scale(spans: Sequence[Span]) -> Scale:
    """Learn one scale for all files: the common bit depth (1, 8, 10, 12, 14, 16) whose range the values at least half
    fill, otherwise their range. Rare outlier pixels, such as dead pixels of a sensor, are ignored.
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
        # A lone value far below all others, however frequent, means "no value".
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
