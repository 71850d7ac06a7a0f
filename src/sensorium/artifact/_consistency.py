"""Check that the parts of a saved model fit each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sensorium.artifact._content import SavedModel, SavedNetworkMember
from sensorium.artifact.format import CONFORMAL, MEMBERS
from sensorium.errors import ArtifactError
from sensorium.tasks import Task


def check_prior(model: SavedModel, task: Task, place: str) -> None:
    """Raise ArtifactError if the prior scores do not fit the labels."""
    if len(model.task.prior) != max(1, len(task.labels)):
        raise ArtifactError(f"{len(model.task.prior)} prior scores for {len(task.labels)} labels", place=place)
    try:
        task.check_prior(model.task.prior)
    except ValueError as error:
        raise ArtifactError(str(error), place=place, rule="the scores of a row without any value") from None


def check_temperatures(model: SavedModel, task: Task, place: str) -> None:
    """Raise ArtifactError if there are other numbers of temperatures or prior shares than the task has targets."""
    shares = model.prior_share
    if isinstance(shares, list) and len(shares) != len(task.targets):
        raise ArtifactError(f"the number of prior shares is {len(shares)}", place=place, rule="one, or one per target")
    for temperature in [model.temperature, *(member.temperature for member in model.members)]:
        if isinstance(temperature, list) and len(temperature) != len(task.targets):
            finding = f"the number of temperatures is {len(temperature)}"
            rule = f"one for each of {len(task.targets)} targets" if task.targets else "one number for a single target"
            raise ArtifactError(finding, place=place, rule=rule)


def check_pooling(model: SavedModel, task: Task, place: str) -> None:
    """Raise ArtifactError if scores that are not probabilities of one target are pooled by their logarithms."""
    if model.pooling == "log" and (task.targets or not task.labels):
        raise ArtifactError(
            f"log pooling of the task {model.task.name}", place=place, rule="only classes or labels of one target"
        )


def check_owners(arrays: Mapping[str, Any], weights: Mapping[str, Any], model: SavedModel, place: str) -> None:
    """Raise ArtifactError if an array or weight belongs to no part of the model."""
    networks = {
        f"{MEMBERS}/{number}" for number, member in enumerate(model.members) if isinstance(member, SavedNetworkMember)
    }
    owners = {"task", *(f"columns/{column.name}" for column in model.columns)}
    owners |= {f"{MEMBERS}/{number}" for number in range(len(model.members))} - networks
    owners |= {f"{CONFORMAL}/{number}" for number in range(len(model.conformal))}
    pairs = ((arrays, owners), (weights, networks))
    odd = [name for names, known in pairs for name in names if _owner(name) not in known]
    if odd:
        raise ArtifactError(
            f"the array {odd[0]!r} belongs to no part of the model", place=place, cure="fit the model again"
        )


def by_owner(arrays: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return owner → name of a field → array."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in arrays.items():
        owner = _owner(key)
        found.setdefault(owner, {})[key.removeprefix(f"{owner}/")] = value
    return found


def _owner(name: str) -> str:
    """Return the part that an array belongs to; fields of a member may contain a slash, and so may names of columns."""
    if name.startswith(f"{MEMBERS}/"):
        return "/".join(name.split("/", 2)[:2])
    return name.rpartition("/")[0]
