"""Transforms of skewed targets: training sees transformed values, users those of the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from pydantic import AfterValidator, Field, PositiveFloat

from sensorium.files.state import from_saved
from sensorium.table import Floats

Kind: TypeAlias = Literal["log", "yeo_johnson"]

LOWEST_POWER, HIGHEST_POWER = 0.0, 2.0  # of Yeo-Johnson; beyond them, the inverse grows faster than an exponential
LINEAR = 1e-6  # distance of a power from 0 below which the transform is the logarithm
MARGIN = 0.1  # share of the range of the transformed training values by which the range of predictions is wider


@dataclass(frozen=True)
class Transform:
    """Monotone transform of a target.

    `log` is log(y + shift). `yeo_johnson` is the transform of Yeo and Johnson 2000, "A new family of power
    transformations", of (y − shift) / scale. Values outside the range are clipped to it before the transform, and
    predictions after the inverse, so that an exponential cannot explode.

    Attributes:
        kind: name of the transform.
        lowest, highest: range of the target.
        shift, scale: location and scale before the transform.
        power: power λ of Yeo-Johnson.
    """

    kind: Kind
    lowest: float
    highest: float
    shift: float = 0.0
    scale: PositiveFloat = 1.0
    power: Annotated[float, Field(ge=LOWEST_POWER, le=HIGHEST_POWER)] = 1.0

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Restore a transform from `to_json`.

        Raises:
            ValueError: a field is missing, unknown, of another type or out of range, or the transform of the range is
                not finite.
        """
        found = from_saved(cls, fields)
        found.check()
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    def check(self) -> None:
        """Raise ValueError unless the range and its transform are finite and ascending."""
        if not self.is_finite:
            raise ValueError("the range of a target transform is not valid")

    @property
    def is_finite(self) -> bool:
        """Return whether the range and its transform are finite and ascending."""
        low, high = self.range_of_transformed()
        return bool(np.isfinite([low, high, self.lowest, self.highest]).all() and low <= high)

    def range_of_transformed(self) -> tuple[float, float]:
        """Return the transform of the lowest and of the highest value."""
        low, high = self._forward(np.array([self.lowest, self.highest]), np)
        return float(low), float(high)

    def forward(self, values: Any, library: Any = np) -> Any:
        """Transform values of the target.

        Args:
            values: array, or tensor.
            library: `numpy`, or `torch` for a tensor.
        """
        return self._forward(library.clip(values, self.lowest, self.highest), library)

    def _forward(self, values: Any, library: Any) -> Any:
        with np.errstate(all="ignore"):  # `check` reports a range whose transform is not finite
            if self.kind == "log":
                return library.log(values + self.shift)
            scaled = values / self.scale - self.shift / self.scale
            size = library.abs(scaled)
            above, below = (_grow(size, power, library) for power in (self.power, 2 - self.power))
            return library.where(scaled >= 0, above, -below)

    def log_slope(self, values: Floats) -> Floats:
        """Return the logarithm of the derivative of the transform."""
        with np.errstate(all="ignore"):
            if self.kind == "log":
                return np.asarray(-np.log(values + self.shift), np.float64)
            scaled = values / self.scale - self.shift / self.scale
            slope = np.sign(scaled) * (self.power - 1) * np.log1p(np.abs(scaled))
            return np.asarray(slope - np.log(self.scale), np.float64)

    def inverse(self, transformed: Floats) -> Floats:
        """Return the values of the target from transformed ones, within the range of the target."""
        values = np.clip(transformed, *self.range_of_transformed())
        return np.asarray(np.clip(self._inverse(values), self.lowest, self.highest), np.float64)

    def _inverse(self, values: Floats) -> Floats:
        with np.errstate(all="ignore"):
            if self.kind == "log":
                return np.asarray(np.exp(values) - self.shift, np.float64)
            size = np.abs(values)
            above, below = (_shrink(size, power) for power in (self.power, 2 - self.power))
            return np.asarray(np.where(values >= 0, above, -below) * self.scale + self.shift, np.float64)

    def widened(self) -> Transform:
        """Return the transform with a range that is wider by `MARGIN` on the transformed scale, where that is finite.

        The range of a target that is never negative does not begin below 0.
        """
        start, end = self.range_of_transformed()
        wider = MARGIN * (end - start)
        lowest, highest = self._inverse(np.array([start - wider, end + wider]))
        lowest = min(max(float(lowest), 0.0), self.lowest) if self.lowest >= 0 else min(float(lowest), self.lowest)
        found = replace(self, lowest=lowest, highest=max(float(highest), self.highest))
        return found if found.is_finite else self

    def describe(self) -> str:
        """Return the transform as a formula."""
        if self.kind == "yeo_johnson":
            return f"a Yeo-Johnson transform of the target (power {self.power:.2g})"
        return f"log(target + {self.shift:.4g})" if self.shift else "log(target)"


def _grow(size: Any, power: float, library: Any) -> Any:
    """Return ((1 + size)^power − 1) / power, and its limit log(1 + size) at a power of 0."""
    logarithm = library.log1p(size)
    return logarithm if abs(power) < LINEAR else library.expm1(power * logarithm) / power


def _shrink(value: Floats, power: float) -> Floats:
    """Return the inverse of `_grow`."""
    logarithm = value if abs(power) < LINEAR else np.log1p(power * value) / power
    return np.asarray(np.expm1(logarithm), np.float64)


def _readable(fields: dict[str, Any]) -> dict[str, Any]:
    if fields:
        Transform.from_json(fields)
    return fields


SavedTransform = Annotated[dict[str, Any], AfterValidator(_readable)]  # what `to_json` gave; empty without a transform
