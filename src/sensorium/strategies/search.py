"""Search encoders, fusion and training settings within a time budget."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from sensorium.artifact import to_json
from sensorium.errors import MissingExtraError
from sensorium.planning import Plan, check_validation_rows
from sensorium.strategies._base import Request, Session, Strategy
from sensorium.strategies._search._journal import forget_journal
from sensorium.strategies._search._search import JOURNAL, RECORD, SearchRun
from sensorium.trials import TrialResult, forget_trials


class Search(Strategy):
    """Hyperparameter search over encoders, fusion and training settings within a time budget.

    The search trains every single modality, runs successive halving over candidates, and trains the best of them to
    the end. It keeps the model with the best validation metric, which may be a single modality, or an ensemble if it is
    significantly better. The same plan and seed give the same models; the plan depends on the speed of the machine.
    With a preset that blends, the best networks are blended with classical models instead.
    """

    SETTING: ClassVar[str] = "budget"
    CONFLICTS: ClassVar[dict[str, str]] = {
        "start": "the encoders and the fusion of a model to continue are fixed",
        "resume": "call fit again with the same folder to resume a search",
        "folds": "every fold would need a search of its own",
        "train.imbalance": "the search chooses these settings itself",
        "train.unfreeze": "a second stage would exceed the budget",
        "train.pretrain": "every candidate would need its own pre-training",
    }

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._run: SearchRun | None = None

    def check_installed(self) -> None:
        if find_spec("optuna") is None:
            raise MissingExtraError(
                "Optuna is not installed, which a budget requires", cure="pip install 'sensorium[search]'"
            )

    def check(self, plan: Plan) -> None:
        check_validation_rows(plan, self.SETTING)

    def open(self, session: Session) -> SearchRun:
        """Start or resume a search, whose record is among the files."""
        assert self.request.budget is not None
        self._run = SearchRun(session, self.request.budget)
        return self._run

    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        return self.open(session).run()

    def files(self) -> Mapping[str, bytes]:
        return {RECORD: to_json(self._run.record)} if self._run else {}

    def close(self, folder: Path) -> None:
        forget_journal(folder / JOURNAL)
        forget_trials(folder)
