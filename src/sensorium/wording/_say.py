"""Fill templates with figures."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sensorium.metrics import is_in_points
from sensorium.wording._english import TEMPLATES

if TYPE_CHECKING:
    from sensorium.metrics import Difference


def say(key: str, /, **figures: Any) -> str:
    """Return the template with its figures filled in."""
    return TEMPLATES[key].format(**figures)


def titles(*names: str, **figures: Any) -> list[str]:
    """Return the titles of columns of a report."""
    return [say(f"column.{name}", **figures) for name in names]


def gain_of(found: Difference) -> str:
    """Return a gain, such as `+1.8 points accuracy`."""
    return say(_form("gain", found), value=_in_unit(found.value, found.metric), metric=found.metric)


def interval_of(found: Difference) -> str:
    """Return an interval, such as `95% interval 0.4 to 3.1`."""
    low, high = (_in_unit(bound, found.metric) for bound in found.interval)
    return say(_form("interval", found), low=low, high=high)


def gains_or_loses(found: Difference, other: str) -> str:
    """Return the predicate of a model that is compared with another one.

    `gains +1.8 points accuracy over text alone (95% interval 0.4 to 3.1)`, or with a negative gain `loses 1.8 points
    accuracy against text alone (95% interval -0.4 to 3.1)`, where a positive bound is a loss as well.
    """
    if not found.value < 0:
        return say("gains", gain=gain_of(found), other=other, interval=interval_of(found))
    low, high = found.interval
    turned = replace(found, value=-found.value, interval=(-high, -low))
    return say("loses", loss=gain_of(turned).removeprefix("+"), other=other, interval=interval_of(turned))


def _form(kind: str, found: Difference) -> str:
    return f"{kind}.points" if is_in_points(found.metric) else f"{kind}.value"


def _in_unit(value: float, metric: str) -> float:
    size = 100 if is_in_points(metric) and math.isfinite(value) else 1
    return size * value + 0.0  # 0.0: no minus zero
