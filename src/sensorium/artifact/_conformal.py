"""Restore the conformal predictors of a saved model, and check that they fit its task and its modalities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from sensorium.artifact._content import SavedModel
from sensorium.artifact.format import CONFORMAL
from sensorium.conformal import Conformal, methods_of
from sensorium.errors import ArtifactError
from sensorium.tasks import Task, prior_scores


def restore_conformal(
    model: SavedModel, task: Task, arrays: Mapping[str, Mapping[str, npt.NDArray[Any]]], place: str
) -> dict[str, Conformal]:
    """Return target → its conformal predictor.

    Args:
        model: the content of `model.json`.
        task: the restored task.
        arrays: owner, such as `conformal/0` → name → array.
        place: location of the model, for messages.

    Raises:
        ArtifactError: a value is of another type or out of range, or does not fit the task or the modalities.
    """
    found = dict[str, Conformal]()
    for number, saved in enumerate(model.conformal):
        own = Conformal.restore(saved.state, arrays.get(f"{CONFORMAL}/{number}", {}))
        if saved.target in found:
            raise ArtifactError(f"two conformal predictors of the target {saved.target!r}", place=place)
        found[saved.target] = own
    for target, own in found.items():
        reason = _misfit(target, own, task, model)
        if reason:
            raise ArtifactError(f"the conformal predictor {reason}", place=place, cure="fit the model again")
    return found


def _misfit(target: str, own: Conformal, task: Task, model: SavedModel) -> str:
    """Return why a conformal predictor does not fit the model; empty if it does."""
    if target not in (task.targets or [""]):
        return f"is of {target!r}, which is no target of the model"
    kind = task.target_tasks.get(target, model.task.name)
    if own.method not in methods_of(kind):
        return f"has the method {own.method!r}, which does not suit the task {kind}"
    scores = prior_scores(task, model.task.prior, 1)
    labels = task.scores_of_each(scores).get(target, scores)
    if own.labels != (labels.shape[1] if labels.ndim > 1 else 0):
        return f"is of {own.labels} labels, of which the target has another number"
    towers = {name for member in model.members for name in member.modalities}
    unknown = {name for kind, names in own.distributions if kind == "modalities" for name in names} - towers
    return f"names modalities that the model lacks: {sorted(unknown)!r:.200}" if unknown else ""
