"""Choose the baselines of a comparison, with reasons for those left out."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from sensorium.baselines._base import Baseline, Job
from sensorium.errors import ConfigError, MissingExtraError, raise_together
from sensorium.registry import baselines
from sensorium.runtime.progress import duration_text

NONE = "none"
PATIENCE = 60.0  # seconds that a baseline may take by estimate where nobody asked for it


def choose_baselines(asked: Sequence[str] | None, task: str) -> list[str]:
    """Return names of the baselines to train; every registered one by default, none for `["none"]`.

    Raises:
        UnknownNameError, ConfigError: a requested one does not exist, or does not support the task.
        MissingExtraError: scikit-learn is not installed, and one was requested.
    """
    if asked is None:
        return baselines.names()
    if list(asked) == [NONE]:
        return []
    unsuited = {name: reason for name in asked if (reason := _unsuited(name, task))}
    raise_together(
        [ConfigError(f"baseline {name!r}: {reason}", place="baselines") for name, reason in unsuited.items()]
    )
    if not_installed():
        raise MissingExtraError("scikit-learn is not installed", cure="pip install 'sensorium[sklearn]'")
    return list(dict.fromkeys(asked))


def make_baseline(name: str, job: Job) -> Baseline:
    """Return a registered baseline for these rows, not yet fitted."""
    model: Baseline = baselines.load(name)(job)
    return model


def left_out(name: str, task: str, shape: tuple[int, int], outputs: int) -> str:
    """Return why a baseline that was not requested is left out; empty if it is trained.

    Args:
        name: registered name.
        task: registered name.
        shape: training rows and columns of the matrix.
        outputs: classes, labels, or 1.
    """
    if reason := _unsuited(name, task):
        return reason
    column, million = baselines.entry(name).literal("SECONDS", (0.0, 0.0))
    seconds = outputs * shape[1] * (column + million * shape[0] / 1e6)
    if seconds <= PATIENCE:
        return ""
    return f"it would take about {duration_text(seconds)}: request it with --baselines {name}"


def not_installed() -> str:
    """Return why no baseline is trained; empty if scikit-learn is installed."""
    found = importlib.util.find_spec("sklearn")
    return "" if found else "scikit-learn is not installed: pip install 'sensorium[sklearn]'"


def _unsuited(name: str, task: str) -> str:
    suited = baselines.entry(name).literal("TASKS", ())
    return "" if task in suited else f"it supports {', '.join(suited)}, not {task}"
