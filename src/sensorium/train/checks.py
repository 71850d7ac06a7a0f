"""Check settings of training against the table, the task and the model, before cells are decoded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from sensorium.config import CALIBRATION_ROWS, Config, set_both
from sensorium.conformal import methods_of
from sensorium.errors import ConfigError, SensoriumError, did_you_mean, raise_together
from sensorium.metrics import metrics_of
from sensorium.model import Blueprint, FusionModel, can_unfreeze
from sensorium.registry import fusions, heads, tasks
from sensorium.registry.traits import suited_tasks, suits
from sensorium.tasks import Task, is_value, thresholds_of
from sensorium.techniques import check_techniques
from sensorium.train.freeze import check_freeze, covered
from sensorium.train.loop import check_device
from sensorium.train.size import check_size
from sensorium.train.soup import check_soup


def check_for_task(config: Config, task: str) -> None:
    """Check the settings that depend only on the task.

    Raises:
        ConfigError: class weights without classes, a transform without amounts, a head or metric that does not suit the
            task; all faults at once.
    """
    faults: list[SensoriumError] = []
    if is_value(task) and config.train.class_weight != "auto":
        faults.append(ConfigError(f"{task} has no classes to weight", place="train.class_weight"))
    faults += _regression_faults(config, task)
    faults += _head_faults(config, task)
    faults += _fusion_faults(config, task)
    known = metrics_of(task)
    if config.train.metric and config.train.metric not in known:
        cure = did_you_mean(config.train.metric, known)
        faults.append(ConfigError(f"{task} has no metric {config.train.metric!r}", place="train.metric", cure=cure))
    raise_together(faults)


def check_for_model(
    config: Config,
    blueprint: Blueprint,
    network: FusionModel | None,
    *,
    task: str,
    device: torch.device,
    validation: npt.NDArray[np.int64],
) -> None:
    """Check the settings that depend on the model and the split: device, techniques, soup, freezing, size.

    Args:
        config: the settings.
        blueprint: blueprint of the model.
        network: the network, which may be on the device `meta`; None if it cannot be built there. The settings must
            not freeze parts of it then.
        task: registered name.
        device: device of the training.
        validation: the validation rows.

    Raises:
        ConfigError: a setting does not fit.
        OutOfMemoryError: training the network needs more memory than this process may use.
    """
    check_device(config.train, device)
    check_techniques(config.train, task, len(blueprint.towers))
    check_soup(config.train, validation)
    held: dict[str, bool] = {}
    if network is not None:
        check_freeze(network, config.train.freeze)
        held = covered(network, config.train.freeze)
        check_size(network, blueprint, config.train, device)
    if config.train.unfreeze:
        check_unfreeze(blueprint, held, len(validation))


def check_calibration(config: Config, rows: int, task: Task) -> None:
    """Check that there are enough validation rows to choose a temperature, and probabilities that it scales.

    Raises:
        ConfigError: a temperature is requested, but every target is a number, or there are fewer than
            `CALIBRATION_ROWS` validation rows.
    """
    if config.calibrate != "temperature":
        return
    if not task.has_classes:
        finding = "no target has class probabilities" if task.targets else "the target has no class probabilities"
        raise ConfigError(f"{finding} to scale", place="calibrate", cure="none")
    if rows < CALIBRATION_ROWS:
        raise ConfigError(
            f"{rows} validation rows are too few to choose a temperature",
            place="calibrate",
            rule=f"{CALIBRATION_ROWS} or more",
            cure="increase split.validation, or set calibrate: none",
        )


def check_conformal(config: Config, task_name: str, task: Task) -> None:
    """Check that a nonconformity score suits the task of some target.

    Raises:
        ConfigError: it suits none.
    """
    kinds = [*task.target_tasks.values()] or [task_name]
    suited = list(dict.fromkeys(method for kind in kinds for method in methods_of(kind) if method != "labels"))
    if config.conformal not in ("auto", "none", *suited):
        listed = ", ".join(dict.fromkeys(kinds))
        finding = f"the nonconformity score {config.conformal!r} does not suit the task {listed}"
        raise ConfigError(finding, place="conformal", rule=", ".join(("auto", *suited, "none")), cure="auto")


def check_threshold(config: Config, task: Task) -> None:
    """Check that the targets for which a decision threshold is set have one.

    Raises:
        ConfigError: a named target, or every target, is neither binary nor multilabel.
    """
    having, chosen = thresholds_of(task), config.threshold
    if isinstance(chosen, dict):
        lacking = [name for name, rule in chosen.items() if rule != "auto" and name not in having]
        faults = [
            _no_threshold(f"the target {name!r} has no decision threshold", f"threshold.{name}") for name in lacking
        ]
        raise_together(faults)
    elif chosen != "auto" and not having:
        finding = "no target has a decision threshold" if task.targets else "the target has no decision threshold"
        raise _no_threshold(finding, "threshold")


def _no_threshold(finding: str, place: str) -> ConfigError:
    rule = "for the tasks binary and multilabel"
    return ConfigError(finding, place=place, rule=rule, cure="remove the setting, or set the task")


def check_unfreeze(blueprint: Blueprint, held: Mapping[str, bool], validation_rows: int) -> None:
    """Check that there is an encoder to fine-tune, and that there are validation rows to judge the result.

    Args:
        blueprint: blueprint of the model.
        held: parameter → whether `train.freeze` freezes it. See `covered`.
        validation_rows: number of validation rows.

    Raises:
        ConfigError: no encoder is frozen and pretrained, `train.freeze` freezes one, or there are no validation rows.
    """
    place = "train.unfreeze"
    if not any(can_unfreeze(tower) for tower in blueprint.towers):
        rule = f"needs a frozen pretrained encoder; the model has {', '.join(t.encoder for t in blueprint.towers)}"
        raise ConfigError("there is nothing to unfreeze", place=place, rule=rule)
    still = [t.name for t in blueprint.towers if can_unfreeze(t) and _is_held(f"{t.name}.encoder.", held)]
    if still:
        cure = "omit train.unfreeze, or take these parts out of train.freeze"
        raise ConfigError(f"train.freeze keeps {', '.join(still)} frozen", place=place, cure=cure)
    if not validation_rows:
        rule = "needs validation rows, which show whether fine-tuning pays off"
        raise ConfigError(
            "there are no validation rows", place=place, rule=rule, cure=set_both("split.validation", 0.1)
        )


def _regression_faults(config: Config, task: str) -> list[SensoriumError]:
    """Return an error for each setting of regression that the task cannot use."""
    known = tasks.entry(task).literal("SETTINGS", ())
    return [
        ConfigError(f"{task} has no amounts", place=f"train.{name}", rule="a setting of regression", cure="auto")
        for name in ("target_transform", "loss")
        if getattr(config.train, name) != "auto" and f"train.{name}" not in known
    ]


def _head_faults(config: Config, task: str) -> list[SensoriumError]:
    name = config.head.name or "linear"
    suited = heads.entry(name).literal("TASKS")
    faults: list[SensoriumError] = []
    if not suits(suited, task):
        rule = f"it is for {', '.join(suited_tasks(suited))}"
        faults.append(ConfigError(f"head {name!r} does not support the task {task}", place="head", rule=rule))
    if config.train.mixup and name != "linear":
        rule, cure = "mixup needs the head 'linear'", "head='linear', or train.mixup=0"
        finding = f"head {name!r} cannot be combined with mixup"
        faults.append(ConfigError(finding, place="train.mixup", rule=rule, cure=cure))
    return faults


def _fusion_faults(config: Config, task: str) -> list[SensoriumError]:
    """Return an error for each option of the fusion whose value does not suit the task."""
    chosen = config.fusion
    limits = fusions.entry(chosen.name).literal("OPTION_TASKS", {}) if chosen.name in fusions.entries else {}
    return [
        ConfigError(
            f"fusion {chosen.name!r} with {option}={value} does not support the task {task}",
            place=f"fusion.{option}",
            rule=f"it is for {', '.join(suited_tasks(suited))}",
            cure="remove the setting",
        )
        for option, values in limits.items()
        for value, suited in values.items()
        if chosen.options.get(option) == value and not suits(suited, task)
    ]


def _is_held(part: str, held: Mapping[str, bool]) -> bool:
    own = [stays for name, stays in held.items() if name.startswith(part)]
    return bool(own) and all(own)
