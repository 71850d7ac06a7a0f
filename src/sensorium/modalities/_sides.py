"""Reduce the sides of images and volumes for large tables."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Self

from sensorium.modalities._base import Modality

SMALLEST_SIDE, SMALLEST_DEPTH = 32, 8  # of what is reduced: below them, small networks see too little


def reduced_side(side: int, scale: float, smallest: int = SMALLEST_SIDE) -> int:
    """Return the side times the scale, but not below the smallest; sides below it are kept.

    >>> from sensorium.modalities._sides import reduced_side
    >>> reduced_side(64, 0.8), reduced_side(64, 0.1), reduced_side(28, 0.1)
    (51, 32, 28)
    """
    return min(side, max(smallest, int(side * scale)))


class Square(Modality):
    """Base class of modalities whose cells hold square images of `size` × `size` pixels.

    Attributes:
        size: side in pixels, a field of each modality.
    """

    sizes: ClassVar[frozenset[str]] = frozenset({"size"})
    size: int

    def reduced(self, share: float) -> Self:
        return replace(self, size=reduced_side(self.size, share**0.5))  # type: ignore[type-var]
