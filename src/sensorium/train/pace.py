"""Pace of a training: when it may stop early, and what would make a slow one faster."""

from __future__ import annotations

import time

from sensorium.runtime.progress import Reporter, duration_text
from sensorium.train.bottleneck import find_bottleneck
from sensorium.train.state import State

LONG = 300.0  # seconds that a training may take before ways to make it faster are shown
TRIES = 3  # first epochs of a process whose duration decides whether it is shown


class Pace:
    """Duration of the epochs of this process, validation included.

    Args:
        state: state of the training.
        report: receives the ways to make a slow training faster, once.
    """

    def __init__(self, state: State, report: Reporter) -> None:
        self._state, self._report = state, report
        self._start, self._first, self._shown = time.perf_counter(), state.place.epoch - 1, False

    def after_epoch(self) -> str:
        """Return when early stopping is possible; if the training is slow, show what would make it faster."""
        done = len(self._state.history.epochs)
        each = (time.perf_counter() - self._start) / (done - self._first)
        left = each * (self._state.context.epochs - done)
        if left > LONG and not self._shown and done - self._first <= TRIES:
            self._shown = True
            self._report.log(f"? {_advice(self._state, left)}", once="slow")
        return self._early_text(done, each)

    def _early_text(self, done: int, each: float) -> str:
        earliest = self._state.stopping.earliest(self._state.history)
        if earliest is None:
            return ""
        return f"early stopping is possible from epoch {earliest}, in {duration_text(each * (earliest - done))}"


def _advice(state: State, left: float) -> str:
    """Return the part of the work that takes most of the time, and the settings that reduce it."""
    context, config = state.context, state.config
    found = find_bottleneck(context)
    cures = [*found.cures, f"--epochs {max(1, context.epochs // 2)}"]
    if context.batch_size < 64 and config.batch_size is None:
        cures.append("--set train.batch_size=64")
    stage = "training" if context.supervised else "pre-training"
    return (
        f"{stage} takes about {duration_text(left)} more if it does not stop early; {found.text}. "
        f"Settings that make it faster: {', '.join(cures)}"
    )
