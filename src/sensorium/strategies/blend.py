"""Blend a network with linear models and boosted trees, by their predictions out of fold."""

from __future__ import annotations

from pathlib import Path

from sensorium.blending import NETWORK, blend, needs_fold
from sensorium.strategies._base import Session, Strategy
from sensorium.trials import Control, TrialResult, TrialSpec, forget_trials


class Blend(Strategy):
    """Weighted mean of a network, linear models and boosted trees.

    The weights are fitted on rows that the members did not learn from. A member that does not help is left out; if one
    modality alone does better, only that one is used.
    """

    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        data, report = session.data, session.report

        def train(spec: TrialSpec) -> TrialResult:
            report.step(spec.name)
            result = session.run(spec, Control(report))
            if result.error is not None:
                raise result.error
            return result

        main = session.run(TrialSpec(NETWORK, fold=needs_fold(data)), session.control)
        return blend(data, main, train, report)

    def close(self, folder: Path) -> None:
        forget_trials(folder)
