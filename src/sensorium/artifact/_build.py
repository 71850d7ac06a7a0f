"""Build a fitted model from the content of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from sensorium.artifact._conformal import restore_conformal
from sensorium.artifact._consistency import by_owner, check_owners, check_pooling, check_prior, check_temperatures
from sensorium.artifact._content import SavedColumn, SavedEstimator, SavedMember, SavedModel, SavedNetworkMember, parse
from sensorium.artifact._migrate import upgrade_weights
from sensorium.artifact._rehearse import rehearse, rehearse_estimator
from sensorium.artifact._renamed import with_current_names
from sensorium.artifact._weights import build_checked, check_finite, load_weights
from sensorium.artifact.format import ARRAYS, MEMBERS, MODEL, WEIGHTS, guess_views
from sensorium.config import Config, caller_only, split_saved
from sensorium.errors import ArtifactError, ConfigError
from sensorium.modalities import Modality
from sensorium.model import (
    Blueprint,
    EstimatorMember,
    FittedModel,
    FusionModel,
    Member,
    NetworkMember,
    OwnModules,
    build_network,
    expect_int8,
    pick_device,
)
from sensorium.registry import baselines, modalities, tasks
from sensorium.split import SeenRows
from sensorium.tasks import Task


@dataclass(frozen=True)
class Saved:
    """Content of the files of a model.

    Attributes:
        model: `model.json` in the current form.
        files: the other files.
        version: format version of these.
    """

    model: dict[str, Any]
    files: Mapping[str, bytes]
    version: int


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
    """Parts of a saved model that its members share.

    Attributes:
        learnt: column → its fitted modality.
        task: the fitted task.
        arrays: owner, such as `members/0` → name → array.
        weights: owner → name → weight.
        target: location and device.
        device: the device of the networks.
    """

    learnt: Mapping[str, Modality]
    task: Task
    arrays: Mapping[str, Mapping[str, npt.NDArray[Any]]]
    weights: Mapping[str, Mapping[str, Tensor]]
    target: Target
    device: torch.device

    def member(self, plan: SavedMember, number: int) -> Member:
        """Build a member."""
        owner = f"{MEMBERS}/{number}"
        if isinstance(plan, SavedEstimator):
            return self._estimator(plan, self.arrays.get(owner, {}))
        return self._network(plan, self.weights.get(owner, {}))

    def _estimator(self, plan: SavedEstimator, arrays: Mapping[str, npt.NDArray[Any]]) -> EstimatorMember:
        """Restore an estimator, and let it predict."""
        estimator = baselines.load(plan.name).restore(plan.state, arrays)
        if sorted(estimator.columns) != sorted(plan.columns):
            finding = f"the estimator {plan.name!r} reads other columns than its modalities have"
            raise ArtifactError(finding, place=self.target.place)
        columns = {name: self.learnt[name] for name in plan.columns}
        rehearse_estimator(estimator, self.task, columns, self.target.place)
        return EstimatorMember(plan.name, estimator, plan.towers, plan.temperature)

    def _network(self, plan: SavedNetworkMember, own: Mapping[str, Tensor]) -> NetworkMember:
        """Build a network and load its weights."""
        blueprint = Blueprint.from_json(plan.network.model_dump())
        columns = {name: self.learnt[name] for tower in blueprint.towers for name in tower.columns}

        def build() -> FusionModel:
            network = build_network(blueprint, columns, self.task, self.target.modules.copied())
            expect_int8(network, plan.int8)
            return network

        network = build_checked(build, own, self.target.place)
        load_weights(network, own, self.target.place)
        rehearse(network.eval(), columns, self.target.place)
        return NetworkMember(blueprint, network.to(self.device), plan.temperature, plan.name, plan.int8)


def build_fitted(saved: Saved, target: Target) -> FittedModel:
    """Build a model from the content of its files.

    Raises:
        ArtifactError: the parts of the model do not fit each other.
        ConfigError: a quantized model cannot run on the device.
    """
    model = with_current_names(parse(SavedModel, saved.model, f"{target.place}/{MODEL}"))
    parts = _restore_parts(model, saved, target)
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
        members=[parts.member(plan, number) for number, plan in enumerate(model.members)],
        member_weights=[plan.weight for plan in model.members],
        card=model.card,
        data=model.data,
        pooling=model.pooling,
        blend_temperature=model.temperature,
        prior_share=model.prior_share,
        views=guess_views(kinds) if model.views is None else model.views,
        seen=[SeenRows.of_json(fit.rows, fit.chance, fit.hashes) for fit in model.seen],
        unset=[name for name in caller_only() if name in (*given, *model.caller_settings)],
        conformal=restore_conformal(model, parts.task, parts.arrays, target.place),
    )


def _restore_parts(model: SavedModel, saved: Saved, target: Target) -> _Parts:
    """Restore modalities and task, and check them and the weights."""
    from safetensors import numpy as safe_numpy
    from safetensors import torch as safe_torch

    arrays = safe_numpy.load(saved.files[ARRAYS])
    weights = upgrade_weights(safe_torch.load(saved.files[WEIGHTS]), saved.version)
    check_finite(weights, target.place)
    fields = by_owner(arrays)
    learnt = {column.name: _restore(column, fields.get(f"columns/{column.name}", {})) for column in model.columns}
    task = tasks.load(model.task.name).restore(model.task.state, fields.get("task", {}))
    check_prior(model, task, target.place)
    check_owners(arrays, weights, model, target.place)
    check_temperatures(model, task, target.place)
    check_pooling(model, task, target.place)
    is_int8 = any(member.int8 for member in model.members if isinstance(member, SavedNetworkMember))
    device = _int8_device(target.device) if is_int8 else pick_device(target.device)
    return _Parts(learnt, task, fields, by_owner(weights), target, device)


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
