"""Modality imbalance in a model's card: signs of each modality, and the mitigations that were tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from sensorium.report._parts import make_table, text_line

TECHNIQUE = "modality_imbalance"
Figure = float | None


def imbalance_json(card: Mapping[str, Any]) -> dict[str, Any]:
    """`imbalance`: its `signs` with the diagnosis, and its `mitigation`, where the card has them."""
    found = card["history"]["techniques"].get(TECHNIQUE)
    signs = {"signs": {key: value for key, value in found.items() if key != "epochs"}} if found else {}
    content = signs | ({"mitigation": card["imbalance"]} if "imbalance" in card else {})
    return {"imbalance": content} if content else {}


def imbalance_text(card: Mapping[str, Any]) -> Sequence[RenderableType]:
    """Signs of each modality, every training that was tried, and the verdict."""
    found, mitigation = card["history"]["techniques"].get(TECHNIQUE), card.get("imbalance")
    lines: list[RenderableType] = []
    if found:
        metric = found["metric"]
        table = make_table(
            "modality", f"alone, {metric}", "without it", "linear probe", "overfitting ratio", "gradient norm"
        )
        for name, signs in found["modalities"].items():
            keys = ("alone", "without", "probe", "overfit_ratio", "gradient_norm")
            table.add_row(name, *(_figure(signs[key]) for key in keys))
        whole = f"{_figure(found['all'])} {metric}"
        lines.append(text_line(f"modality imbalance on {found['rows']} rows; all modalities: {whole}"))
        lines.append(table)
    if mitigation and len(mitigation["results"]) > 1:
        tried = make_table("training", f"validation {mitigation['metric']}", "less plain, 95% interval", "p, Holm")
        for result in mitigation["results"]:
            style = "bold" if result["name"] == mitigation["chosen"] else ""
            tried.add_row(result["name"], _figure(result["validation"]), *_gain(result["difference"]), style=style)
        lines.append(tried)
    words = mitigation["verdict"] if mitigation else found["diagnosis"]["words"] if found else ""
    return [*lines, text_line(words, "bold")] if words else lines


def _figure(value: Figure) -> str:
    return "–" if value is None else f"{value:.4f}"


def _gain(found: Mapping[str, Any] | None) -> tuple[str, str]:
    if found is None:
        return "", ""
    low, high = ("–" if bound is None else f"{bound:+.4f}" for bound in found["interval"])
    return f"{found['value']:+.4f} ({low} – {high})", _figure(found["p_corrected"])
