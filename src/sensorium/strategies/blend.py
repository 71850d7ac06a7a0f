"""Blend a network with linear models and boosted trees, by their predictions out of fold."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from sensorium.blending import NETWORK, TimeLimit, blend, needs_fold, planned_folds, too_slow
from sensorium.errors import ConfigError, SchemaError
from sensorium.planning import Plan, PreparedTable
from sensorium.strategies._base import Session, Strategy
from sensorium.trials import Control, TrialResult, TrialSpec, forget_trials


class Blend(Strategy):
    """Weighted mean of one or more networks, linear models and boosted trees.

    The weights are fitted on rows that the members did not learn from. A member that does not help is left out; if one
    modality alone does better, only that one is used.
    """

    CONFLICTS: ClassVar[dict[str, str]] = {
        "start": "it continues a single network",
        "budget": "a search chooses and combines networks itself",
        "train.teacher": "a network learns from a teacher, classical models do not",
        "train.imbalance": "mitigations concern a single network",
        "train.unfreeze": "a second stage concerns a single network",
        "train.pretrain": "every fold would need its own pre-training",
        "prepare.stream": "classical models need the cells of all rows at once",
    }

    def check(self, plan: Plan) -> None:
        if plan.task.targets:
            raise ConfigError(
                "a blend predicts one target, not several",
                place="preset",
                rule="classical models predict one target each",
                cure="use preset fast, or fit each target by itself",
            )
        try:
            planned_folds(plan)
        except SchemaError as error:
            raise ConfigError(error.finding, place=error.place, rule=error.rule, cure="use preset fast") from None

    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        data, report = session.data, session.report
        limit = TimeLimit.of(data.plan, session.request.patience)

        def train(spec: TrialSpec) -> TrialResult:
            report.step(spec.name)
            result = session.run(spec, Control(report, restarts=False), with_model=False)  # only its scores are used
            if result.error is not None:
                raise result.error
            return result

        def train_main(spec: TrialSpec, control: Control) -> TrialResult:
            error = too_slow(data, spec, limit)
            return TrialResult(spec, error=error) if error else session.run(spec, control)

        first, *others = _networks(data, session.request.networks)
        mains = [train_main(first, session.control), *(train_main(spec, Control(report)) for spec in others)]
        return blend(data, mains, train, report, limit=limit)

    def close(self, folder: Path) -> None:
        forget_trials(folder)


def _networks(data: PreparedTable, count: int) -> list[TrialSpec]:
    """Return networks that differ in their random seed (bagging); the first has that of the settings."""
    fold, seeds = needs_fold(data.plan), [data.plan.config.seed + more for more in range(1, count)]
    others = [TrialSpec(f"{NETWORK} (seed {seed})", seed=seed, fold=fold) for seed in seeds]
    return [TrialSpec(NETWORK, fold=fold), *others]
