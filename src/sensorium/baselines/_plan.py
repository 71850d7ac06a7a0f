"""Choose the baselines of a comparison, with reasons for those left out."""

from __future__ import annotations

from collections.abc import Sequence

from sensorium.baselines._numbers import reduced_width
from sensorium.errors import ConfigError, raise_together
from sensorium.prepare.summaries import Summaries
from sensorium.registry import baselines
from sensorium.registry.traits import suited_tasks, suits
from sensorium.runtime.progress import duration_text

NONE = "none"
TEXT_FEATURES = 100  # that a column of texts counts as in an estimate of the training time
MOST_TEXTS = 2  # columns of texts that count: with more of them, a fit is hardly slower
PATIENCE = 60.0  # seconds that a baseline may take by estimate where nobody asked for it


def choose_baselines(asked: Sequence[str] | None, task: str) -> list[str]:
    """Return names of the baselines to train; every registered one by default, none for `["none"]`.

    Raises:
        UnknownNameError, ConfigError: a requested one does not exist, or does not support the task.
    """
    if asked is None:
        return baselines.names()
    if list(asked) == [NONE]:
        return []
    refused = {name: reason for name in asked if (reason := unsuited(name, task))}
    raise_together([ConfigError(f"baseline {name!r}: {reason}", place="baselines") for name, reason in refused.items()])
    return list(dict.fromkeys(asked))


def left_out(name: str, task: str, cells: Summaries, rows: int, outputs: int) -> str:
    """Return why a baseline that was not requested is left out; empty if it is trained.

    Args:
        name: registered name.
        task: registered name.
        cells, rows, outputs: as for `fit_seconds`.
    """
    if reason := unsuited(name, task):
        return reason
    seconds = fit_seconds(name, cells, rows, outputs)
    if seconds <= PATIENCE:
        return ""
    return f"it would take about {duration_text(seconds)}: request it with --baselines {name}"


def fit_seconds(name: str, cells: Summaries, rows: int, outputs: int) -> float:
    """Estimate how long a fit of a baseline takes on an ordinary CPU. The estimate is the same on every machine.

    Args:
        name: registered name.
        cells: the columns.
        rows: training rows.
        outputs: classes, labels, or 1.
    """
    entry = baselines.entry(name)
    column, million = entry.literal("SECONDS", (0.0, 0.0))
    of_text = min(rows, entry.literal("TEXT_FEATURES", TEXT_FEATURES))  # few texts share few words
    columns = cells.columns.values()
    texts = min(MOST_TEXTS, sum(own.kind == "terms" for own in columns)) * of_text
    width = texts + sum(max(1, reduced_width(own.width)) for own in columns if own.kind != "terms")
    return float(outputs * width * (column + million * rows / 1e6))


def unsuited(name: str, task: str) -> str:
    """Return why a baseline does not support a task; empty if it does."""
    suited = baselines.entry(name).literal("TASKS")
    return "" if suits(suited, task) else f"it supports {', '.join(suited_tasks(suited))}, not {task}"
