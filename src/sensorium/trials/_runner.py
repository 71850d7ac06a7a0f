"""Run trials in this process, or in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sensorium.planning import PreparedTable
from sensorium.trials._result import Control, TrialResult
from sensorium.trials._spec import TrialSpec
from sensorium.trials._trial import run_trial

Started: TypeAlias = Callable[[TrialSpec], None]


class Runner(Protocol):
    """Interface that runs trials, in this process or in others."""

    def run(self, specs: Iterable[TrialSpec], control: Control, started: Started) -> Iterator[TrialResult]:
        """Run trials and yield their results in the order of the specs.

        Args:
            specs: the trials.
            control: options of all trials that do not change their results.
            started: called with each spec before its trial starts.
        """


@dataclass(frozen=True)
class InProcess:
    """Runner of trials in this process, one after another.

    Args:
        data: the table.
    """

    data: PreparedTable

    def run(self, specs: Iterable[TrialSpec], control: Control, started: Started) -> Iterator[TrialResult]:
        """Run each trial when its result is requested."""
        for spec in specs:
            started(spec)
            yield run_trial(self.data, spec, control)
