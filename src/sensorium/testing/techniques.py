"""What every technique promises."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.api import fit
from sensorium.predictor import Model
from sensorium.registry import techniques

TARGETS: dict[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[Any]]] = {
    "binary": lambda x: np.where(x > 0, "yes", "no"),
    "multiclass": lambda x: np.digitize(x, [-1.0, 1.0]).astype(str),
    "regression": lambda x: x,
    "several": lambda x: np.array([{"sign": "yes" if v > 0 else "no", "amount": float(v)} for v in x]),
}
ROWS = 96


def check_technique(name: str, **options: Any) -> None:
    """Run every check, for each task that it suits, on two modalities of which cells are missing.

    Args:
        name: registered name.
        **options: of the technique.

    Raises:
        AssertionError: says which promise is broken.
    """
    suited = techniques.entry(name).literal("TASKS") or tuple(TARGETS)
    for task in (task for task in TARGETS if task in suited):
        table = _table(task)
        plain = _fit(table, task)
        with _teacher(plain, name) as taught:
            first, again = (_fit(table, task, techniques={name: options}, **taught) for _ in range(2))
        _same_parts(plain, first, name)
        assert np.array_equal(_scores(first, table), _scores(again, table)), f"{name}: the same seed, other answers"
        assert np.isfinite(_scores(first, table)).all(), f"{name}: an answer is no finite number"
        assert not np.array_equal(_scores(first, table), _scores(plain, table)), f"{name} changes nothing in {task}"
        assert name in first.card["history"]["techniques"], f"{name} is not in the model's card"
        json.dumps(first.card)


def _table(task: str) -> dict[str, Any]:
    """Numbers and vectors that share the answer, each missing in some rows."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, ROWS))
    vectors = [None if row % 7 == 0 else [float(v), float(-v), 1.0, float(row % 3)] for row, v in enumerate(y)]
    numbers = [None if row % 5 == 1 else float(v) for row, v in enumerate(x)]
    return {"number": numbers, "vector": vectors, "answer": TARGETS[task](x + y)}


@contextmanager
def _teacher(model: Model, name: str) -> Iterator[dict[str, Any]]:
    """Settings of a teacher, for a technique that can't do without."""
    with TemporaryDirectory() as folder:
        if techniques.load(name).learns_from_teacher:
            model.save(f"{folder}/teacher")
            yield {"teacher": f"{folder}/teacher"}
        else:
            yield {}


def _fit(table: dict[str, Any], task: str, **train: Any) -> Model:
    return fit(
        table,
        "answer",
        task=task,
        modalities={"vector": "vector"},
        width=16,
        train={"epochs": 3, **train},
        progress=False,
    )


def _same_parts(plain: Model, other: Model, name: str) -> None:
    """What is saved is the model alone."""
    parts, others = (set(model.bundle.network.state_dict()) for model in (plain, other))
    assert parts == others, f"{name} leaves parts of its own in the model: {', '.join(sorted(others ^ parts))}"


def _scores(model: Model, table: dict[str, Any]) -> npt.NDArray[np.float64]:
    if model.bundle.task.labels:
        return model.predict_proba(table)
    return np.asarray(model.predict(table), np.float64)
