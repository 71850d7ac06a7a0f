"""Which strategies a fit needs, and whether they go together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from sensorium.errors import ConfigError, SensoriumError, raise_together
from sensorium.planning import Plan
from sensorium.registry import strategies
from sensorium.strategies._base import Request, Session, Stage, Strategy
from sensorium.trials import TrialResult

STAGES = get_args(Stage)


def choose_strategies(request: Request) -> list[Strategy]:
    """Return the strategies that a request switches on, in the order in which they run.

    Raises:
        ConfigError: two settings conflict; all conflicts at once.
        MissingExtraError: a package is not installed.
    """
    kinds: list[type[Strategy]] = [strategies.load(name) for name in strategies.names()]
    on = [kind for kind in kinds if kind.is_on(request)]
    raise_together([fault for kind in on for fault in _conflicts(kind, request)])
    if not any(kind.STAGE == "train" for kind in on):
        on.append(strategies.load("plain"))
    chosen = [kind(request) for kind in sorted(on, key=lambda kind: STAGES.index(kind.STAGE))]
    for strategy in chosen:
        strategy.check_installed()
    return chosen


def check_strategies(chosen: Sequence[Strategy], plan: Plan) -> None:
    """Check that the plan has what each strategy needs.

    Raises:
        ConfigError: it has not.
    """
    for strategy in chosen:
        strategy.check(plan)


def run_strategies(chosen: Sequence[Strategy], session: Session) -> TrialResult:
    """Return the trial that is kept, complete."""
    result = None
    for strategy in chosen:
        result = strategy.run(session, result)
    assert result is not None
    return result


def close_strategies(chosen: Sequence[Strategy], session: Session) -> None:
    """Remove what only a resumed run needs: the result is saved."""
    for strategy in chosen:
        strategy.close(session)


def _conflicts(kind: type[Strategy], request: Request) -> list[SensoriumError]:
    return [
        ConfigError(f"{place} does not go with {_named(kind)}", place=place, rule=rule, cure="leave one of them out")
        for place, rule in kind.CONFLICTS.items()
        if request.is_set(place)
    ]


def _named(kind: type[Strategy]) -> str:
    """Return how an error calls what switches a strategy on."""
    return kind.SETTING if "." in kind.SETTING else f"a {kind.SETTING}"
