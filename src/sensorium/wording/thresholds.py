"""Sentences about decision thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensorium.config import MIN_CLASS_ROWS
from sensorium.wording._say import say

if TYPE_CHECKING:
    from sensorium.model.card import ThresholdRecord


def threshold_sentence(found: ThresholdRecord) -> str:
    """Return the decision thresholds, the rows that chose them, and what they change on other rows."""
    if found.targets:
        own = (say("threshold.target", name=name, sentence=_sentence(one)) for name, one in found.targets.items())
        return "; ".join(own)
    return _sentence(found)


def _sentence(found: ThresholdRecord) -> str:
    values, reasons = found.thresholds or [], found.reasons or []
    rule = say("threshold.set") if not reasons else say("threshold.fixed") if "fixed" in reasons else found.rule
    if reasons == ["few_rows"]:
        return say("threshold.few_rows_binary", rule=rule, needed=MIN_CLASS_ROWS, rows=found.rows)
    if len(values) == 1:
        sentence = say("threshold.one", value=f"{values[0]:.3g}", rule=rule)
    else:
        low, high = f"{min(values):.3g}", f"{max(values):.3g}"
        sentence = say("threshold.several", low=low, high=high, labels=len(values), rule=rule)
    if found.chosen_by:
        sentence = say(f"threshold.{found.chosen_by}", sentence=sentence, rows=found.rows)
    for reason in ("few_rows", "expected_cost", "not_reached"):
        if number := reasons.count(reason):
            figures = {"sentence": sentence, "labels": number, "all": len(values), "needed": MIN_CLASS_ROWS}
            sentence = say(f"threshold.{reason}", **figures)
    if not found.measured:
        return sentence
    pairs = found.measured.items()
    changes = ", ".join(say("threshold.change", name=name, before=old, after=new) for name, (old, new) in pairs)
    return say("threshold.measured", sentence=sentence, changes=changes)
