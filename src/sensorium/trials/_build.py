"""Build the model of a trial on a prepared table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sensorium.config import Config
from sensorium.evaluate.drift import sketch_columns
from sensorium.model import (
    Blueprint,
    FittedModel,
    FusionModel,
    Member,
    NetworkMember,
    Pool,
    Pooling,
    build_network,
    check_features,
    make_ready,
    outline_network,
    plan_model,
    rehearse_parts,
)
from sensorium.model.card import DataSpec, ModelCard, Notice, UnlabelledRecord
from sensorium.planning import Plan, PreparedTable, take_weights, with_validation_learned
from sensorium.train import check_size, freeze
from sensorium.trials._spec import TrialSpec

ModelOf = Callable[[str], FittedModel]  # name of an earlier trial → its model
WITHOUT_PLANNING = {"train", "calibrate", "seed"}  # settings that leave the network as it is


def check_spec(plan: Plan, spec: TrialSpec) -> None:
    """Check that the model of a trial can be built, without allocating its weights.

    Raises:
        ConfigError: the options of an encoder, the fusion or the head do not fit together.
        MemberError: a part that is not Sensorium's returns another type or shape than its contract says.
        OutOfMemoryError: its training needs more memory than this process may use.
    """
    config = spec_settings(plan, spec)
    blueprint = _blueprint(plan, spec, config)
    learnt = {name: plan.learnt[name] for tower in blueprint.towers for name in tower.columns}
    network = outline_network(blueprint, learnt, plan.task, plan.modules)
    rehearse_parts(network, blueprint, learnt, plan.task, plan.modules)
    if network is not None:
        check_size(network, blueprint, config.train, plan.device)


def build_fitted(data: PreparedTable, spec: TrialSpec, model_of: ModelOf) -> FittedModel:
    """Build a model with its initial weights.

    Args:
        data: the table.
        spec: the trial.
        model_of: returns the models that `spec.towers_from` names.
    """
    plan, config = data.plan, spec_settings(data.plan, spec)
    blueprint = _blueprint(plan, spec, config)
    check_features(blueprint, plan.blueprint, data.frozen)
    learnt = {name: plan.learnt[name] for tower in blueprint.towers for name in tower.columns}
    network = build_network(blueprint, learnt, plan.task, plan.modules.copied())
    _load_weights(network, data, spec, model_of)
    freeze(network, config.train.freeze)
    assert plan.config.target is not None
    fitted = FittedModel(
        config=config,
        target=plan.config.target,
        kinds={name: plan.kinds[name] for name in learnt},
        learnt=learnt,
        task_name=plan.labels.task_name,
        task=plan.task,
        prior=plan.task.prior(plan.target[plan.rows("train")]),
        members=[NetworkMember(blueprint, network.to(plan.device))],
        card=_card(data, learnt),
        data=_data_spec(data),
        views={name: owner for name, owner in plan.table.views.items() if name in learnt},
    )
    return replace(fitted, seen=data.seen_rows(fitted))


def blend_pool(plan: Plan) -> Pool:
    """Return how a blend combines scores, with the average of the training and validation rows.

    Class weights that the settings name move the probabilities away from the class frequencies on purpose, so evidence
    beside these would move them back.
    """
    learned = np.union1d(plan.rows("train"), plan.rows("validation"))
    is_weighted = plan.config.train.class_weight in ("balanced", "sqrt")
    pooling: Pooling = "log" if plan.task.labels and not is_weighted else "mean"
    return Pool(plan.task, pooling, plan.task.prior(plan.target[learned]))


def build_blend(
    data: PreparedTable,
    members: Sequence[Member],
    weights: Sequence[float],
    network: FittedModel | None,
    *,
    with_validation: bool,
) -> FittedModel:
    """Build a model of fitted members.

    Args:
        data: the table.
        members: the members.
        weights: their weights.
        network: the model whose network may be one of the members; the card has its history.
        with_validation: whether members learned from the validation rows as well as from the training rows.
    """
    plan = data.plan
    used = {name for member in members for name in member.columns}
    learnt = {name: own for name, own in plan.learnt.items() if name in used}
    assert plan.config.target is not None
    pool = blend_pool(plan)
    fitted = FittedModel(
        config=plan.config,
        target=plan.config.target,
        kinds={name: plan.kinds[name] for name in learnt},
        learnt=learnt,
        task_name=plan.labels.task_name,
        task=network.task if network else plan.task,  # it may have learned the errors of the network
        prior=list(pool.prior),
        members=members,
        member_weights=weights,
        pooling=pool.pooling if len(members) > 1 else "mean",
        card=network.card if network else _card(data, learnt),
        data=_data_spec(data),
        views={name: owner for name, owner in plan.table.views.items() if name in learnt},
    )
    learned = with_validation_learned(data) if with_validation else data
    return replace(fitted, seen=learned.seen_rows(fitted))


def spec_settings(plan: Plan, spec: TrialSpec) -> Config:
    """Return the settings of a trial."""
    changes: dict[str, Any] = dict(spec.settings)
    config = Config.gather(plan.config.model_dump(mode="json"), changes) if changes else plan.config
    if not spec.towers_from:
        return config
    frozen = [*config.train.freeze, *(f"{name}.encoder" for name in spec.towers_from)]
    return config.model_copy(update={"train": config.train.model_copy(update={"freeze": frozen})})


def _blueprint(plan: Plan, spec: TrialSpec, config: Config) -> Blueprint:
    blueprint = plan.blueprint
    if spec.fusion is not None or {*spec.settings} - WITHOUT_PLANNING:
        config = config.model_copy(update={"fusion": spec.choice}) if spec.fusion is not None else config
        blueprint = plan_model(plan.learnt, plan.kinds, config, plan.modules)
    if spec.towers is None:
        return blueprint
    return replace(blueprint, towers=[tower for tower in blueprint.towers if tower.name in spec.towers])


def _load_weights(network: FusionModel, data: PreparedTable, spec: TrialSpec, model_of: ModelOf) -> None:
    """Load pretrained weights, and the weights of the start model and of earlier trials.

    All models of the table share frozen weights.
    """
    plan = data.plan
    for tower in network.every_tower:
        encoder: Any = tower.encoder
        if tower.name in data.frozen and hasattr(encoder, "backbone"):
            encoder.backbone = data.frozen[tower.name].backbone
        elif plan.start is None and (hasattr(encoder, "load_pretrained") or hasattr(encoder, "learn_features")):
            name = tower.columns[0]
            make_ready(encoder, plan.learnt[name], plan.table.column(name).take(plan.split.rows("train")))
    if plan.start is not None:
        take_weights(network, plan.start.network, list(plan.labels.index_map))
    for name, earlier in spec.towers_from.items():
        network.tower(name).load_state_dict(model_of(earlier).network.tower(name).state_dict())


def _card(data: PreparedTable, columns: Iterable[str]) -> ModelCard:
    plan = data.plan
    card = ModelCard(
        table=plan.table.name,
        unlabelled=UnlabelledRecord(rows=len(plan.unlabelled), learnt_from_by=list(plan.unlabelled_learners)),
        columns=list(plan.columns),
        notes=list(plan.table.notes),
        preset=plan.preset,
        notices=[Notice.model_validate(group.to_json()) for group in plan.notices.groups()],
        augment={name: dict(plan.augmented[name]) for name in columns if name in plan.augmented},
    )
    return card.with_problems(data.problems)


def _data_spec(data: PreparedTable) -> DataSpec:
    plan = data.plan
    earlier = plan.split.earlier
    vectors = [tower.columns[0] for tower in plan.blueprint.towers if tower.name in data.frozen]
    return DataSpec(
        text_columns=_text_columns(plan),
        fingerprint=plan.fingerprint,
        split_column=plan.split_column,
        split_rule=plan.split.how,
        split_rows=plan.split.sizes(),
        split_digest=plan.split.digest,
        split_earlier=np.flatnonzero(earlier.known).tolist() if earlier and earlier.redealt else [],
        statistics=sketch_columns(data.cells, plan.learnt, plan.rows("train"), vectors),
    )


def _text_columns(plan: Plan) -> list[str]:
    """Return the text columns, including those of the start model."""
    columns = [plan.table.column(name) for name in plan.table.columns]
    cells = [*columns, *(part for column in columns for part in column.parts.values())]
    names = [column.name for column in cells if column.is_string]
    return list(dict.fromkeys([*names, *(plan.start.data.text_columns if plan.start else ())]))


def model_of_none(name: str) -> FittedModel:
    """Stand in for earlier trials if there are none."""
    raise KeyError(name)
