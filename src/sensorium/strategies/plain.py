"""Train one model as the settings say."""

from __future__ import annotations

from sensorium.strategies._base import Session, Strategy, trained
from sensorium.trials import TrialResult, TrialSpec


class Plain(Strategy):
    """One training from the random seed; the weights of the best epoch are kept."""

    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        return trained(session.train(TrialSpec("plain"), session.control))
