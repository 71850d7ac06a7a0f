"""Sentences about prediction sets and intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensorium.conformal import INTERVAL_METHODS, LEVEL
from sensorium.wording._say import say

if TYPE_CHECKING:
    from sensorium.model.card import ConformalRecord


def conformal_sentences(found: ConformalRecord) -> list[str]:
    """Return for each target which rows calibrate its sets or intervals, and their coverage of the test rows."""
    return [
        say("conformal.target", name=name, sentence=_sentence(found, name)) if name else _sentence(found, name)
        for name in found.methods
    ]


def _sentence(found: ConformalRecord, name: str) -> str:
    kind = "intervals" if found.methods[name] in INTERVAL_METHODS else "sets"
    own, tested = found.test.get(name), ""
    if own is not None:
        low, high = own.interval
        figures = {"coverage": own.coverage, "low": low, "high": high, "rows": own.rows, "size": own.size}
        tested = say(f"conformal.tested_{kind}", **figures)
    method = found.methods[name]
    sentence = say(f"conformal.{kind}", level=LEVEL, method=method, source=_source(found, name), tested=tested)
    if found.asked is None or (found.asked in INTERVAL_METHODS) != (method in INTERVAL_METHODS):
        return sentence
    return say("conformal.few_rows", sentence=sentence, asked=found.asked)


def _source(found: ConformalRecord, name: str) -> str:
    source = say(f"conformal.{found.source}", rows=found.rows[name])
    if found.groups is not None:
        source = say("conformal.groups", source=source, groups=found.groups[name])
    return say("conformal.by_time", source=source) if found.by_time else source
