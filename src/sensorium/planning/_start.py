"""Continue training a model on a new table: its settings, columns and weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensorium.config import Config
from sensorium.errors import ConfigError, SchemaError, SensoriumError, list_names, raise_together
from sensorium.findings import ColumnPlan
from sensorium.model import FittedModel, FusionModel, infer, weight_index
from sensorium.prepare import Prepared
from sensorium.prepare.loader import Loader
from sensorium.schema import claim_of, infer_columns
from sensorium.table import Rows, Table
from sensorium.tasks import Task
from sensorium.train import without_teacher

SLOWER = 0.25  # of a model's own learning rate: what it is continued with by default
OF_MODEL = (
    "target", "task", "tasks", "columns", "exclude", "modalities", "encoders", "towers", "fusion", "head", "width",
)  # fmt: skip
OF_TASK = ("target_transform", "loss")  # settings of training that the fitted task determines


def continued_settings(config: Config) -> dict[str, Any]:
    """Return the default settings for continuing a model: its own, with a lower learning rate, any device and
    any number of threads.

    Pre-training, fine-tuning, the check for modality imbalance, the preset and the teacher are not inherited.
    """
    found = config.model_dump(mode="json", exclude={"preset"})
    found["train"] |= {"learning_rate": config.train.learning_rate * SLOWER, "teacher": None}
    found["train"]["techniques"] = without_teacher(found["train"]["techniques"])
    found["train"] |= {"unfreeze": None, "pretrain": None, "imbalance": "off"}
    scaled = {"calibrate": "auto"} if config.calibrate == "temperature" else {}  # the rows may be too few
    return found | {"device": Config().device, "threads": Config().threads} | scaled


def check_own(config: Config, start: FittedModel) -> None:
    """Check that the settings do not change the network or the task of the model to continue.

    Raises:
        ConfigError: settings change the network or the task. The error lists them all.
    """
    faults: list[SensoriumError] = []
    if start.int8:
        raise ConfigError(
            "cannot continue training a quantized (int8) model", cure="continue the model that was quantized"
        )
    same = {"task": start.task_name}  # set explicitly, though it was inferred from the labels
    for key in OF_MODEL:
        given = getattr(config, key)
        if given != getattr(start.config, key) and given != same.get(key):
            faults.append(_fixed(key))
    own, given = start.config.train, config.train
    faults += [_fixed(f"train.{key}") for key in OF_TASK if getattr(given, key) != getattr(own, key)]
    if config.table.order != start.config.table.order:
        faults.append(_fixed("table.order"))
    raise_together(faults)


def _fixed(key: str) -> ConfigError:
    rule, cure = "the model to continue determines it", "remove the setting, or fit a new model"
    return ConfigError(f"cannot change {key}", place=key, rule=rule, cure=cure)


def continued_plans(table: Table, config: Config, start: FittedModel) -> list[ColumnPlan]:
    """Plan every column of the table: keep the modalities of the model's columns, and leave out other columns.

    Raises:
        SchemaError: a column does not hold the model's modality, or the table has none of its columns.
    """
    table = table.with_views(start.views)
    free = config.model_copy(update={"columns": None, "exclude": [], "modalities": {}, "towers": {}})
    found = {plan.name: plan for plan in infer_columns(table, free)}
    if not any(name in table for name in start.kinds):
        rule = f"at least one of {list_names([*start.kinds])}"
        raise SchemaError("the table has none of the model's columns", place=table.name, rule=rule)
    raise_together([fault for name in start.kinds if (fault := _changed(name, found, table, start))])
    own = [_kept(name, start, found.get(name)) for name in start.kinds if name in table]
    return [*own, *(_left_out(plan) for plan in found.values() if plan.name not in start.kinds)]


def _kept(name: str, start: FittedModel, found: ColumnPlan | None) -> ColumnPlan:
    kind, owner = start.kinds[name], start.views.get(name, "")
    differs = found is not None and found.modality not in (None, kind) and found.reason != "by setting"
    caution = f"its cells look more like {found.modality}: {found.reason}" if found and differs else ""
    return ColumnPlan(name, kind, "as in the model to continue", caution, view_of=owner)


def _left_out(plan: ColumnPlan) -> ColumnPlan:
    if plan.modality is None:
        return plan
    reason, cure = "not used: the model does not have this column", "fit a new model to use it"
    return ColumnPlan(plan.name, None, reason, cure, view_of=plan.view_of)


def _changed(name: str, found: Mapping[str, ColumnPlan], table: Table, start: FittedModel) -> SensoriumError | None:
    """Return an error if the cells do not suit the modality that the model expects."""
    kind, plan = start.kinds[name], found.get(name)
    chosen = start.config.modalities.get(name)
    if plan is None or plan.modality in (None, kind) or (chosen and chosen.name == kind):
        return None
    if claim_of(kind, table.column(name)) is not None:
        return None
    return SchemaError(
        f"the model expects {kind}, but the cells look like {plan.modality}: {plan.reason}",
        place=f"column {name!r}",
        rule=f"the model reads it as {kind}: {start.learnt[name].describe()}",
        cure="correct the column, or exclude it: the model then treats it as missing",
    )


def take_weights(network: FusionModel, start: FusionModel, index_map: list[int]) -> None:
    """Copy the weights of another network; weights of new labels keep their initial values.

    A network with a subset of the towers gets the weights of these towers only, not those of the fusion.

    Args:
        network: has as many logits or more, and the same towers and fusion or a subset of the towers.
        start: the network to copy from.
        index_map: index of each logit of `start` among those of `network`.
    """
    places, sizes = torch.tensor(index_map), (start.outputs, network.outputs)
    pairs: list[tuple[Any, Any]] = [(t, start.tower(t.name)) for t in network.every_tower]
    if len(network.towers) == len(start.towers):
        pairs += [(network.fusion, start.fusion), (network.head, start.head)]
    for part, known in pairs:
        own = part.state_dict()
        grown = {name: _grown(value, own[name], places, sizes) for name, value in known.state_dict().items()}
        part.load_state_dict(grown)


def _grown(old: Tensor, new: Tensor, places: Tensor, sizes: tuple[int, int]) -> Tensor:
    if old.shape == new.shape:
        return old
    found = new.clone()
    found[weight_index(old, new, places, sizes)] = old.to(new.device)
    return found


def scores_before(
    start: FittedModel, task: Task, index_map: list[int], prepared: Prepared, rows: Rows
) -> npt.NDArray[np.float64]:
    """Return the scores of the start model in the form of the new task; new labels score zero.

    Args:
        start: the model before training continues.
        task: its task, with the new labels.
        index_map: index of each old logit among the new ones.
        prepared: columns in the form that the model reads; each row has a value in at least one of them.
        rows: positions of the rows to score.
    """
    logits = infer(start.network, Loader(prepared, None, start.device), rows, start.batch)
    padded = np.full((len(rows), task.outputs), -np.inf, np.float32)
    padded[:, index_map] = start.task.scaled(logits, start.temperature)
    return task.scores(padded)
