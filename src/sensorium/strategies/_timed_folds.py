"""Train networks on folds while a time budget lasts, to blend them by their predictions out of fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sensorium.blending import ENOUGH, Candidate, NetworkFolds, Train, count_rows, network_candidate
from sensorium.runtime.progress import duration_text
from sensorium.strategies._base import Session
from sensorium.strategies._search._search import SearchRun
from sensorium.trials import Control, TrialResult, TrialSpec

MARGIN = 0.9  # of the time of a network's folds: trainings are not all alike
FOLD_COUNTS = "folds"  # in the journal


class TimedFolds:
    """Trainings on folds within a time budget.

    The journal holds how many folds the clock allowed each network, so that a resumed run trains on the same ones.

    Args:
        session: the state of the fit.
        search: the search that chose the networks, with the budget and the journal.
    """

    def __init__(self, session: Session, search: SearchRun) -> None:
        self.session, self.data, self.report = session, session.data, session.report
        self.budget, self.journal = search.budget, search.journal

    def candidate(self, main: TrialResult, *, waiting: int) -> Candidate | None:
        """Return a network with predictions out of fold, on as many folds as there is time for; None without time.

        Args:
            main: the training of the network.
            waiting: number of networks that share the time that is left.
        """
        if main.spec.fold:
            return self.without_folds(main)
        chosen = dict[str, list[int]](self.journal.noted(FOLD_COUNTS) or {})
        name = main.spec.name
        if name not in chosen:
            left, options = MARGIN * self.budget.left, self._options()
            seconds = {own: (own.trainings - 1) * main.seconds for own in options}
            several = next((own for own in options if seconds[own] <= left / waiting), options[-1])
            chosen[name] = [several.count, several.trained] if seconds[several] <= left else []
            self._note(chosen)
        if not chosen[name]:
            return None
        try:
            return network_candidate(self.data, main, self._trainer(main), NetworkFolds(*chosen[name]))
        except _OutOfTime:
            self._note({**chosen, name: []})
            return None

    def without_folds(self, main: TrialResult) -> Candidate:
        """Return a network with its scores of the rows that it did not learn from: of a fold, or of validation rows."""
        return network_candidate(self.data, main, self._trainer(main), None)

    def _options(self) -> list[NetworkFolds]:
        """Return the folds that a network may be trained on, most first, if enough rows of these choose its weight.

        The validation rows chose the network, so they do not choose its weight. In order of time, they are the last
        ones, which the last folds judge.
        """
        options, validation = NetworkFolds.options(count_rows(self.data.plan)), self.data.rows("validation")
        rows = {
            own: sum(len(np.setdiff1d(fold.judge, validation)) for _, fold in own.judging(self.data.plan))
            for own in options
        }
        return [own for own in options if rows[own] >= min(ENOUGH, rows[options[0]])]

    def _trainer(self, main: TrialResult) -> Train:
        """Return a function that trains a network on folds, for as many epochs as it had."""
        history = main.training_history
        most = _epochs(main.spec) if history.stopped else len(history.epochs)  # the search may have ended its training

        def train(specs: Sequence[TrialSpec]) -> Sequence[TrialResult]:
            found = list[TrialResult]()
            for spec in specs:
                self.report.step(f"{spec.name}; {duration_text(max(0.0, self.budget.left))} left")
                found.append(self.session.ledger.find(spec) or self._train_fold(spec, min(most, _epochs(spec))))
                self._note_time()
                if found[-1].error is not None:  # the blend does without this network
                    break
            return found

        return train

    def _train_fold(self, spec: TrialSpec, epochs: int) -> TrialResult:
        """Train a network on a fold for at most so many epochs, and record the result.

        Raises:
            _OutOfTime: the budget is over before the training is.
        """
        trained, is_late = 0, False

        def should_stop() -> bool:
            nonlocal trained, is_late
            trained += 1
            is_late = self.budget.left < 0 and trained < epochs
            return is_late or trained >= epochs

        if self.budget.left < 0:
            raise _OutOfTime
        result = self.session.train(spec, Control(self.report, should_stop=should_stop, restarts=False))
        if is_late:
            raise _OutOfTime
        if result.error is None:
            self.session.ledger.record(result)
        return result

    def _note(self, chosen: Mapping[str, Sequence[int]]) -> None:
        self.journal.note(FOLD_COUNTS, dict(chosen))
        self._note_time()

    def _note_time(self) -> None:
        self.journal.note("spent", self.budget.used)


def _epochs(spec: TrialSpec) -> int:
    """Return the number of epochs of a training of the search, or of one on a fold."""
    return int(spec.settings["train"]["epochs"])


class _OutOfTime(Exception):
    """The budget ended a training."""
