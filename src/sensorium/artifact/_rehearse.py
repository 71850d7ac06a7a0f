"""Predict one generated row, so that a model that cannot work fails when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from sensorium.errors import ArtifactError, SensoriumError
from sensorium.modalities import Encoded, Modality, Ragged
from sensorium.model import Estimator, FusionModel, filled, zero_batch, zero_cells
from sensorium.prepare import Prepared
from sensorium.tasks import Task

FAILURES = (
    RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError,
)  # fmt: skip


def rehearse(network: FusionModel, learnt: Mapping[str, Modality], place: str) -> None:
    """Let the network predict a row of zeros in the shapes that the modalities produce.

    Raises:
        ArtifactError: the network fails, or its output is not finite.
    """
    batch = zero_batch(learnt, 1)
    batch = replace(batch, cells={name: filled(cells) for name, cells in batch.cells.items()})
    try:
        with torch.inference_mode():
            logits = network(batch)
    except SensoriumError:
        raise
    except FAILURES as error:
        raise ArtifactError(f"the network cannot predict a row: {error}"[:300], place=place) from None
    if logits.shape != (1, network.outputs) or not bool(np.isfinite(logits.float().numpy()).all()):
        raise ArtifactError("the network's output for a row of zeros is not finite", place=place)


def rehearse_estimator(estimator: Estimator, task: Task, learnt: Mapping[str, Modality], place: str) -> None:
    """Let a classical estimator predict a row of missing cells, and a row of zeros.

    Raises:
        ArtifactError: the estimator fails, or its scores are not finite.
    """
    found = zero_cells(learnt, 2)
    columns = {name: _second_filled(cells) for name, cells in found.columns.items() if isinstance(cells, Encoded)}
    cells = Prepared(columns, found.problems)
    try:
        with np.errstate(all="ignore"):
            scores = estimator.scores(task, cells, np.arange(2))
    except SensoriumError:
        raise
    except FAILURES as error:
        raise ArtifactError(f"an estimator cannot predict a row: {error}"[:300], place=place) from None
    shape = (2, len(task.labels)) if task.labels else (2,)
    if scores.shape != shape or not bool(np.isfinite(scores).all()):
        raise ArtifactError("an estimator's scores of a row of zeros are not finite", place=place)


def _second_filled(cells: Encoded) -> Encoded:
    """Mark the second of two missing cells as present; if cells differ in length, it gets one step of zeros."""
    values = cells.values
    if isinstance(values, Ragged):
        values = Ragged(np.zeros((1, *values.values.shape[1:]), values.values.dtype), np.array([0, 0, 1]))
    return replace(cells, values=values, present=np.array([False, True]))
