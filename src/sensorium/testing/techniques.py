"""Check the contract of techniques."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sensorium.api import fit
from sensorium.artifact import load_fitted
from sensorium.config import Config
from sensorium.planning import plan_and_prepare
from sensorium.predictor import Model
from sensorium.registry import techniques
from sensorium.registry.traits import suits
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.train import Checkpoint
from sensorium.trials import Control, TrialSpec, run_trial

TARGETS: dict[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[Any]]] = {
    "binary": lambda x: np.where(x > 0, "yes", "no"),
    "multiclass": lambda x: np.digitize(x, [-1.0, 1.0]).astype(str),
    "ordinal": lambda x: np.digitize(x, [-1.0, 1.0]),
    "regression": lambda x: x,
    "count": lambda x: np.exp(np.clip(x, -1.0, 3.0)).astype(np.int64),
    "several": lambda x: np.array([{"sign": "yes" if v > 0 else "no", "amount": float(v)} for v in x]),
}
ROWS, STOP = 96, 15  # rows, and the step that a run is stopped in: half through its second epoch


def check_technique(name: str, **options: Any) -> None:
    """Run every check, for each task that it supports, on two modalities with missing cells.

    Args:
        name: registered name.
        **options: options of the technique.

    Raises:
        AssertionError: a check fails; the message says which.

    Example:
        >>> from sensorium.testing import check_technique
        >>> check_technique('label_smoothing')
    """
    suited = techniques.entry(name).literal("TASKS")
    tried = [task for task in TARGETS if suits(suited, task)]
    for task in tried:
        table = _table(task)
        plain = _fit(table, task, techniques={})  # set, so that train.few_labels adds none
        with _teacher(plain, name) as teacher_scores:
            first, again = (_fit(table, task, techniques={name: options}, **teacher_scores) for _ in range(2))
            if task == tried[0]:
                _check_resume(name, task, {"techniques": {name: options}, **teacher_scores})
        _same_parts(plain, first, name)
        assert np.array_equal(_scores(first, table), _scores(again, table)), (
            f"{name}: the same seed gives different predictions"
        )
        assert np.isfinite(_scores(first, table)).all(), f"{name}: a prediction is not finite"
        same = np.array_equal(_scores(first, table), _scores(plain, table))
        if techniques.load(name).watches:
            assert same, f"{name} should only observe, but changes the model in {task}"
        else:
            assert not same, f"{name} changes nothing in {task}"
        assert name in first.card["history"]["techniques"], f"{name} is not in the model's card"
        json.dumps(first.card)


def _check_resume(name: str, task: str, train: dict[str, Any]) -> None:
    """Check that a run that resumes from a checkpoint ends with the weights of an uninterrupted run."""
    settings = _settings(task, {**train, "checkpoint": 0}) | {"target": "answer"}
    config = Config.gather(settings)
    teacher = load_fitted(Path(config.train.teacher), "cpu") if config.train.teacher else None
    data = plan_and_prepare(open_table(_table(task)), config, Silent(), teacher=teacher)
    whole = run_trial(data, TrialSpec("whole"))
    with TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder) / "checkpoint")
        with contextlib.suppress(_Stopped):
            run_trial(data, TrialSpec("stopped"), Control(_Stopping(STOP), checkpoint=checkpoint))
        again = run_trial(data, TrialSpec("resumed"), Control(checkpoint=replace(checkpoint, resume=True)))
    weights, others = (trial.model.network.state_dict() for trial in (whole, again))
    rule = "state that changes during training must be a parameter, a buffer or extra state"
    same = all(torch.equal(value, others[part]) for part, value in weights.items())
    assert same, f"{name}: a resumed run ends with different weights; {rule}"
    assert whole.training_history.techniques == again.training_history.techniques, (
        f"{name}: a resumed run has a different report; {rule}"
    )


class _Stopped(Exception):
    pass


class _Stopping(Silent):
    """Generator that interrupts the run at a step."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def advance(self, steps: int) -> None:
        self._left -= 1
        if not self._left:
            raise _Stopped


def _table(task: str) -> dict[str, Any]:
    """Make numbers and vectors that depend on the label, each missing in some rows."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, ROWS))
    vectors = [None if row % 7 == 0 else [float(v), float(-v), 1.0, float(row % 3)] for row, v in enumerate(y)]
    numbers = [None if row % 5 == 1 else float(v) for row, v in enumerate(x)]
    return {"number": numbers, "vector": vectors, "answer": TARGETS[task](x + y)}


@contextmanager
def _teacher(model: Model, name: str) -> Iterator[dict[str, Any]]:
    """Return the settings of a teacher, for a technique that requires one."""
    with TemporaryDirectory() as folder:
        if techniques.load(name).learns_from_teacher:
            model.save(f"{folder}/teacher")
            yield {"teacher": f"{folder}/teacher"}
        else:
            yield {}


def _fit(table: dict[str, Any], task: str, **train: Any) -> Model:
    return fit(table, "answer", config=_settings(task, train), progress=False)


def _settings(task: str, train: dict[str, Any]) -> dict[str, Any]:
    plain = {"epochs": 3, "few_labels": "none"}
    return {"task": task, "modalities": {"vector": "vector"}, "width": 16, "train": plain | train}


def _same_parts(plain: Model, other: Model, name: str) -> None:
    """Check that the model contains no parts of the technique."""
    parts, others = (set(model.fitted.network.state_dict()) for model in (plain, other))
    assert parts == others, f"{name} adds modules to the saved model: {', '.join(sorted(others ^ parts))}"


def _scores(model: Model, table: dict[str, Any]) -> npt.NDArray[np.float64]:
    if model.fitted.task.labels:
        return model.predict_proba(table)
    return np.asarray(model.predict(table), np.float64)
