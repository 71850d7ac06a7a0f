"""Options of a comparison, and the models that they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sensorium.baselines import choose_baselines
from sensorium.comparison._blends import check_blends
from sensorium.comparison._plan import Candidate, plan_candidates
from sensorium.planning import Plan
from sensorium.trials import check_spec, check_workers


@dataclass(frozen=True)
class ComparisonOptions:
    """Options of a comparison.

    Attributes:
        fusions: registered names, or `["all"]`; some of each kind by default.
        baselines: registered names, or `["none"]`; by default those that support the task and are fast.
        seeds: random seeds that each network is trained with, on the same split.
        workers: number of processes that train in parallel; 1 trains in this process.
        blend: whether to train the blend; by default, if neither fusions nor baselines are chosen and the table
            supports it.
    """

    fusions: Sequence[str] | None = None
    baselines: Sequence[str] | None = None
    seeds: Sequence[int] = (0,)
    workers: int = 1
    blend: bool | None = None

    @property
    def wants_blend(self) -> bool:
        """Return whether to train the blend if the table supports it."""
        return self.fusions is None and self.baselines is None if self.blend is None else self.blend


def check_comparison(plans: Sequence[Plan], options: ComparisonOptions) -> None:
    """Check the options of a comparison, before any file is decoded.

    Args:
        plans: the plan, or those of all folds, which differ in their rows only.
        options: models, seeds and workers.

    Raises:
        ConfigError: there is only one modality, there are no validation or test rows, the options of a fusion do not
            fit, a baseline or a blend that is chosen does not support the table, or the trials cannot run in worker
            processes.
    """
    first = plans[0]
    if options.blend:
        check_blends(plans)
    check_workers(options.workers, stream=first.config.prepare.stream, device=first.device.type)
    for plan in plans[1:]:
        candidates_of(plan, options)
    for candidate in candidates_of(first, options).values():
        if candidate.kind != "baseline":
            check_spec(first, candidate.spec)


def candidates_of(plan: Plan, options: ComparisonOptions) -> dict[str, Candidate]:
    """Return name → model to train."""
    classical = choose_baselines(options.baselines, plan.labels.task_name)
    return plan_candidates(plan, options.fusions, classical, blend=options.wants_blend)
