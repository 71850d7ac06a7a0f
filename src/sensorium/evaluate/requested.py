"""Find the metrics that a caller asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sensorium.errors import ConfigError, did_you_mean, raise_together
from sensorium.metrics import metrics_of

ALL = "all"


def requested_metrics(asked: Sequence[str], task: str, targets: Mapping[str, str]) -> list[str]:
    """Return the names of metrics to compute, each once, in the order asked for.

    Args:
        asked: names of metrics; `all` for all metrics of the task. With several targets, `target.metric` names the
            metric of one target, and `metric` that of each target that it suits.
        task: registered name of the task.
        targets: registered name of the task of each of several targets.

    Raises:
        ConfigError: a metric is unknown, or does not suit the task.

    Example:
        >>> from sensorium.evaluate import requested_metrics
        >>> requested_metrics(["mape"], "regression", {})
        ['mape']
        >>> requested_metrics(["mae"], "several", {"price": "regression", "genre": "multiclass"})
        ['price.mae']
    """
    own = {name: [name] for name in metrics_of(task)}
    for target, kind in targets.items():
        for name in metrics_of(kind):
            own[f"{target}.{name}"] = [f"{target}.{name}"]
            own.setdefault(name, []).append(f"{target}.{name}")
    every = [names[0] for key, names in own.items() if names == [key]]
    faults = [_unknown(name, own, task) for name in asked if name not in own and name != ALL]
    raise_together(faults)
    return list(dict.fromkeys(found for name in asked for found in (every if name == ALL else own[name])))


def _unknown(name: str, known: Mapping[str, object], task: str) -> ConfigError:
    rule = "`sensorium list metrics` describes all metrics and their tasks"
    return ConfigError(f"{task} has no metric {name!r}", place="metrics", rule=rule, cure=did_you_mean(name, [*known]))
