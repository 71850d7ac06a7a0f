"""Intensity scales of a column's images with more than 8 bits: learned from the training rows, and reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from sensorium.config import as_modality, setting_of
from sensorium.errors import ConfigError
from sensorium.findings import Nothing, Problem, count
from sensorium.modalities._files import LEARN_FROM, Source, decode_sample
from sensorium.modalities._levels import Kind, Scale, Span, learn_scale, span_of
from sensorium.modalities._pictures import Look, deep_values, opened
from sensorium.modalities._pixels import kind_of
from sensorium.table import Column

KINDS: tuple[Kind, ...] = ("integer", "float")
ENOUGH = 2 * 10**8  # approximate number of pixels that a scale is learned from
LEAST = 16  # files that it is learned from in any case
DARK = 1 / 16  # share of the scale: an image that stays below it is nearly black
SPARSE = 0.1  # share of images that may be so dark without a report

Scales = dict[str, list[float]]
SavedScales = Mapping[str, Annotated[list[float], Field(min_length=4, max_length=4)]]


def learn_scales(column: Column, looks: Sequence[Look], max_pixels: int) -> tuple[Scales, dict[str, int]]:
    """Learn kind → [low, high, lowest, highest], and counts, from images with more than 8 bits.

    `looks` has the headers of the same sample of files. Fewer files are read if they are large.
    """
    deep = [look.width * look.height for look in looks if look.kind]
    if not deep:
        return {}, {}
    most = int(np.clip(ENOUGH * len(looks) / sum(deep), LEAST, LEARN_FROM))
    spans = decode_sample(column, lambda source: _span(source, max_pixels), most=most)
    scales, seen = Scales(), {"deep": len(spans), "gaps": sum(span.gaps for span in spans)}
    for kind in KINDS:
        own = [span for span in spans if span.kind == kind]
        if own:
            scale = learn_scale(own)
            scales[kind] = [scale.low, scale.high, scale.lowest, scale.highest]
            seen[f"dark {kind}"] = sum(_is_dark(span, scale) for span in own)
    return scales, seen


def check_scales(scales: Mapping[str, list[float]]) -> None:
    """Raise ValueError if a saved scale has an unknown kind or an empty range."""
    for kind, (low, high, *_) in scales.items():
        if kind not in KINDS or low > high:
            raise ValueError(f"the scale of {kind!r} values is invalid: {low} to {high}")


def fixed_scales(levels: tuple[float, float]) -> Scales:
    """Return the scales that a setting gives.

    Raises:
        ConfigError: the range is empty.
    """
    low, high = levels
    if not (np.isfinite(levels).all() and low < high):
        raise ConfigError(
            f"levels {low:g} and {high:g} are not a range", place="option levels", rule="two numbers, lower first"
        )
    return {kind: [low, high, low, high] for kind in KINDS}


def scale_findings(
    column: str, scales: Mapping[str, list[float]], seen: Mapping[str, int], ground: int
) -> list[Problem]:
    """Return problems of a column of images: guessed scales and clipped values."""
    cure = f"set {setting_of(column, 'levels')} to [lowest, highest] to change the scale"
    found = []
    for kind, known in scales.items():
        scale, dark = Scale(*known), seen.get(f"dark {kind}", 0)
        if seen.get("deep") and not scale.is_full(kind):
            found.append(Problem(None, column, _said(kind, scale), cure))
        if dark > SPARSE * seen.get("deep", 0):
            text = f"{dark} of {count(seen['deep'], 'image')} with {kind} values of more than 8 bits"
            reason = f"{text} stay below {DARK:.0%} of the column's scale {scale.text()} and are nearly black"
            found.append(Problem(None, column, reason, f"{cure}, or convert all files to one scale"))
    if seen.get("gaps"):
        text = f"{seen['gaps']} of {count(seen['deep'], 'image')} of more than 8 bits have pixels without a value"
        reason = f"{text} (NaN, infinity or the file's nodata value), shown as grey {ground}"
        found.append(Problem(None, column, reason, f"set {setting_of(column, 'background')} to 0–255 for another grey"))
    if several := seen.get("several frames"):
        cure = f"{as_modality(column, 'video')} (animated GIF), or split the files"
        reason = f"{several} of {count(seen['pictures'], 'image')} have several frames or pages: the first is used"
        found.append(Problem(None, column, reason, cure))
    return found


def _said(kind: str, scale: Scale) -> str:
    outside = scale.lowest < scale.low or scale.highest > scale.high
    clipped = "; rare values outside are clipped" if outside else ""
    values = f"{kind} values of more than 8 bits, {scale.seen()}"
    return f"training images have {values}: they are read on the scale {scale.text()}{clipped}"


def _span(source: Source, max_pixels: int) -> Span:
    with opened(source, max_pixels) as picture:
        kind = kind_of(picture)
        if not kind:
            raise Nothing("the image has 8 bits")
        span = span_of(deep_values(picture, source)[0], kind)
    if span is None:
        raise Nothing("no pixel of the image has a value")
    return span


def _is_dark(span: Span, scale: Scale) -> bool:
    width = scale.high - scale.low
    return span.lowest < span.highest < scale.low + DARK * width
