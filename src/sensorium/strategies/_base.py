"""The contract that every strategy keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from sensorium.config import Config
from sensorium.planning import Plan, PreparedTable
from sensorium.runtime.progress import Reporter
from sensorium.strategies._search._budget import Budget
from sensorium.trials import Control, InProcess, Ledger, Runner, TrialResult, TrialSpec

Stage: TypeAlias = Literal["train", "improve", "report"]


@dataclass(frozen=True)
class Request:
    """What a fit is asked for.

    Attributes:
        config: the settings.
        budget: the time that a search may take; None without a search.
        continues: a fitted model is trained further.
        resume: a run that was stopped is resumed.
    """

    config: Config
    budget: Budget | None = None
    continues: bool = False
    resume: bool = False

    def is_set(self, place: str) -> bool:
        """Return whether a setting, or an argument of `fit`, is on."""
        if place == "start":
            return self.continues
        if place in ("budget", "resume"):
            return bool(getattr(self, place))
        value: Any = self.config
        for name in place.split("."):
            value = getattr(value, name, None)
        return value not in (None, "off", False)


@dataclass(frozen=True)
class Session:
    """A fit at work.

    Attributes:
        data: the table.
        request: what was asked for.
        runner: runs the trials.
        ledger: finished trials, which are not run again.
        control: of the first trial: checkpoint, and where the best model so far is kept.
        report: where progress is shown.
        folder: of the run; None where nothing is saved.
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
        """Return a session that trains in this process, and records finished trials in a folder."""
        return cls(data, request, InProcess(data), Ledger(data, folder), control, control.report, folder)

    def run(self, spec: TrialSpec, control: Control | None = None) -> TrialResult:
        """Run one trial, or take it from the ledger with its model."""
        known = self.ledger.find(spec, with_model=True)
        fitted = self.ledger.load_model(spec) if known else None
        if known and fitted:
            self.report.log(f"{spec.name}: finished before, not trained again")
            return replace(known, fitted=fitted)
        result = self.train(spec, control or Control(report=self.report))
        if result.error is None:
            self.ledger.record(result, self.ledger.save_model(result))
        return result

    def train(self, spec: TrialSpec, control: Control) -> TrialResult:
        """Run one trial; the callbacks of the fit receive its events."""
        control = replace(control, callbacks=self.control.callbacks)
        (result,) = self.runner.run([spec], control, lambda spec: None)
        return result


class Strategy(ABC):
    """How the models of a fit are trained, and which one is kept.

    Class attributes:
        SETTING: the setting or argument of `fit` that switches it on; it is on where that is set.
        STAGE: `train` makes a model, one such strategy is on; `improve` works on that model; `report` only looks at the
            model that is kept.
        CONFLICTS: setting or argument that does not go with it → why.
    """

    SETTING: ClassVar[str] = ""
    STAGE: ClassVar[Stage] = "train"
    CONFLICTS: ClassVar[Mapping[str, str]] = {}

    def __init__(self, request: Request) -> None:
        self.request = request

    @classmethod
    def is_on(cls, request: Request) -> bool:
        """Return whether the request switches the strategy on."""
        return bool(cls.SETTING) and request.is_set(cls.SETTING)

    def check_installed(self) -> None:  # noqa: B027 - most need nothing
        """Check that the packages that it needs are there.

        Raises:
            MissingExtraError: one is not.
        """

    def check(self, plan: Plan) -> None:  # noqa: B027 - most need nothing
        """Check that the plan has what it needs: called before any file is decoded.

        Raises:
            ConfigError: it has not.
        """

    @abstractmethod
    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        """Return the trial that is kept.

        Args:
            session: the fit.
            so_far: what the strategies before came to; None in the stage `train`.

        Raises:
            TrainingError: no model could be trained.
        """

    def close(self, session: Session) -> None:  # noqa: B027 - most leave nothing behind
        """Called once the result is saved: what only a resumed run needs is removed."""


def trained(result: TrialResult) -> TrialResult:
    """Return a result, or raise the error that its training ended with."""
    if result.error is not None:
        raise result.error
    return result
