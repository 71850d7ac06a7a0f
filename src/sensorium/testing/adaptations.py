"""Check the contract of methods of domain adaptation."""

from __future__ import annotations

import json
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from sensorium.api import fit
from sensorium.predictor import Model
from sensorium.registry import adaptations
from sensorium.registry.traits import suits

ROWS = 60
TARGETS: dict[str, list[Any]] = {
    "binary": ["yes", "no"],
    "multiclass": ["low", "middle", "high"],
    "regression": [0.5, 1.5, 3.25],
    "ordinal": [1, 2, 3],
    "count": [0, 2, 5],
}


def check_adaptation(name: str, **options: Any) -> None:
    """Run every check, for each task that it suits, on images and numbers with missing cells.

    Args:
        name: registered name.
        **options: options of the method.

    Raises:
        AssertionError: a check fails; the message says which.

    Example:
        >>> from sensorium.testing import check_adaptation
        >>> check_adaptation('adabn')
    """
    suited = adaptations.entry(name).literal("TASKS")
    for task in (task for task in TARGETS if suits(suited, task)):
        model, table = _model(task), _table(task, dark=0.5, seed=1)
        before, answers = _state(model), _scores(model, table)
        first, again = (model.adapt(table, name, **options) for _ in range(2))
        assert _same(before, _state(model)), f"{name} changes the model that it is given"
        assert set(_state(first)) == set(before), f"{name} adds modules to the model, or removes some"
        assert _same(_state(first), _state(again)), f"{name}: the same seed gives different weights"
        assert np.isfinite(_scores(first, table)).all(), f"{name}: a prediction is not finite"
        assert not np.array_equal(_scores(first, table), answers), f"{name} changes nothing in {task}"
        assert first.card["adapted"]["method"] == name, f"{name} is not recorded on the model card"
        json.dumps(first.card)


@cache
def _model(task: str) -> Model:
    return fit(_table(task), "answer", task=task, width=16, epochs=2, progress=False)


def _table(task: str, dark: float = 1.0, seed: int = 0) -> dict[str, Any]:
    """Make grey images and numbers that depend on the label; images of the other domain are darker."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, len(TARGETS[task]), ROWS)
    numbers = [None if row % 5 == 1 else float(k + random.normal()) for row, k in enumerate(rows)]
    pictures = [None if row % 7 == 0 else _picture(k, dark, random) for row, k in enumerate(rows)]
    return {"picture": pictures, "number": numbers, "answer": [TARGETS[task][k] for k in rows]}


def _picture(label: int, dark: float, random: np.random.Generator) -> bytes:
    pixels = np.clip(dark * (60 + 60 * label + random.normal(0, 30, (16, 16))), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(found := BytesIO(), "PNG")
    return found.getvalue()


def _state(model: Model) -> dict[str, npt.NDArray[Any]]:
    return {name: value.detach().cpu().numpy().copy() for name, value in model.fitted.network.state_dict().items()}


def _same(one: dict[str, npt.NDArray[Any]], other: dict[str, npt.NDArray[Any]]) -> bool:
    return all(np.array_equal(value, other[name]) for name, value in one.items())


def _scores(model: Model, table: dict[str, Any]) -> npt.NDArray[np.float64]:
    return model.predict_proba(table) if model.labels else np.asarray(model.predict(table), np.float64)
