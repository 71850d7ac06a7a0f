"""Pace of a training: when it may stop early, and what would make a slow one faster."""

from __future__ import annotations

import time

from sensorium.config import set_value
from sensorium.runtime.progress import Reporter, duration_text
from sensorium.train.bottleneck import find_bottleneck, more_threads
from sensorium.train.length import LARGEST_BATCH
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
            self._report.log(f"? {_advice(self._state, left)}", once=f"slow {_stage(self._state)}")
        return self._early_text(done, each)

    def _early_text(self, done: int, each: float) -> str:
        earliest = self._state.stopping.earliest(self._state.history)
        if earliest is None:
            return ""
        return f"early stopping is possible from epoch {earliest}, in {duration_text(each * (earliest - done))}"


def _advice(state: State, left: float) -> str:
    """Return the part of the work that takes most of the time, and the settings that reduce it."""
    found = find_bottleneck(state.context)
    cures = [*found.cures, *more_threads(state.context), *_length_cures(state)]
    beside = f" (with --preset {state.context.preset})" if state.context.preset else ""
    return (
        f"{_stage(state)} takes about {duration_text(left)} more if it does not stop early; {found.text}. "
        f"Settings that make it faster{beside}: {', '.join(cures)}"
    )


def _length_cures(state: State) -> list[str]:
    """Return the settings of this stage that shorten it: fewer epochs, and larger batches unless they are set."""
    context, epochs = state.context, max(1, state.context.epochs // 2)
    own = state.config if context.supervised else state.config.pretrain
    prefix = "train" if context.supervised else "train.pretrain"
    cures = [f"--epochs {epochs}" if context.supervised else set_value(f"{prefix}.epochs", epochs)]
    if context.batch_size < LARGEST_BATCH and own and own.batch_size is None:
        cures.append(set_value(f"{prefix}.batch_size", LARGEST_BATCH))
    return cures


def _stage(state: State) -> str:
    return "training" if state.context.supervised else "pre-training"
