"""Blend a network with linear models and boosted trees, by their predictions out of fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from sensorium.blending import CONFLICTS, NETWORK, TimeLimit, blend, check_blend, network_spec, too_slow
from sensorium.planning import Plan, PreparedTable
from sensorium.strategies._base import Request, Session, Strategy
from sensorium.strategies._searched_blend import SearchedBlend, learning_session
from sensorium.strategies.search import Search
from sensorium.trials import Control, TrialResult, TrialSpec, forget_trials


class Blend(Strategy):
    """Weighted combination of one or more networks, linear models and boosted trees.

    The weights are fitted on rows that the members did not learn from. A member that does not help is left out; if one
    modality alone does better, only that one is used. With a time budget, a search chooses the networks.
    """

    CONFLICTS: ClassVar[dict[str, str]] = {
        "start": "it continues a single network",
        "train.imbalance": "mitigations concern a single network",
        "train.unfreeze": "a second stage concerns a single network",
        **CONFLICTS,
    }
    INCLUDES: ClassVar[Sequence[str]] = ("search",)

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._search = Search(request) if Search.is_on(request) else None

    def check_installed(self) -> None:
        if self._search:
            self._search.check_installed()

    def check(self, plan: Plan) -> None:
        check_blend(plan, place="preset", cure="use preset fast")
        if self._search:
            self._search.check(plan)

    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        if self._search:
            return SearchedBlend(session, self._search.open(learning_session(session))).run()
        data, report = session.data, session.report
        limit = TimeLimit.of(data.plan, session.request.patience)

        def train(specs: Sequence[TrialSpec]) -> Sequence[TrialResult]:
            found = list[TrialResult]()
            for spec in specs:
                report.step(spec.name)
                # only its scores are used
                found.append(session.run(spec, Control(report, restarts=False), with_model=False))
                if found[-1].error is not None:  # the blend does without this network
                    break
            return found

        def train_main(spec: TrialSpec, control: Control) -> TrialResult:
            error = too_slow(data, spec, limit)
            return TrialResult(spec, error=error) if error else session.run(spec, control)

        first, *others = _networks(data, session.request.networks)
        mains = [train_main(first, session.control), *(train_main(spec, Control(report)) for spec in others)]
        return blend(data, mains, train, report, limit=limit)

    def files(self) -> Mapping[str, bytes]:
        return self._search.files() if self._search else {}

    def close(self, folder: Path) -> None:
        forget_trials(folder)
        if self._search:
            self._search.close(folder)


def _networks(data: PreparedTable, count: int) -> list[TrialSpec]:
    """Return networks that differ in their random seed (bagging); the first has that of the settings."""
    seeds = [data.plan.config.seed + more for more in range(1, count)]
    others = [network_spec(data.plan, f"{NETWORK} (seed {seed})", seed) for seed in seeds]
    return [network_spec(data.plan), *others]
