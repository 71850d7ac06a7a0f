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


def _or_nan(value: Any) -> Any:
    return math.nan if value is None else value


Figure: TypeAlias = Annotated[
    float, AllowInfNan(True), BeforeValidator(_or_nan), PlainSerializer(finite, return_type=float | None)
]
