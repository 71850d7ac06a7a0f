"""What an experiment takes from a model that it continues, and what of a new table suits that model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensorium.config import Config
from sensorium.errors import ConfigError, SchemaError, SensoriumError, raise_together
from sensorium.findings import ColumnPlan
from sensorium.model import FEWEST, FittedModel, FusionModel, index_map, infer
from sensorium.prepare import Prepared
from sensorium.prepare.loader import Loader
from sensorium.schema import claim_of, infer_columns
from sensorium.table import Table
from sensorium.tasks import Task
from sensorium.train import without_teacher

Rows = npt.NDArray[np.int64]

SLOWER = 0.25  # of a model's own learning rate: what it is continued with by default
OWN = (
    "target", "task", "tasks", "columns", "exclude", "modalities", "encoders", "towers", "fusion", "head", "width",
)  # fmt: skip


def continued_settings(config: Config) -> dict[str, Any]:
    """A model's settings as the lowest layer of those that it is continued with: slower, on any device.

    Stages before and after training, the check of modality imbalance and the teacher were of that fit: they are
    asked for anew or left out.
    """
    found = config.model_dump(mode="json")
    found["train"] |= {"learning_rate": config.train.learning_rate * SLOWER, "teacher": None}
    found["train"]["techniques"] = without_teacher(found["train"]["techniques"])
    found["train"] |= {"unfreeze": None, "pretrain": None, "imbalance": "off"}
    scaled = {"calibrate": "auto"} if config.calibrate == "temperature" else {}  # see `inherit_calibration`
    return found | {"device": Config().device} | scaled


def inherit_calibration(config: Config, start: FittedModel, rows: int) -> Config:
    """A model with a temperature is given one again, if so many validation rows suffice and nothing else is said."""
    if config.calibrate == "auto" and start.config.calibrate == "temperature" and rows >= FEWEST:
        return config.model_copy(update={"calibrate": "temperature"})
    return config


def check_own(config: Config, start: FittedModel) -> None:
    """What a model is made of is not for settings to change.

    Raises:
        ConfigError: they would; all told together.
    """
    faults: list[SensoriumError] = []
    if start.int8:
        raise ConfigError(
            "a quantized (int8) model cannot be continued", cure="continue the model that it was made from"
        )
    if start.others:
        rule = "one network; the answer of an ensemble is the mean of several"
        raise ConfigError("an ensemble cannot be continued", rule=rule, cure="continue a model that was fitted as one")
    same = {"task": start.task_name}  # said though it was read off the labels
    for key in OWN:
        given = getattr(config, key)
        if given != getattr(start.config, key) and given != same.get(key):
            rule = "it comes from the model that is continued"
            faults.append(
                ConfigError(f"{key} can't be changed", place=key, rule=rule, cure="omit it, or fit a new model")
            )
    raise_together(faults)


def continued_plans(table: Table, config: Config, start: FittedModel) -> list[ColumnPlan]:
    """A plan for every column of the table: the model's stay what they are, others are left out.

    Raises:
        SchemaError: a column holds something else than the model reads in it; the table has none of its columns.
    """
    table = table.with_views(start.views)
    free = config.model_copy(update={"columns": None, "exclude": [], "modalities": {}, "towers": {}})
    found = {plan.name: plan for plan in infer_columns(table, free)}
    if not any(name in table for name in start.kinds):
        rule = f"one or more of {', '.join(start.kinds)}"
        raise SchemaError("the table has none of the model's columns", place=table.name, rule=rule)
    raise_together([fault for name in start.kinds if (fault := _changed(name, found, table, start))])
    own = [_kept(name, start, found.get(name)) for name in start.kinds if name in table]
    return [*own, *(_left_out(plan) for plan in found.values() if plan.name not in start.kinds)]


def _kept(name: str, start: FittedModel, found: ColumnPlan | None) -> ColumnPlan:
    kind, owner = start.kinds[name], start.views.get(name, "")
    differs = found is not None and found.modality not in (None, kind) and found.reason != "by setting"
    caution = f"here it looks more like {found.modality}: {found.reason}" if found and differs else ""
    return ColumnPlan(name, kind, "as in the model that is continued", caution, view_of=owner)


def _left_out(plan: ColumnPlan) -> ColumnPlan:
    if plan.modality is None:
        return plan
    reason, cure = "not used: the model does not know it", "fit anew to use it"
    return ColumnPlan(plan.name, None, reason, cure, view_of=plan.view_of)


def _changed(name: str, found: Mapping[str, ColumnPlan], table: Table, start: FittedModel) -> SensoriumError | None:
    """A fault where the cells can't be what the model takes them for."""
    kind, plan = start.kinds[name], found.get(name)
    chosen = start.config.modalities.get(name)
    if plan is None or plan.modality in (None, kind) or (chosen and chosen.name == kind):
        return None
    if claim_of(kind, table.column(name)) is not None:
        return None
    return SchemaError(
        f"the column holds no {kind} any more, it looks like {plan.modality}: {plan.reason}",
        place=f"column {name!r}",
        rule=f"the model reads it as {kind}: {start.learnt[name].describe()}",
        cure="correct the column, or drop it: the model goes on without it",
    )


def take_weights(network: FusionModel, start: FusionModel, kept: list[int]) -> None:
    """Give a network the weights of another one, whose logits are now at the places `kept`; new ones stay as they are.

    A network of some of the towers takes these alone: what fused all of them is no start for it.

    Args:
        network: of as many logits or more; of the same towers and fusion, or of some of the towers.
        start: the other one.
        kept: int[k]: the place of each of its logits.
    """
    places, sizes = torch.tensor(kept), (start.outputs, network.outputs)
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
    found[index_map(old, new, places, sizes)] = old.to(new.device)
    return found


def scores_before(
    start: FittedModel, task: Task, kept: list[int], prepared: Prepared, rows: Rows
) -> npt.NDArray[np.float64]:
    """What the model said of rows before it was continued, as the new task reads scores: new labels have none.

    Args:
        start: the model.
        task: its task, with the new labels.
        kept: place of each old logit among the new ones.
        prepared: columns as the model reads them; each row has a value in one of them.
        rows: which ones.
    """
    logits = infer(start.network, Loader(prepared, None, start.device), rows, start.batch)
    padded = np.full((len(rows), task.outputs), -np.inf, np.float32)
    padded[:, kept] = logits / np.float32(start.temperature)
    return task.scores(padded)
