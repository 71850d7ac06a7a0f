"""Report of modality imbalance: signs, mitigations that were tried, and the diagnosis as a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from sensorium.config import IMBALANCE_TECHNIQUE
from sensorium.report._parts import make_table, signed, text_line
from sensorium.wording import diagnosis_sentence, imbalance_sentence, say, titles

if TYPE_CHECKING:
    from sensorium.model.card import ImbalanceRecord, ImbalanceSigns, ModelCard


PLAIN = "plain"


def imbalance_json(card: Mapping[str, Any]) -> dict[str, Any]:
    """Take `imbalance` out of a public card: its `signs` with the diagnosis, and its `mitigation`, if it has them."""
    found = card["history"]["techniques"].get(IMBALANCE_TECHNIQUE)
    signs = {"signs": {key: value for key, value in found.items() if key != "epochs"}} if found else {}
    content = signs | ({"mitigation": card["imbalance"]} if "imbalance" in card else {})
    return {"imbalance": content} if content else {}


def imbalance_text(card: ModelCard) -> Sequence[RenderableType]:
    """Show the signs of each modality, each training that was tried, and the diagnosis as a sentence.

    The diagnosis of a check is about plain training, so that its signs are shown first.
    """
    report, imbalance = card.imbalance_signs, card.imbalance
    lines: list[RenderableType] = []
    if imbalance and imbalance.plain_signs:
        lines += _signs(imbalance.plain_signs, say("part.plain_training"))
    if report and not (imbalance and imbalance.plain_signs and imbalance.chosen == PLAIN):
        lines += _signs(report, say("part.kept_model", model=imbalance.chosen) if imbalance else "")
    if imbalance and len(imbalance.results) > 1:
        lines.append(_tried(imbalance))
    words = imbalance_sentence(imbalance) if imbalance else diagnosis_sentence(report) if report else ""
    return [*lines, text_line(words, "bold")] if words else lines


def _signs(report: ImbalanceSigns, where: str) -> list[RenderableType]:
    names = ("modality", "unimodal", "without", "linear_probe", "overfitting", "gradient_norm")
    table = make_table(*titles(*names, metric=report.metric))
    for name, signs in report.modalities.items():
        values = (signs.alone, signs.without, signs.probe, signs.overfit_ratio, signs.gradient_norm)
        table.add_row(name, *map(_figure, values))
    figures = {"rows": report.rows, "where": where, "value": _figure(report.all), "metric": report.metric}
    title = say("line.imbalance", **figures)
    return [text_line(title), table]


def _tried(imbalance: ImbalanceRecord) -> RenderableType:
    names = ("training", "validation", "gain_over_plain", "p")
    table = make_table(*titles(*names, metric=imbalance.metric, rows=imbalance.rows))
    for result in imbalance.results:
        style = "bold" if result.name == imbalance.chosen else ""
        gain = (signed(result.difference), _figure(result.difference.p_corrected)) if result.difference else ("", "")
        table.add_row(result.name, _figure(result.validation), *gain, style=style)
    return table


def _figure(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "–"
