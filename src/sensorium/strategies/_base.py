"""Base class of strategies, and the state of a fit that they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from sensorium.config import Config
from sensorium.planning import Plan, PreparedTable
from sensorium.runtime.progress import Reporter
from sensorium.strategies._budget import Budget
from sensorium.trials import Control, InProcess, Ledger, Runner, TrialResult, TrialSpec

Stage: TypeAlias = Literal["train", "improve", "report"]


@dataclass(frozen=True)
class Request:
    """Settings and arguments of a fit.

    Attributes:
        config: the settings.
        budget: the time budget of a search; None without a search.
        continues: whether training continues from a fitted model.
        resume: whether an interrupted run is resumed.
        own_modules: whether the network has modules of the user.
        networks: number of networks of a blend, which differ in their random seeds, or in what a search chose.
        patience: factor of the time limits of a blend.
        strategy: registered name of the strategy that trains, if no setting enables another one.
        folds: whether the fit is cross-validated.
    """

    config: Config
    budget: Budget | None = None
    continues: bool = False
    resume: bool = False
    own_modules: bool = False
    networks: int = 1
    patience: float = 1.0
    strategy: str = "plain"
    folds: bool = False

    def is_set(self, place: str) -> bool:
        """Return whether a setting or an argument of `fit` is set."""
        if place == "start":
            return self.continues
        if place in ("budget", "resume", "folds", "own_modules"):
            return bool(getattr(self, place))
        value: Any = self.config
        for name in place.split("."):
            value = getattr(value, name, None)
        return value not in (None, "off", False, {}, [])


@dataclass(frozen=True)
class Session:
    """State of a running fit.

    Attributes:
        data: the table.
        request: settings and arguments of the fit.
        runner: runs the trials.
        ledger: records finished trials, which are not run again.
        control: options of the first trial, which writes the checkpoint and saves the best model so far.
        report: logs progress.
        folder: the folder of the run; None if nothing is saved.
    """

    data: PreparedTable
    request: Request
    runner: Runner
    ledger: Ledger
    control: Control
    report: Reporter
    folder: Path | None = None

    @classmethod
    def of(cls, data: PreparedTable, request: Request, control: Control, folder: Path | None = None) -> Session:
        """Make a session that trains in this process and records finished trials in a folder."""
        ledger = Ledger(data, folder, control.report)
        return cls(data, request, InProcess(data), ledger, control, control.report, folder)

    def run(self, spec: TrialSpec, control: Control | None = None, *, with_model: bool = True) -> TrialResult:
        """Run one trial, or load its result and model from the ledger.

        Args:
            spec: the trial.
            control: options that do not change the result.
            with_model: whether to record the model as well; without it, a result from the ledger has none.
        """
        known = self.ledger.find(spec, with_model=with_model)
        fitted = self.ledger.load_model(spec) if known and with_model else None
        if known and (fitted or not with_model):
            self.report.log(f"{spec.name}: already finished, not trained again")
            return replace(known, fitted=fitted)
        result = self.train(spec, control or Control(report=self.report))
        if result.error is None:
            self.ledger.record(result, self.ledger.save_model(result) if with_model else None)
        return result

    def train(self, spec: TrialSpec, control: Control) -> TrialResult:
        """Run one trial, and send its events to the callbacks of the fit."""
        control = replace(control, callbacks=self.control.callbacks)
        (result,) = self.runner.run([spec], control, lambda spec: None)
        return result


class Strategy(ABC):
    """Base class of strategies, which train the models of a fit and choose one.

    Class attributes:
        SETTING: the setting or argument of `fit` that enables the strategy.
        STAGE: `train` trains a model (exactly one such strategy runs); `improve` trains that model further; `report`
            analyses the final model.
        CONFLICTS: setting or argument that the strategy does not support → the reason.
        INCLUDES: registered names of strategies that a setting enables and that this one runs itself.
    """

    SETTING: ClassVar[str] = ""
    STAGE: ClassVar[Stage] = "train"
    CONFLICTS: ClassVar[Mapping[str, str]] = {}
    INCLUDES: ClassVar[Sequence[str]] = ()

    def __init__(self, request: Request) -> None:
        self.request = request

    @classmethod
    def is_on(cls, request: Request) -> bool:
        """Return whether the request switches the strategy on."""
        return bool(cls.SETTING) and request.is_set(cls.SETTING)

    def check_installed(self) -> None:  # noqa: B027 - most need nothing
        """Check that optional packages are installed.

        Raises:
            MissingExtraError: a package is not installed.
        """

    def check(self, plan: Plan) -> None:  # noqa: B027 - most need nothing
        """Check that the strategy supports the plan, before any file is decoded.

        Raises:
            ConfigError: the strategy does not support the plan.
        """

    @abstractmethod
    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        """Run the strategy, and return the chosen trial.

        Args:
            session: the state of the fit.
            so_far: the trial that earlier strategies chose; None in the stage `train`.

        Raises:
            TrainingError: no model could be trained.
        """

    def files(self) -> Mapping[str, bytes]:
        """Return files to save with the result: name → content."""
        return {}

    def close(self, folder: Path) -> None:  # noqa: B027 - most leave nothing behind
        """Remove files that only a resumed run needs.

        Called after the result is saved; again for a finished run, as the process may have been killed before.
        """


def trained(result: TrialResult) -> TrialResult:
    """Return a result, or raise the error of a failed training."""
    if result.error is not None:
        raise result.error
    return result
