"""Is there a job in the table and the settings?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.config import Config
from sensorium.errors import ConfigError, DataError, SensoriumError, did_you_mean, raise_together
from sensorium.findings import Problem, Problems
from sensorium.metrics import metrics_of
from sensorium.modalities import Encoded
from sensorium.model import FEWEST, Blueprint, TowerPlan, can_calibrate
from sensorium.prepare import Prepared
from sensorium.prepare.streamed import Streamed
from sensorium.registry import encoders, heads
from sensorium.table import Column
from sensorium.tasks import EncodedTarget

Rows: TypeAlias = npt.NDArray[np.int64]

AFTER_FEATURES = ("size", "dropout")  # options of the network over a frozen encoder's features
TRIED = 64  # training rows of a streamed column that are read before training starts


def check_train_settings(config: Config, task: str) -> None:
    """Settings that this task can't honour are errors, not silence."""
    faults: list[SensoriumError] = []
    if task == "regression" and config.train.class_weight != "auto":
        faults.append(ConfigError("regression has no classes to weight", place="train.class_weight"))
    faults += _head_faults(config, task)
    known = metrics_of(task)
    if config.calibrate == "temperature" and not can_calibrate(known):
        faults.append(ConfigError(f"{task} has no probabilities of classes to scale", place="calibrate", cure="none"))
    if config.train.metric and config.train.metric not in known:
        cure = did_you_mean(config.train.metric, known)
        faults.append(ConfigError(f"{task} has no metric {config.train.metric!r}", place="train.metric", cure=cure))
    raise_together(faults)


def _head_faults(config: Config, task: str) -> list[SensoriumError]:
    name = config.head.name or "linear"
    suited = heads.entry(name).literal("TASKS")
    faults: list[SensoriumError] = []
    if suited and task not in suited:
        rule = f"it is for {', '.join(suited)}"
        faults.append(ConfigError(f"head {name!r} does not suit {task}", place="head", rule=rule))
    if config.train.mixup and name != "linear":
        rule = "the answers of a linear head to mixed features are its mixed answers"
        faults.append(ConfigError(f"head {name!r} does not go with mixup", place="train.mixup", rule=rule))
    return faults


def check_unfreeze(blueprint: Blueprint, held: Mapping[str, bool], validation_rows: int) -> None:
    """There is something to unfreeze that is not to stay frozen, and rows that say whether it paid.

    Args:
        blueprint: of the model.
        held: parameter → is it to stay as it is? See `covered`; empty where nothing is.
        validation_rows: how many.

    Raises:
        ConfigError: not so.
    """
    place = "train.unfreeze"
    if not any(can_unfreeze(tower) for tower in blueprint.towers):
        rule = f"a pretrained encoder that is frozen; the model has {', '.join(t.encoder for t in blueprint.towers)}"
        raise ConfigError("there is nothing to unfreeze", place=place, rule=rule)
    still = [t.name for t in blueprint.towers if can_unfreeze(t) and _is_held(f"{t.name}.encoder.", held)]
    if still:
        raise ConfigError(f"train.freeze holds {', '.join(still)}", place=place, cure="one of the two")
    if not validation_rows:
        rule = "validation rows, which tell whether it pays"
        raise ConfigError("whether unfreezing pays can't be seen", place=place, rule=rule, cure="split.validation=0.1")


def check_features(blueprint: Blueprint, prepared: Blueprint, frozen: Collection[str]) -> None:
    """A tower whose features were computed beforehand keeps the encoder that made them.

    Args:
        blueprint: of a model that is to be trained on them.
        prepared: that they were computed by.
        frozen: names of such towers.

    Raises:
        ConfigError: one has another encoder, or other options before its features; all are told together.
    """
    own = {tower.name: _before_features(tower) for tower in prepared.towers}
    faults: list[SensoriumError] = [
        ConfigError(
            f"the features of {tower.name} were computed by {own[tower.name][0]} as it was set",
            place=f"encoders.{tower.name}",
            rule=f"the same encoder, but for {' and '.join(AFTER_FEATURES)}",
            cure="an experiment of its own",
        )
        for tower in blueprint.towers
        if tower.name in frozen and _before_features(tower) != own[tower.name]
    ]
    raise_together(faults)


def _before_features(tower: TowerPlan) -> tuple[str, dict[str, Any]]:
    options = {name: value for name, value in tower.options.items() if name not in AFTER_FEATURES}
    return tower.encoder, options


def _is_held(part: str, held: Mapping[str, bool]) -> bool:
    own = [stays for name, stays in held.items() if name.startswith(part)]
    return bool(own) and all(own)


def can_unfreeze(tower: TowerPlan) -> bool:
    """Has the tower a pretrained encoder that training leaves as it is?"""
    return hasattr(encoders.load(tower.encoder), "unfrozen") and tower.options.get("tune", "frozen") == "frozen"


def unlabelled(target: Column, learnt_from: Rows) -> list[Problem]:
    """Rows without a label, but for those that are learnt from all the same."""
    rows = np.setdiff1d(np.flatnonzero(~target.present), learnt_from)
    return [Problem(int(row), target.name, "no label: the row is not used") for row in rows]


def check_labels(labels: EncodedTarget, train_rows: Rows, target: Column) -> None:
    """Some training row needs a label that can be used."""
    if not labels.known[train_rows].any():
        reasons = "; ".join(str(group) for group in Problems(labels.problems).groups()[:3])
        place, cure = f"column {target.name!r}", "another task (--task), or mend the labels"
        raise DataError("not one training label can be used", place=place, rule=reasons, cure=cure)


def check_calibration(config: Config, rows: int) -> None:
    """A temperature that was asked for needs validation rows to be chosen by."""
    if config.calibrate == "temperature" and rows < FEWEST:
        raise ConfigError(
            f"{rows} validation rows are too few to choose a temperature by",
            place="calibrate",
            rule=f"{FEWEST} or more",
            cure="a larger split.validation, or calibrate: none",
        )


def check_decoded(prepared: Prepared, train_rows: Rows, expected: Collection[str]) -> None:
    """A column of which nothing could be read is a mistake in the table, not a modality that happens to be missing."""
    faults: list[SensoriumError] = []
    for name in expected:
        if not _readable(prepared.columns[name], train_rows):
            own = Problems([problem for problem in prepared.problems if problem.column == name])
            reasons = "; ".join(str(group) for group in own.groups()[:3])
            cure = f"correct the column, or leave it out: --exclude {name}"
            faults.append(
                DataError("not one training cell can be read", place=f"column {name!r}", rule=reasons, cure=cure)
            )
    raise_together(faults)


def _readable(found: Encoded | Streamed, rows: Rows) -> bool:
    """Can any of the rows be read? Of streamed ones, some are tried."""
    if isinstance(found, Streamed):
        found.encode(rows[:TRIED])
    return bool(found.present[rows].any())
