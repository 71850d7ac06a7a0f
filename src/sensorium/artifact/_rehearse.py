"""Predict one generated row, so that a model that cannot work fails when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from sensorium.errors import ArtifactError, SensoriumError
from sensorium.modalities import Modality
from sensorium.model import FusionModel, filled, zero_batch


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
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, AssertionError) as error:
        raise ArtifactError(f"the network cannot predict a row: {error}"[:300], place=place) from None
    if logits.shape != (1, network.outputs) or not bool(np.isfinite(logits.float().numpy()).all()):
        raise ArtifactError("the network's output for a row of zeros is not finite", place=place)
