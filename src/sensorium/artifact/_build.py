"""Build a fitted model from the content of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sensorium.artifact._consistency import by_owner, check_owners, check_prior, check_temperatures
from sensorium.artifact._content import SavedColumn, SavedMember, SavedModel, parse
from sensorium.artifact._rehearse import rehearse
from sensorium.artifact._renamed import with_current_names
from sensorium.artifact._weights import build_checked, check_finite, load_weights
from sensorium.artifact.format import ARRAYS, MODEL, OTHERS, WEIGHTS, guess_views
from sensorium.config import Config, caller_only, split_saved
from sensorium.errors import ConfigError
from sensorium.modalities import Modality
from sensorium.model import (
    Blueprint,
    FittedModel,
    FusionModel,
    NetworkMember,
    OwnModules,
    build_network,
    expect_int8,
    pick_device,
)
from sensorium.registry import modalities, tasks
from sensorium.split import SeenRows
from sensorium.tasks import Task


@dataclass(frozen=True)
class Target:
    """Location and device of a model that is loaded.

    Attributes:
        place: location of the model, for messages.
        device: its name.
        modules: the user's own modules.
    """

    place: str
    device: str
    modules: OwnModules


@dataclass(frozen=True)
class _Parts:
    """Parts of a saved model that its networks share.

    Attributes:
        learnt: column → its fitted modality.
        task: the fitted task.
        weights: owner, such as `others/0` → name → weight.
        target: location and device.
        device: the device of the networks.
    """

    learnt: Mapping[str, Modality]
    task: Task
    weights: Mapping[str, Mapping[str, Tensor]]
    target: Target
    device: torch.device

    def member(self, plan: SavedMember | SavedModel, owner: str, int8: Sequence[str] = ()) -> NetworkMember:
        """Build a network and load its weights; `int8` names its quantized layers."""
        blueprint = Blueprint.from_json(plan.network.model_dump())
        columns = {name: self.learnt[name] for tower in blueprint.towers for name in tower.columns}
        own = self.weights.get(owner, {})

        def build() -> FusionModel:
            network = build_network(blueprint, columns, self.task, self.target.modules.copied())
            expect_int8(network, int8)
            return network

        network = build_checked(build, own, self.target.place)
        load_weights(network, own, self.target.place)
        rehearse(network.eval(), columns, self.target.place)
        return NetworkMember(blueprint, network.to(self.device), plan.temperature)


def build_fitted(content: dict[str, Any], files: Mapping[str, bytes], target: Target) -> FittedModel:
    """Build a model from the content of its JSON file and from its other files.

    Raises:
        ArtifactError: the parts of the model do not fit each other.
        ConfigError: a quantized model cannot run on the device.
    """
    model = with_current_names(parse(SavedModel, content, f"{target.place}/{MODEL}"))
    parts = _restore_parts(model, files, target)
    first = parts.member(model, "", model.int8)
    config, given = split_saved(model.config)
    kinds = {column.name: column.modality for column in model.columns}
    return FittedModel(
        config=parse(Config, config, f"{target.place}/{MODEL}, config"),
        target=model.target,
        kinds=kinds,
        learnt=dict(parts.learnt),
        task_name=model.task.name,
        task=parts.task,
        prior=model.task.prior,
        blueprint=first.blueprint,
        network=first.network,
        card=model.card,
        data=model.data,
        int8=model.int8,
        temperature=first.temperature,
        others=[parts.member(plan, f"{OTHERS}/{place}") for place, plan in enumerate(model.others)],
        views=guess_views(kinds) if model.views is None else model.views,
        seen=[SeenRows.of_json(fit.rows, fit.chance, fit.hashes) for fit in model.seen],
        unset=[name for name in caller_only() if name in (*given, *model.caller_settings)],
    )


def _restore_parts(model: SavedModel, files: Mapping[str, bytes], target: Target) -> _Parts:
    """Restore modalities and task, and check them and the weights."""
    from safetensors import numpy as safe_numpy
    from safetensors import torch as safe_torch

    arrays, weights = safe_numpy.load(files[ARRAYS]), safe_torch.load(files[WEIGHTS])
    check_finite(weights, target.place)
    fields = by_owner(arrays)
    learnt = {column.name: _restore(column, fields.get(f"columns/{column.name}", {})) for column in model.columns}
    task = tasks.load(model.task.name).restore(model.task.state, fields.get("task", {}))
    check_prior(model, task, target.place)
    check_owners(arrays, weights, model, target.place)
    check_temperatures(model, task, target.place)
    device = _int8_device(target.device) if model.int8 else pick_device(target.device)
    return _Parts(learnt, task, by_owner(weights), target, device)


def _restore(column: SavedColumn, arrays: Mapping[str, Any]) -> Modality:
    """Restore the fitted modality of a column."""
    found: Modality = modalities.load(column.modality).restore(column.state, arrays)
    return found


def _int8_device(name: str) -> torch.device:
    """Return the device; quantized weights run on CPUs only, so `auto` is the CPU."""
    device = pick_device("cpu" if name == "auto" else name)
    if device.type != "cpu":
        raise ConfigError(f"a quantized (int8) model cannot run on device {name!r}", place="device", cure="auto or cpu")
    return device
