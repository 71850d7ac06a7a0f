"""Train one model with the settings."""

from __future__ import annotations

from sensorium.strategies._base import Session, Strategy, trained
from sensorium.trials import TrialResult, TrialSpec


class Plain(Strategy):
    """Plain training of one model; keeps the weights of the best epoch."""

    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        return trained(session.train(TrialSpec("plain"), session.control))
