"""Migrate `model.json` from an earlier format version to the current one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import pydantic

from sensorium.artifact.format import MEMBERS, MODEL
from sensorium.config import IMBALANCE_TECHNIQUE, current_member
from sensorium.errors import ArtifactError
from sensorium.model.card import ModelCard
from sensorium.registry import techniques
from sensorium.wording.card import DATA_KEYS

Kind = TypeVar("Kind")
OTHERS = "others"  # networks but the first, until version 3
OLD_IMBALANCE, IMBALANCE, UNIMODAL = "balance", "imbalance", "unimodal_pretraining"
MITIGATION = {"by_itself": "unimodal", "remedies": "mitigations"}  # keys within
FAILED, KEPT = "tuning the encoders broke down (", "): kept frozen"  # around the reason, in sentences of version 2


def upgrade(model: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return `model.json` of any readable version in the current form.

    Version 1 has one network and no temperature; version 2 has one untyped card; version 3 has networks with equal
    weights only.

    Args:
        model: the content.
        version: format version of the model.
    """
    if version >= 4:
        return dict(model)
    content = {"temperature": 1.0, "others": [], **model}
    if version < 3 and isinstance(card := content.get("card"), dict):
        content["data"] = {name: card[key] for key, name in DATA_KEYS.items() if key in card}
        content["card"] = _typed(card)
    return _with_members(content)


def upgrade_weights(weights: Mapping[str, Kind], version: int) -> dict[str, Kind]:
    """Return the weights of any readable version under their current names.

    Until version 3, weights of the first network had no prefix, those of the others `others/NUMBER/`.
    """
    return dict(weights) if version >= 4 else {_weight_name(name): value for name, value in weights.items()}


def _weight_name(name: str) -> str:
    owner, number, parameter = [*name.split("/", 2), "", ""][:3]
    if owner != OTHERS:
        return f"{MEMBERS}/0/{name}"
    # A number that is none stays: no part of the model has such a name.
    return f"{MEMBERS}/{int(number) + 1 if number.isdecimal() else number}/{parameter}"


def _with_members(model: dict[str, Any]) -> dict[str, Any]:
    """Return a model of version 3 whose networks are members of equal weight."""
    first = {key: model.pop(key) for key in ("network", "temperature", "int8") if key in model}
    others = model.pop("others")
    if not isinstance(others, list):
        raise ArtifactError("the content is not valid: others is not a list", place=MODEL)
    members = [first, *(other if isinstance(other, dict) else {} for other in others)]
    shared = {"kind": "network", "name": "network", "weight": 1 / len(members)}
    return {**model, "members": [{**shared, **member} for member in members], "temperature": 1.0}


def _typed(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card with sentences replaced by data; invalid parts are left out, as the card is only for people."""
    found = _with_current_names(card)
    found |= {"tuning": _tuning(found["tuning"])} if "tuning" in found else {}
    found |= {IMBALANCE: _imbalance(found)} if IMBALANCE in found else {}
    return {key: value for key, value in found.items() if key not in DATA_KEYS and _is_valid(key, value)}


def _with_current_names(card: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(card)
    if isinstance(card.get(OLD_IMBALANCE), Mapping) and IMBALANCE not in card:
        found[IMBALANCE] = _renamed(found.pop(OLD_IMBALANCE))
    history = card.get("history")
    reports = history.get("techniques") if isinstance(history, Mapping) else None
    if isinstance(history, Mapping) and isinstance(reports, Mapping):
        now = {current_member(techniques, name): _renamed(report) for name, report in reports.items()}
        found["history"] = {**history, "techniques": now}
    return found


def _renamed(old: Any) -> Any:
    """Return a part of the record of modality imbalance with current keys and values."""
    if isinstance(old, Mapping):
        return {MITIGATION.get(key, key): _renamed(value) for key, value in old.items()}
    if isinstance(old, list):
        return [_renamed(value) for value in old]
    return UNIMODAL if old == "by_itself" else old


def _is_valid(key: str, value: Any) -> bool:
    try:
        ModelCard.model_validate({key: value})
    except pydantic.ValidationError:
        return False
    return True


def _tuning(tuning: Any) -> Any:
    """Extract the failure, which was only in the sentence."""
    sentence = tuning.get("sentence") if isinstance(tuning, dict) else None
    if not isinstance(sentence, str) or not sentence.startswith(FAILED):
        return tuning
    return {**tuning, "failure": sentence.removeprefix(FAILED).removesuffix(KEPT)}


def _imbalance(card: Mapping[str, Any]) -> Any:
    """Extract the modalities that could not be trained alone and the split, which were only in sentences."""
    try:
        found, signs = card[IMBALANCE], card["history"]["techniques"][IMBALANCE_TECHNIQUE]["modalities"]
        failed = [name for name in signs if name not in found["unimodal"]]
        rows = "test" if "test" in card["metrics"] else "validation"
        return {**found, "diagnosis": {**found["diagnosis"], "failed": failed}, "rows": rows}
    except (KeyError, TypeError):
        return None
