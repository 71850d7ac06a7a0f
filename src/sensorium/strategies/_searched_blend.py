"""Search networks within a part of a time budget, and blend the best with classical models in the rest of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sensorium.blending import (
    ENOUGH,
    NETWORK,
    Candidate,
    Classical,
    FitTime,
    NetworkFolds,
    Train,
    check_network,
    classical_candidates,
    combine,
    count_rows,
    fold_counts,
    needs_fold,
    network_candidate,
)
from sensorium.errors import TrainingError
from sensorium.model.card import SearchRecord
from sensorium.planning import PreparedTable, at_fold, cut_folds, with_cells
from sensorium.runtime.progress import duration_text
from sensorium.runtime.threads import torch_threads
from sensorium.split import Fold
from sensorium.strategies._base import Session
from sensorium.strategies._search._search import SearchRun
from sensorium.strategies._search._space import PLAIN
from sensorium.trials import Control, InProcess, Ledger, TrialResult, TrialSpec

CLASSICAL = 0.25  # of the time that is left: enough for all of them on a small table, where they are often the best
QUICK = 2.0  # seconds that they may take however little time is left
SEARCH = 0.5  # of the time after them: predictions out of fold take 1 to 4 times as long as the network they judge
SEARCH_ONLY = 0.9  # of it on a large table, whose networks need no further training
MARGIN = 0.9  # of the time of a network's folds: trainings are not all alike
CURE = "a longer budget has time for it"
FITTED, SEARCH_END, FOLD_COUNTS = "classical", "end", "folds"  # in the journal


def learning_session(session: Session) -> Session:
    """Return the session of the search: of a large table, it sees neither the test rows nor those that calibrate."""
    fold = needs_fold(session.data.plan)
    if fold is None:
        return session
    data = at_fold(session.data, cut_folds(session.data.plan, 1).folds[0])
    return replace(session, data=data, runner=InProcess(data), ledger=Ledger(data, session.folder, session.report))


class SearchedBlend:
    """Blend of the networks that a search chooses with classical models.

    The classical models are fitted first, as they are quick and may be all that there is time for. The search takes a
    share of the rest, and predictions of its networks out of fold take what remains. The journal of the search holds
    what the clock decided, so that a resumed run decides the same.

    Args:
        session: the state of the fit.
        search: the search, of the session that `learning_session` returns.
    """

    def __init__(self, session: Session, search: SearchRun) -> None:
        self.session, self.search, self.report = session, search, session.report
        self.data, self.budget, self.journal = session.data, search.budget, search.journal

    def run(self) -> TrialResult:
        """Fit the classical models, search, and return the blend with all its outcomes."""
        raw = with_cells(self.data, self.report)
        classical = self._fit_classical(raw)
        found, record = self._search()
        mains = [self._main(main) for main in found] or [_untrained()]
        networks = self._networks(mains)
        candidates = [*networks, *classical.candidates]
        result = combine(raw, mains[0], candidates, self.report, folds=classical.folds, searched=bool(networks))
        result.model.card = result.model.card.updated(search=record)
        used, seconds = duration_text(self.budget.used), duration_text(self.budget.seconds)
        self.report.log(f"the blend took {used} of the budget of {seconds}")
        return result

    def _fit_classical(self, raw: PreparedTable) -> Classical:
        """Fit the classical models that there is time for, or those that an interrupted run fitted."""
        seconds = max(CLASSICAL * self.budget.left, QUICK)
        until = self.budget.used + seconds
        time = FitTime(seconds, CURE, lambda: until - self.budget.used)
        folds, known = fold_counts(self.data.plan), self.journal.noted(FITTED)
        found = classical_candidates(raw, time, self.report, folds=folds, least=0, known=known)
        self._note(FITTED, found.to_json())
        return found

    def _search(self) -> tuple[list[TrialResult], SearchRecord]:
        """Search for a share of the time, as long as an interrupted search would have, and return the best networks."""
        end = self.journal.noted(SEARCH_END)
        if end is None:
            share = SEARCH_ONLY if needs_fold(self.data.plan) else SEARCH
            end = self.budget.used + share * max(0.0, self.budget.left)
            self._note(SEARCH_END, end)
        self.budget.end = end
        self.search.search()
        found = self.search.networks(self.session.request.networks)
        self.budget.end = math.inf
        return found

    def _main(self, found: TrialResult) -> TrialResult:
        """Return a network of the search under its name in the blend; of a large table, with scores of its fold."""
        spec = found.spec
        name = NETWORK if spec.name == PLAIN else f"{NETWORK} ({spec.name})"
        main = replace(found, spec=replace(spec, name=name), fitted=found.model.with_first(name=name))
        fold = needs_fold(self.data.plan)
        if fold is None:
            return main
        with torch_threads(main.threads or self.data.plan.threads.most):
            judged = self.search.data.outcome(main.model, "test")
        return replace(main, spec=replace(main.spec, fold=fold), outcomes={**main.outcomes, "test": judged})

    def _networks(self, mains: Sequence[TrialResult]) -> list[Candidate]:
        """Return the networks with predictions out of fold; if there is time for none, the best with those it has."""
        found, late = list[Candidate](), list[TrialResult]()
        for place, main in enumerate(mains):
            try:
                check_network(main)
                candidate = self._out_of_fold(main, waiting=len(mains) - place)
            except TrainingError as error:
                self.report.log(f"? {main.spec.name} is left out of the blend: {error.finding}")
                continue
            if candidate is None:
                late.append(main)
            else:
                found.append(candidate)
        for main in late if found else late[1:]:
            self.report.log(f"? {main.spec.name} is left out of the blend: no time is left for its folds; {CURE}")
        if found or not late:
            return found
        self.report.log(
            f"? the budget is too short for predictions out of fold of {late[0].spec.name}: the validation rows, which "
            f"chose it, decide its weight as well; {CURE}"
        )
        return [network_candidate(self.data, late[0], self._trainer(late[0]), None)]

    def _out_of_fold(self, main: TrialResult, *, waiting: int) -> Candidate | None:
        """Return a network with predictions out of fold, on as many folds as there is time for; None without time.

        Args:
            main: the training of the network.
            waiting: number of networks that share the time that is left.
        """
        if main.spec.fold:
            return network_candidate(self.data, main, self._trainer(main), None)
        chosen = dict[str, list[int]](self.journal.noted(FOLD_COUNTS) or {})
        name = main.spec.name
        if name not in chosen:
            left, options = MARGIN * self.budget.left, self._options()
            seconds = {own: (own.trainings - 1) * main.seconds for own in options}
            several = next((own for own in options if seconds[own] <= left / waiting), options[-1])
            chosen[name] = [several.count, several.trained] if seconds[several] <= left else []
            self._note(FOLD_COUNTS, chosen)
        if not chosen[name]:
            return None
        try:
            return network_candidate(self.data, main, self._trainer(main), NetworkFolds(*chosen[name]))
        except _OutOfTime:
            self._note(FOLD_COUNTS, {**chosen, name: []})
            return None

    def _options(self) -> list[NetworkFolds]:
        """Return the folds that a network may be trained on, most first, if enough rows of these choose its weight.

        The validation rows chose the network, so they do not choose its weight. In order of time, they are the last
        ones, which the last folds judge.
        """
        options, validation = NetworkFolds.options(count_rows(self.data.plan)), self.data.rows("validation")
        rows = {own: sum(len(np.setdiff1d(fold.judge, validation)) for fold in self._judging(own)) for own in options}
        return [own for own in options if rows[own] >= min(ENOUGH, rows[options[0]])]

    def _judging(self, folds: NetworkFolds) -> Sequence[Fold]:
        return cut_folds(self.data.plan, folds.count).folds[-folds.trained :]

    def _trainer(self, main: TrialResult) -> Train:
        """Return a function that trains a network on folds, for as many epochs as it had."""
        history, epochs = main.training_history, int(main.spec.settings["train"]["epochs"])
        most = epochs if history.stopped else len(history.epochs)  # the search may have ended its training

        def train(specs: Sequence[TrialSpec]) -> Sequence[TrialResult]:
            found = list[TrialResult]()
            for spec in specs:
                self.report.step(f"{spec.name}; {duration_text(max(0.0, self.budget.left))} left")
                found.append(self.session.ledger.find(spec) or self._train_fold(spec, most))
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

    def _note(self, key: str, value: object) -> None:
        """Store what a resumed run must know, and the time that was used."""
        self.journal.note(key, value)
        self._note_time()

    def _note_time(self) -> None:
        self.journal.note("spent", self.budget.used)


class _OutOfTime(Exception):
    """The budget ended a training."""


def _untrained() -> TrialResult:
    return TrialResult(TrialSpec(NETWORK), error=TrainingError("no training of the search succeeded"))
