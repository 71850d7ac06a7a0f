"""Search networks within a part of a time budget, and blend the best with classical models in the rest of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from sensorium.blending import (
    NETWORK,
    Candidate,
    Classical,
    FitTime,
    check_network,
    classical_candidates,
    combine,
    fold_counts,
    main_network,
    needs_fold,
)
from sensorium.errors import TrainingError
from sensorium.model.card import SearchRecord
from sensorium.planning import PreparedTable, at_fold, cut_folds, with_cells
from sensorium.runtime.progress import duration_text
from sensorium.runtime.threads import torch_threads
from sensorium.strategies._base import Session
from sensorium.strategies._search._search import SearchRun
from sensorium.strategies._search._space import PLAIN
from sensorium.strategies._timed_folds import TimedFolds
from sensorium.trials import InProcess, Ledger, TrialResult, TrialSpec

CURE = "a longer budget has time for it"
CLASSICAL = 0.25  # of the time that is left: enough for all of them on a small table, where they are often the best
QUICK = 2.0  # seconds that they may take however little time is left
SEARCH = 0.5  # of the time after them: predictions out of fold take 1 to 4 times as long as the network they judge
SEARCH_ONLY = 0.9  # of it on a large table, whose networks need no further training
FITTED, SEARCH_END = "classical", "end"  # in the journal


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
        self.folds = TimedFolds(session, search)

    def run(self) -> TrialResult:
        """Fit the classical models, search, and return the blend with all its outcomes."""
        raw = with_cells(self.data, self.report)
        classical = self._fit_classical(raw)
        found, record = self._search()
        mains = [self._main(main) for main in found] or [_untrained()]
        networks = self._networks(mains)
        candidates = [*networks, *classical.candidates]
        main = main_network(mains)
        result = combine(raw, main, candidates, self.report, folds=classical.folds, searched=bool(networks))
        result.model.card = result.model.card.updated(search=record)
        used, seconds = duration_text(self.budget.used), duration_text(self.budget.seconds)
        self.report.log(f"the blend took {used} of the budget of {seconds}")
        return result

    def _fit_classical(self, raw: PreparedTable) -> Classical:
        """Fit the classical models that there is time for, or those that an interrupted run fitted.

        The time of fitting them again does not count: later decisions are those of a run without an interruption.
        """
        start, seconds = self.budget.used, max(CLASSICAL * self.budget.left, QUICK)
        until = self.budget.used + seconds
        time = FitTime(seconds, CURE, lambda: until - self.budget.used)
        folds, known = fold_counts(self.data.plan), self.journal.noted(FITTED)
        found = classical_candidates(raw, time, self.report, folds=folds, least=0, known=known)
        if known is not None:
            self.budget.spent -= self.budget.used - start
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
                candidate = self.folds.candidate(main, waiting=len(mains) - place)
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
        return [self.folds.without_folds(late[0])]

    def _note(self, key: str, value: object) -> None:
        """Store what a resumed run must know, and the time that was used."""
        self.journal.note(key, value)
        self.journal.note("spent", self.budget.used)


def _untrained() -> TrialResult:
    return TrialResult(TrialSpec(NETWORK), error=TrainingError("no training of the search succeeded"))
