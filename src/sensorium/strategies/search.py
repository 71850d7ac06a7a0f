"""Search encoders, fusion and training settings within a time budget."""

from __future__ import annotations

from importlib.util import find_spec
from typing import ClassVar

from sensorium.errors import ConfigError, MissingExtraError
from sensorium.planning import Plan
from sensorium.strategies._base import Request, Session, Strategy
from sensorium.strategies._search._search import SearchRun
from sensorium.trials import TrialResult


class Search(Strategy):
    """Choose encoders, fusion and training within a time, and train what was chosen.

    Every single modality first, then successive halving over candidates, then the best of them to the end. The model
    that does best on the validation rows is kept, be it a single modality's; an ensemble only where it is surely
    better. Same plan and seed: same models; the plan depends on how fast the machine is.
    """

    SETTING: ClassVar[str] = "budget"
    CONFLICTS: ClassVar[dict[str, str]] = {
        "start": "a model that is continued has its encoders and its fusion",
        "resume": "a search is resumed where it is called again with the same folder",
        "train.imbalance": "the search has settings of its own for that",
        "train.unfreeze": "a second stage would exceed the budget",
        "train.pretrain": "every candidate would be pre-trained first",
    }

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._run: SearchRun | None = None

    def check_installed(self) -> None:
        if find_spec("optuna") is None:
            raise MissingExtraError("a budget needs Optuna", cure="pip install 'sensorium[search]'")

    def check(self, plan: Plan) -> None:
        if not len(plan.rows("validation")):
            raise ConfigError("there are no validation rows to choose by", place="budget", cure="split.validation=0.1")

    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        assert self.request.budget is not None
        self._run = SearchRun(session, self.request.budget)
        return self._run.run()

    def close(self, session: Session) -> None:
        if self._run:
            self._run.close()
