"""Modality imbalance in a model's card: what the doctor saw, which remedies were tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from sensorium.report._parts import make_table, text_line

Figure = float | None


def doctor_json(card: Mapping[str, Any]) -> dict[str, Any]:
    """`doctor`: signs and diagnosis, and `balance`: what was tried, where there are such."""
    found = card["history"]["techniques"].get("doctor")
    signs = {"doctor": {key: value for key, value in found.items() if key != "epochs"}} if found else {}
    return signs | ({"balance": card["balance"]} if "balance" in card else {})


def doctor_text(card: Mapping[str, Any]) -> Sequence[RenderableType]:
    """Signs of each modality, each way of training that was tried, and the finding in words."""
    found, treatment = card["history"]["techniques"].get("doctor"), card.get("balance")
    lines: list[RenderableType] = []
    if found:
        metric = found["metric"]
        table = make_table(
            "modality", f"alone, {metric}", "without it", "linear probe", "overfitting ratio", "gradient norm"
        )
        for name, signs in found["modalities"].items():
            keys = ("alone", "without", "probe", "overfit_ratio", "gradient_norm")
            table.add_row(name, *(_figure(signs[key]) for key in keys))
        lines.append(text_line(f"the doctor, {found['rows']} rows, all modalities {_figure(found['all'])} {metric}"))
        lines.append(table)
    if treatment and len(treatment["results"]) > 1:
        tried = make_table("training", f"validation {treatment['metric']}", "less plain, 95% interval", "p, Holm")
        for result in treatment["results"]:
            style = "bold" if result["name"] == treatment["chosen"] else ""
            tried.add_row(result["name"], _figure(result["validation"]), *_gain(result["difference"]), style=style)
        lines.append(tried)
    words = treatment["verdict"] if treatment else found["diagnosis"]["words"] if found else ""
    return [*lines, text_line(words, "bold")] if words else lines


def _figure(value: Figure) -> str:
    return "–" if value is None else f"{value:.4f}"


def _gain(found: Mapping[str, Any] | None) -> tuple[str, str]:
    if found is None:
        return "", ""
    low, high = ("–" if bound is None else f"{bound:+.4f}" for bound in found["interval"])
    return f"{found['value']:+.4f} ({low} – {high})", _figure(found["p_corrected"])
