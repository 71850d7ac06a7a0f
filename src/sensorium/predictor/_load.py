"""Load a model from a file or a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sensorium.artifact import load_fitted
from sensorium.config import ENCODERS, NAME, PATH, SETTINGS, check_arguments
from sensorium.errors.memory import explain_memory_errors
from sensorium.model import OwnModules, check_modules, own_name
from sensorium.predictor._model import LESS, Model
from sensorium.registry.failures import explain_member_errors


@explain_memory_errors(LESS)
@explain_member_errors()
def load(
    path: str | Path,
    *,
    device: str | torch.device = "auto",
    encoders: Mapping[str, Any] | None = None,
    fusion: Any = None,
    config: Mapping[str, Any] | None = None,
) -> Model:
    """Load a model from a folder, a run folder or a zip; nothing in it is executed.

    Args:
        path: the path of the model.
        device: the device for predictions: auto, cpu, cuda …, or a torch.device.
        encoders: tower → your own module, or a class or a function that makes one, for a model that was fitted with
            such modules. The model uses a copy.
        fusion: your own fusion, likewise.
        config: settings that are not saved with models, because they decide what is read, fetched or run, such as a
            database query or paths outside the table's folder (`{"table": {"allow_outside": True}}`).

    Raises:
        ConfigError: a setting in `config` is not one of these.
        ArtifactError: the model is missing, damaged or altered, or is not a Sensorium model.

    Example:
        >>> model.save("films_model")
        >>> again = sensorium.load("films_model", device="cpu")
        >>> again.labels
        ['class_0', 'class_1', 'class_2']
    """
    check_arguments(PATH, path=path)
    device = str(device) if isinstance(device, torch.device) else device
    check_arguments(NAME, device=device)
    check_arguments(ENCODERS, encoders=encoders)
    check_arguments(SETTINGS, config=config)
    own = OwnModules(dict(encoders or {}), {own_name(fusion): fusion} if fusion is not None else {})
    check_modules(own)
    fitted = load_fitted(Path(path), device, own, config)
    return Model(fitted, fit_problems=fitted.card.problems_of_fit())
