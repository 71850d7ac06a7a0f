"""Does tuning pretrained encoders pay? A model with frozen ones trains on with all thawed; the better one is kept."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from sensorium.config import Config, UnfreezeConfig
from sensorium.encoders.module import Module
from sensorium.errors import TrainingError
from sensorium.evaluate import Difference, compare_outcomes, finite
from sensorium.evaluate.verdict import SHARE_METRICS
from sensorium.experiment._checks import can_unfreeze
from sensorium.experiment._experiment import Experiment, Trained, Variant
from sensorium.experiment._start import SLOWER
from sensorium.metrics import score
from sensorium.model import FittedModel, TowerPlan, build_network
from sensorium.registry import encoders


def tune_encoders(experiment: Experiment, trained: Trained, seed: int | None = None) -> Trained:
    """Let the frozen pretrained encoders of a model learn, as `train.unfreeze` says; keep what validates better.

    The head, fusion and other towers go on at a quarter of their learning rate. The paired interval is of the rows by
    which the better epoch and the better model are chosen, so that it flatters the tuned one a little.

    Args:
        experiment: that trained the model, with validation rows.
        trained: the model, by its encoders' kept features.
        seed: of the stage; the settings' own by default.

    Returns:
        The tuned model, or the one that was given; the card's `tuning` tells both figures and why.
    """
    settings = experiment.config.train.unfreeze
    assert settings
    start = _unfrozen(trained.bundle, settings)
    stage = experiment.go_on(start, _stage_config(experiment.config, settings))
    try:
        tuned = stage.train(Variant(seed=seed))
    except TrainingError as error:
        sentence = f"tuning the encoders broke down ({error.finding}): kept frozen"
        return _with_card(trained, trained.bundle, {"kept": "frozen", "sentence": sentence})
    watched = trained.history.watched
    outcomes = [each.outcomes["validation"] for each in (tuned, trained)]
    difference = compare_outcomes(outcomes[0], outcomes[1], watched)
    better = math.isfinite(difference.value) and difference.value > 0
    card = {
        "metric": watched,
        "frozen": finite(float(score(watched, outcomes[1])[0])),
        "tuned": finite(float(score(watched, outcomes[0])[0])),
        "difference": difference.to_json(),
        "kept": "tuned" if better else "frozen",
        "sentence": tuning_sentence(difference),
        "seconds": round(tuned.seconds, 3),
        "history": tuned.history.to_json(),
    }
    return _choose(trained, tuned, card) if better else _with_card(trained, trained.bundle, card)


def tuning_sentence(difference: Difference) -> str:
    """One honest sentence on what tuning changed on the validation rows."""
    metric, (low, high) = difference.metric, difference.interval
    if not math.isfinite(difference.value):
        return f"whether tuning the encoders pays can't be told, {metric} is not defined: kept frozen"
    size, unit = (100.0, " points") if metric in SHARE_METRICS else (1.0, "")
    value, low, high = (size * bound + 0.0 for bound in (difference.value, low, high))  # 0.0: no minus nothing
    figures = f"{value:+.3g}{unit} {metric}, 95% interval {low:+.3g} to {high:+.3g}"
    if difference.value <= 0:
        return f"tuning the encoders does not pay ({figures}): kept frozen"
    if low > 0:
        return f"tuning the encoders pays: {figures}"
    return f"tuning the encoders may pay, the interval holds 0: {figures}; the tuned model is kept"


def _unfrozen(bundle: FittedModel, settings: UnfreezeConfig) -> FittedModel:
    """The same model, built so that its encoders learn."""
    layers = None if settings.layers == "all" else settings.layers
    share = min(1.0, settings.rate / SLOWER)  # of the stage's own rate, so that it is a share of the first stage's
    towers = [_unfrozen_plan(t, layers, share) if can_unfreeze(t) else t for t in bundle.blueprint.towers]
    blueprint = replace(bundle.blueprint, towers=towers)
    own = {t.name: t.encoder.module for t in bundle.network.every_tower if isinstance(t.encoder, Module)}
    network = build_network(blueprint, bundle.learnt, bundle.task, own)
    network.load_state_dict(bundle.network.state_dict())
    return replace(bundle, blueprint=blueprint, network=network.to(bundle.device))


def _unfrozen_plan(tower: TowerPlan, layers: int | None, rate: float) -> TowerPlan:
    return replace(tower, options=encoders.load(tower.encoder).unfrozen(tower.options, layers, rate))


def _stage_config(config: Config, settings: UnfreezeConfig) -> Config:
    stage = {
        "epochs": settings.epochs,
        "learning_rate": config.train.learning_rate * SLOWER,
        "unfreeze": None,
        "pretrain": None,
    }
    return config.model_copy(update={"train": config.train.model_copy(update=stage)})


def _choose(trained: Trained, tuned: Trained, card: dict[str, Any]) -> Trained:
    """The tuned model under the settings of both stages."""
    chosen = replace(trained, outcomes=tuned.outcomes, seconds=trained.seconds + tuned.seconds)
    bundle = replace(tuned.bundle, config=trained.bundle.config)
    own = trained.bundle.card
    bundle.card |= {name: own[name] for name in ("balance", "pretraining") if name in own}
    bundle.card |= {"history": trained.history.to_json(), "seconds": round(chosen.seconds, 3)}
    return _with_card(chosen, bundle, card)


def _with_card(trained: Trained, bundle: FittedModel, card: dict[str, Any]) -> Trained:
    bundle.card["tuning"] = card
    return replace(trained, bundle=bundle)
