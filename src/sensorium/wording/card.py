"""Sentences about a model card, and the card in the form that users read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sensorium.config import CALIBRATION_FOLDS, CALIBRATION_ROWS, IMBALANCE_TECHNIQUE
from sensorium.findings import count
from sensorium.wording._say import gain_of, interval_of, say

if TYPE_CHECKING:
    from sensorium.metrics import Difference
    from sensorium.model.card import (
        CalibrationRecord,
        DataSpec,
        Diagnosis,
        HistoryRecord,
        ImbalanceRecord,
        ImbalanceSigns,
        ModelCard,
        RestartRecord,
        SearchCoverage,
        TuningRecord,
    )

STOPPED = {
    "patience": "line.stopped_patience",
    "perfect": "line.stopped_perfect",
    "plateau": "line.stopped_plateau",
    "callback": "line.stopped_callback",
}  # reason → template

DATA_KEYS = {
    "fingerprint": "fingerprint",
    "rows": "split_rows",
    "split": "split_rule",
    "split_column": "split_column",
    "split_digest": "split_digest",
    "split_earlier": "split_earlier",
    "text": "text_columns",
    "statistics": "statistics",
}  # key of the public card → entry of the data specification


def public_card(card: ModelCard, data: DataSpec) -> dict[str, Any]:
    """Return the card and the data specification as one dict of JSON values, with sentences added."""
    found, entries = card.to_json(), data.to_json()
    found |= {key: entries[name] for key, name in DATA_KEYS.items()}
    if card.restart:
        found["restart"]["sentence"] = restart_sentence(card.restart)
    if card.tuning:
        found["tuning"]["sentence"] = tuning_sentence(card.tuning)
    if card.imbalance:
        found["imbalance"]["diagnosis"]["words"] = _settled(card.imbalance)
        found["imbalance"]["verdict"] = imbalance_sentence(card.imbalance)
    if card.imbalance_signs:
        found["history"]["techniques"][IMBALANCE_TECHNIQUE] = public_diagnosis(card)
    return found


def public_diagnosis(card: ModelCard) -> dict[str, Any]:
    """Return the report of the technique `modality_imbalance`, with its diagnosis as a sentence; empty if off."""
    report = card.imbalance_signs
    if report is None:
        return {}
    told = card.history.techniques[IMBALANCE_TECHNIQUE]
    return {**told, "diagnosis": {**told["diagnosis"], "words": diagnosis_sentence(report)}}


def diagnosis_sentence(report: ImbalanceSigns) -> str:
    """Return what a single training shows about its modalities, and how to learn more."""
    found, alone = report.diagnosis, {name: signs.alone for name, signs in report.modalities.items()}
    others = [say("diagnosis.other", name=name, value=alone[name]) for name in found.behind]
    figures = {"leads": found.leads, "best": alone[found.leads], "chance": report.chance, "metric": report.metric}
    sentence = say(f"diagnosis.{found.state}", others=", ".join(others), **figures)
    if found.overfitting:
        ratios = {name: report.modalities[name].overfit_ratio for name in found.overfitting}
        names = ", ".join(say("diagnosis.overfit", name=name, ratio=ratio) for name, ratio in ratios.items())
        sentence = say("diagnosis.overfitting", sentence=sentence, names=names)
    return say("diagnosis.ask", sentence=sentence)


def imbalance_sentence(found: ImbalanceRecord) -> str:
    """Return which modalities are undertrained, which model is kept, and how it differs from plain training."""
    sentence, plain = _settled(found), found.results[0].validation
    if len(found.results) == 1:
        return say("imbalance.plain", sentence=sentence)
    kept = next(result for result in found.results if result.name == found.chosen)
    if kept.difference is None:
        return say("imbalance.no_better", sentence=sentence, plain=plain, metric=found.metric)
    low, high = kept.difference.interval
    return say(
        "imbalance.kept",
        sentence=sentence,
        chosen=found.chosen,
        best=kept.validation,
        plain=plain,
        metric=found.metric,
        value=kept.difference.value,
        rows=found.rows,
        low=low,
        high=high,
        p=kept.difference.p_corrected,
    )


def stop_sentence(history: HistoryRecord) -> str | None:
    """Return why training ended before its last epoch; None if it did not, or a budget ended it."""
    stopped = history.stopped
    if stopped is None:
        return None
    key = STOPPED[stopped.reason]
    if stopped.reason == "plateau" and math.isnan(history.epochs[-1].metric):
        key = "line.stopped_loss"
    elif stopped.reason == "patience" and history.stop_by == "log_loss":
        key = "line.stopped_patience_loss"
    return say(
        key,
        epoch=stopped.epoch,
        metric=history.watched,
        value=stopped.value,
        epochs=stopped.epochs,
    )


def coverage_sentence(found: SearchCoverage) -> str:
    """Return how many candidates a search tried, what they varied, and the budget that would try the rest."""
    sentence = say(
        "line.candidates_tried" if found.varied else "line.plain_only",
        tried=found.tried,
        planned=count(found.planned, "planned candidate"),
        names=_settings(found.varied),
    )
    if not found.unvaried:
        return sentence
    figures = {"sentence": sentence, "names": _settings(found.unvaried), "needed": found.candidates_needed}
    if found.seconds_needed is None:
        return say("line.unvaried_short", **figures)
    return say("line.unvaried", budget=_budget(found.seconds_needed), **figures)


def _settings(names: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _budget(seconds: float) -> str:
    """Return a time as `--budget` takes it, rounded up."""
    return f"{math.ceil(seconds / 10) * 10}s" if seconds <= 90 else f"{math.ceil(seconds / 60)}m"


def restart_sentence(found: RestartRecord) -> str:
    """Return that the network predicted a constant, what its second training changed, and whether it still does."""
    if found.failure:
        return say("restart.failed", rate=found.learning_rate, failure=found.failure)
    if found.learning_rate is None:
        return say("restart.none")
    figures = dict(zip(("first", "second"), found.losses, strict=True))
    kind = "first" if found.kept == "first" else "still" if found.collapsed else "second"
    return say(f"restart.{kind}", rate=found.learning_rate, **figures)


def tuning_sentence(found: TuningRecord) -> str:
    """Return whether fine-tuning the encoders paid off on the validation rows."""
    if found.difference is None:
        return say("tuning.failed", failure=found.failure or "")
    if not math.isfinite(found.difference.value):
        return say("tuning.undefined", metric=found.difference.metric)
    figures = say("tuning.figures", gain=gain_of(found.difference), interval=interval_of(found.difference))
    kind = "no" if found.difference.value <= 0 else "yes" if found.difference.helps else "perhaps"
    return say(f"tuning.{kind}", figures=figures)


def calibration_sentence(found: CalibrationRecord) -> str:
    """Return whether probabilities are calibrated, with the metrics on rows that did not determine the temperature."""
    if found.targets:
        own = (say("calibration.target", name=name, sentence=_scaling(one)) for name, one in found.targets.items())
        return "; ".join(own)
    return _scaling(found)


def _scaling(found: CalibrationRecord) -> str:
    if found.reason in ("one_class", "few_rows", "few_groups"):
        needed = CALIBRATION_FOLDS if found.reason == "few_groups" else CALIBRATION_ROWS
        return say(f"calibration.{found.reason}", rows=found.rows, groups=found.groups, needed=needed)
    own = found.members or (found.temperature if isinstance(found.temperature, list) else [])  # of the members
    several = any(value != 1 for value in own)
    temperatures = own if several else [1.0 if isinstance(found.temperature, list) else found.temperature or 1.0]
    is_off = all(value == 1 for value in temperatures)
    kind = "off" if is_off else "members" if several else "on"
    sentence = say(f"calibration.{kind}", temperature=_listed(temperatures))
    if found.reason == "above_prior":
        kind = "prior_share" if found.prior_share else "above_prior"
        sentence = say(f"calibration.{kind}", sentence=sentence, share=found.prior_share or 0.0)
    elif found.reason == "at_bound" and found.fitted:
        sentence = say("calibration.at_bound", sentence=sentence, fitted=f"{found.fitted:.3g}")
    elif found.gain and found.fitted:
        common = "mean_gain" if found.members and found.reason == "kept" else "common_gain"
        kind = ("no_" if found.reason == "no_gain" else "") + (common if several else "gain")
        figures = {"sentence": sentence, "fitted": f"{found.fitted:.3g}", "gain": _signed(found.gain)}
        sentence = say(f"calibration.{kind}", **figures)
    if not found.test or is_off:
        return sentence
    told = [say("calibration.change", metric=name, before=old, after=new) for name, (old, new) in found.test.items()]
    return say("calibration.changes", sentence=sentence, changes=", ".join(told))


def _listed(temperatures: Iterable[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in temperatures)


def _signed(gain: Difference) -> str:
    """Return the gain, which is positive where the loss is lower, with its interval."""
    low, high = gain.interval
    return say("calibration.interval", value=gain.value, low=low, high=high)


def _settled(found: ImbalanceRecord) -> str:
    """Return the diagnosis after each modality was trained alone."""
    return _with_failed(found.diagnosis, say(f"imbalance.{found.diagnosis.state}", modalities=_modalities(found)))


def _modalities(found: ImbalanceRecord) -> str:
    names = found.diagnosis.behind or found.unimodal.keys()
    told: Iterable[str] = (
        say("imbalance.modality", name=name, fused=own.in_fused, alone=own.trained_alone, metric=found.metric)
        for name, own in found.unimodal.items()
        if name in names
    )
    return ", ".join(told)


def _with_failed(found: Diagnosis, sentence: str) -> str:
    if not found.failed:
        return sentence
    return say("imbalance.failed", sentence=sentence, names=", ".join(map(repr, found.failed)))
