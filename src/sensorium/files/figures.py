"""Numbers that may be undefined: NaN in memory, null in JSON."""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeAlias

from pydantic import AllowInfNan, BeforeValidator, PlainSerializer


def finite(value: float) -> float | None:
    """Return the value; None if it is not finite, because JSON has no NaN.

    >>> from sensorium.files.figures import finite
    >>> finite(0.5), finite(float("nan"))
    (0.5, None)
    """
    return value if math.isfinite(value) else None


def nan_for_none(value: Any) -> Any:
    """Return the value; NaN for None, which stands for it in JSON."""
    return math.nan if value is None else value


Figure: TypeAlias = Annotated[
    float, AllowInfNan(True), BeforeValidator(nan_for_none), PlainSerializer(finite, return_type=float | None)
]
