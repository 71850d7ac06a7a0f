"""Fine-tune frozen pretrained encoders in a second stage, and keep the result if validation improves."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, ClassVar

from sensorium.config import Config, UnfreezeConfig
from sensorium.encoders.module import Module
from sensorium.evaluate import compare_outcomes
from sensorium.metrics import score
from sensorium.model import OWN_FUSION, FittedModel, OwnModules, TowerPlan, build_network, can_unfreeze
from sensorium.model.card import HistoryRecord, TuningRecord
from sensorium.planning import SLOWER, continued_with
from sensorium.registry import encoders
from sensorium.strategies._base import Session, Stage, Strategy
from sensorium.trials import Control, InProcess, TrialResult, TrialSpec
from sensorium.wording import tuning_sentence


class Unfreeze(Strategy):
    """Fine-tuning of frozen pretrained encoders, kept if the validation metric improves (`train.unfreeze`).

    The learning rate of the head, the fusion and other towers is a quarter of that in the first stage. The paired
    interval is computed on the validation rows, which also select the epoch and the model, so it slightly favours
    fine-tuning.
    """

    SETTING: ClassVar[str] = "train.unfreeze"
    STAGE: ClassVar[Stage] = "improve"

    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        assert so_far is not None
        data, settings = session.data, session.data.plan.config.train.unfreeze
        assert settings
        so_far.model.check_single_network("fine-tune the encoders of")
        start = _unfrozen(so_far.model, settings)
        stage = continued_with(data, start, _stage_config(data.plan.config, settings), session.report)
        second = replace(session, data=stage, runner=InProcess(stage))
        tuned = second.train(TrialSpec("fine-tuned"), Control(report=session.report))
        result = _better(so_far, tuned)
        if result.model.card.tuning:
            session.report.log(tuning_sentence(result.model.card.tuning))
        return result


def _better(frozen: TrialResult, tuned: TrialResult) -> TrialResult:
    if tuned.error is not None:
        return _with_card(frozen, frozen.model, TuningRecord(kept="frozen", failure=tuned.error.finding))
    watched = frozen.training_history.watched
    outcomes = [each.outcomes["validation"] for each in (tuned, frozen)]
    difference = compare_outcomes(outcomes[0], outcomes[1], watched)
    better = math.isfinite(difference.value) and difference.value > 0
    record = TuningRecord(
        metric=watched,
        frozen=float(score(watched, outcomes[1])[0]),
        tuned=float(score(watched, outcomes[0])[0]),
        difference=difference,
        kept="tuned" if better else "frozen",
        seconds=round(tuned.seconds, 3),
        history=HistoryRecord.model_validate(tuned.training_history.to_json()),
    )
    return _choose(frozen, tuned, record) if better else _with_card(frozen, frozen.model, record)


def _unfrozen(fitted: FittedModel, settings: UnfreezeConfig) -> FittedModel:
    """Build the same model with its encoders unfrozen."""
    layers = None if settings.layers == "all" else settings.layers
    # Of the stage's own learning rate, so that it is a share of the first stage's.
    share = min(1.0, settings.learning_rate_scale / SLOWER)
    towers = [_unfrozen_plan(t, layers, share) if can_unfreeze(t) else t for t in fitted.blueprint.towers]
    blueprint = replace(fitted.blueprint, towers=towers)
    own = _own_modules(fitted)
    network = build_network(blueprint, fitted.learnt, fitted.task, own)
    network.load_state_dict(fitted.network.state_dict())
    return fitted.with_first(blueprint=blueprint, network=network.to(fitted.device))


def _own_modules(fitted: FittedModel) -> OwnModules:
    """Return the user's own modules in a network."""
    network, fusion = fitted.network, fitted.blueprint.fusion
    modules: dict[str, Any] = {t.name: t.encoder.module for t in network.every_tower if isinstance(t.encoder, Module)}
    return OwnModules(modules, {fusion: network.fusion} if fusion.startswith(OWN_FUSION) else {}).copied()


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


def _choose(frozen: TrialResult, tuned: TrialResult, record: TuningRecord) -> TrialResult:
    """Return the fine-tuned model with the settings of the first stage and the record of both."""
    chosen = replace(frozen, outcomes=tuned.outcomes, seconds=frozen.seconds + tuned.seconds)
    fitted = replace(tuned.model, config=frozen.model.config)
    own = frozen.model.card
    fitted.card = fitted.card.updated(
        imbalance=own.imbalance, pretraining=own.pretraining, history=own.history, seconds=round(chosen.seconds, 3)
    )
    return _with_card(chosen, fitted, record)


def _with_card(result: TrialResult, fitted: FittedModel, record: TuningRecord) -> TrialResult:
    fitted.card = fitted.card.updated(tuning=record)
    return replace(result, fitted=fitted)
