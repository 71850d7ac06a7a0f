"""Rules that choose the decision threshold of a probability."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import pydantic

RULE = (
    "auto, f1, youden, recall=0.9, precision=0.9, the costs of errors such as fn=5,fp=1 (false negative, false "
    "positive), or a threshold above 0 and below 1"
)
DEFAULT_THRESHOLD = 0.5
MIN_CLASS_ROWS = 10  # rows with a label, and rows without it, from which its threshold is chosen
REACHED_PATTERN = re.compile(r"(?P<name>recall|precision)=(?P<value>[^=,]+)")
COSTS_PATTERN = re.compile(r"(?P<one>fn|fp)=(?P<first>[^=,]+),(?P<other>fn|fp)=(?P<second>[^=,]+)")
HIGHEST_COST = 1e6

RuleName: TypeAlias = Literal["auto", "fixed", "f1", "youden", "recall", "precision", "costs"]


@dataclass(frozen=True)
class ThresholdRule:
    """Rule that chooses the decision threshold of one target.

    Attributes:
        name: the kind of rule.
        value: the threshold of `fixed`, or the recall or precision to reach.
        false_negative, false_positive: costs of errors, for `costs`.
    """

    name: RuleName
    value: float = DEFAULT_THRESHOLD
    false_negative: float = 1.0
    false_positive: float = 1.0

    @classmethod
    def parse(cls, given: str | float) -> ThresholdRule:
        """Read a rule as the setting `threshold` spells it.

        Raises:
            ValueError: it is not a rule.

        Example:
            >>> from sensorium.config import ThresholdRule
            >>> ThresholdRule.parse("recall=0.9")
            ThresholdRule(name='recall', value=0.9, false_negative=1.0, false_positive=1.0)
        """
        text = "".join(str(given).split()) if not isinstance(given, bool) else ""
        if text in ("auto", "f1", "youden"):
            return cls(text)  # type: ignore[arg-type]
        if found := REACHED_PATTERN.fullmatch(text):
            return cls(found["name"], _number(found["value"], 1.0, closed=True))  # type: ignore[arg-type]
        if (found := COSTS_PATTERN.fullmatch(text)) and found["one"] != found["other"]:
            costs = {found[kind]: _number(found[cost], HIGHEST_COST) for kind, cost in COST_OF_KIND.items()}
            return cls("costs", DEFAULT_THRESHOLD, costs["fn"], costs["fp"])
        return cls("fixed", _number(text, 1.0))

    @property
    def best_for_probabilities(self) -> float:
        """Return the threshold with the lowest expected cost where probabilities are right."""
        return self.false_positive / (self.false_positive + self.false_negative)


COST_OF_KIND = {"one": "first", "other": "second"}  # groups of `COSTS_PATTERN`: a kind of error → its cost


def _number(text: str, most: float, *, closed: bool = False) -> float:
    """Return a number above 0 and below a bound, or up to it."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (0 < value < most or (closed and value == most)):
        raise ValueError(RULE)
    return value


def _spelt(given: Any) -> Any:
    """Return valid rules as they are spelled, and fixed thresholds as numbers."""
    if isinstance(given, Mapping):
        return {name: _spelt_rule(own) for name, own in given.items()}
    return _spelt_rule(given)


def _spelt_rule(given: Any) -> str | float:
    if not isinstance(given, str | float | int):
        raise ValueError(RULE)
    rule = ThresholdRule.parse(given)
    return rule.value if rule.name == "fixed" else str(given)


Threshold = Annotated[float | str | dict[str, float | str], pydantic.BeforeValidator(_spelt)]
