"""Predict one generated row, so that a model that cannot work fails when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from sensorium.batch import Cells
from sensorium.errors import ArtifactError, SensoriumError
from sensorium.findings import Problems
from sensorium.modalities import Modality
from sensorium.model import FusionModel
from sensorium.prepare import Prepared
from sensorium.prepare.loader import Loader
from sensorium.table import Column, Files


def rehearse(network: FusionModel, learnt: Mapping[str, Modality], place: str) -> None:
    """Let the network predict a row of zeros in the shapes that the modalities produce.

    Raises:
        ArtifactError: the network fails, or its output is not finite.
    """
    encoded = {
        name: modality.encode(Column(name, pa.nulls(1, pa.string()), Files(Path())))
        for name, modality in learnt.items()
    }
    batch = Loader(Prepared(encoded, Problems()), None, torch.device("cpu")).batch(torch.zeros(1, dtype=torch.int64))
    batch = replace(batch, cells={name: _present(cells) for name, cells in batch.cells.items()})
    try:
        with torch.inference_mode():
            logits = network(batch)
    except SensoriumError:
        raise
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, AssertionError) as error:
        raise ArtifactError(f"the network cannot predict a row: {error}"[:300], place=place) from None
    if logits.shape != (1, network.outputs) or not bool(np.isfinite(logits.float().numpy()).all()):
        raise ArtifactError("the network's output for a row of zeros is not finite", place=place)


def _present(cells: Cells) -> Cells:
    mask = None if cells.mask is None else torch.ones_like(cells.mask)
    return Cells(cells.values, torch.ones_like(cells.present), mask)
