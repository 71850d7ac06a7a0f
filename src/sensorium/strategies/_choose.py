"""Choose the strategies of a fit, and check that they can be combined."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import get_args

from sensorium.errors import ConfigError, SensoriumError, raise_together
from sensorium.planning import Plan
from sensorium.registry import strategies
from sensorium.runtime.signals import CONTINUE, hint_at_end
from sensorium.strategies._base import Request, Session, Stage, Strategy
from sensorium.trials import TrialResult, decided

STAGES = get_args(Stage)


def choose_strategies(request: Request) -> list[Strategy]:
    """Return the strategies that a request enables, in the order in which they run.

    Raises:
        ConfigError: settings conflict. The error lists all conflicts.
        MissingExtraError: a package is not installed.
    """
    kinds: list[type[Strategy]] = [strategies.load(name) for name in strategies.names()]
    on = [kind for kind in kinds if kind.is_on(request)]
    if request.strategy != "plain" or not any(kind.STAGE == "train" for kind in on):
        on.append(strategies.load(request.strategy))
    raise_together([fault for kind in on for fault in _faults(kind, request)])
    included = {name for kind in on for name in kind.INCLUDES}
    own = [kind for kind in on if kind not in [strategies.load(name) for name in included]]
    _check_one_trains(own, request)
    chosen = [kind(request) for kind in sorted(own, key=lambda kind: STAGES.index(kind.STAGE))]
    for strategy in chosen:
        strategy.check_installed()
    return chosen


def check_strategies(chosen: Sequence[Strategy], plan: Plan) -> None:
    """Check that each strategy supports the plan.

    Raises:
        ConfigError: a strategy does not support the plan.
    """
    for strategy in chosen:
        strategy.check(plan)


def run_strategies(chosen: Sequence[Strategy], session: Session) -> TrialResult:
    """Run all strategies, and return the chosen trial with all its outcomes."""
    result = None
    with hint_at_end(CONTINUE) if session.folder else nullcontext():
        for strategy in chosen:
            result = strategy.run(session, result)
    assert result is not None
    return decided(result)


def strategy_files(chosen: Sequence[Strategy]) -> dict[str, bytes]:
    """Return the files of the strategies that are saved with the result: name → content."""
    return {name: content for strategy in chosen for name, content in strategy.files().items()}


def close_strategies(chosen: Sequence[Strategy], folder: Path) -> None:
    """Remove files that only a resumed run needs."""
    for strategy in chosen:
        strategy.close(folder)


def find_conflicts(kind: type[Strategy], request: Request) -> dict[str, str]:
    """Return what a strategy does not support: setting or argument that is set → the reason."""
    return {place: reason for place, reason in kind.CONFLICTS.items() if request.is_set(place)}


def _faults(kind: type[Strategy], request: Request) -> list[SensoriumError]:
    return [
        ConfigError(
            f"{place} cannot be combined with {_named(kind, request)}",
            place=place,
            rule=rule,
            cure="remove one of them",
        )
        for place, rule in find_conflicts(kind, request).items()
    ]


def _check_one_trains(on: Sequence[type[Strategy]], request: Request) -> None:
    """Check that exactly one strategy trains the model."""
    names = [_named(kind, request) for kind in on if kind.STAGE == "train"]
    if len(names) > 1:
        rule = "one strategy trains the model"
        raise ConfigError(
            f"{' and '.join(names)} cannot be combined", place="preset", rule=rule, cure="remove one of them"
        )


def _named(kind: type[Strategy], request: Request) -> str:
    """Return the setting that enables a strategy, for error messages."""
    if not kind.is_on(request):
        return f"the preset {request.config.preset}"
    return kind.SETTING if "." in kind.SETTING else f"a {kind.SETTING}"
