"""Reduce the sides of images and volumes for large tables."""

from __future__ import annotations

SMALLEST_SIDE, SMALLEST_DEPTH = 32, 8  # of what is reduced: below them, small networks see too little


def reduced_side(side: int, scale: float, smallest: int = SMALLEST_SIDE) -> int:
    """Return the side times the scale, but not below the smallest; sides below it are kept.

    >>> from sensorium.modalities._sides import reduced_side
    >>> reduced_side(64, 0.8), reduced_side(64, 0.1), reduced_side(28, 0.1)
    (51, 32, 28)
    """
    return min(side, max(smallest, int(side * scale)))
