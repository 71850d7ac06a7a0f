"""Cross-validate a fit: train on each fold as the fit trains, and test on the fold's other rows."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sensorium.artifact import write_file
from sensorium.evaluate import CrossValidation, mean_scores
from sensorium.files.caches import seal, unseal
from sensorium.files.figures import finite
from sensorium.files.hashes import hash_json
from sensorium.metrics import default_metrics
from sensorium.model.card import CrossValidationRecord
from sensorium.planning import Plan, PlannedFolds, name_fold, prepare_table
from sensorium.runtime.progress import Reporter
from sensorium.strategies._base import Request, Session
from sensorium.strategies._choose import check_strategies, choose_strategies, run_strategies
from sensorium.trials import Control, plan_identity

FOLDER = ".folds"  # of a run: metrics of finished folds, which an interrupted run does not train again


@dataclass(frozen=True)
class FoldTraining:
    """Cross-validation of a fit.

    Attributes:
        planned: plans of the folds.
        request: settings and arguments of the fit.
        report: logs progress.
        folder: the folder of the run; None if nothing is saved.
    """

    planned: PlannedFolds
    request: Request
    report: Reporter
    folder: Path | None = None

    def check(self) -> None:
        """Check that the strategies of the fit support every fold.

        Raises:
            ConfigError: a strategy does not support a plan.
        """
        for plan in self.planned.plans:
            check_strategies(choose_strategies(self.request), plan)

    def run(self) -> CrossValidationRecord:
        """Train and test on every fold that is not finished, and return the metrics.

        Raises:
            TrainingError: the training of a fold failed.
            Interrupted: training received a signal; finished folds are recorded in the folder.
        """
        metrics = [self._metrics(number, plan) for number, plan in enumerate(self.planned.plans)]
        folds = CrossValidation.of(self.planned)
        means = folds.evaluate(metrics)
        return CrossValidationRecord.model_validate(
            {
                "folds": folds.folds,
                "repeats": folds.repeats,
                "rule": folds.how,
                **means.to_json(),
                "by_fold": [{name: finite(value) for name, value in own.items()} for own in metrics],
            }
        )

    def _metrics(self, number: int, plan: Plan) -> Mapping[str, float]:
        """Return the test metrics of a fold, from its record if it is finished."""
        name = name_fold(number, self.planned.folds)
        path = self._path(number, plan)
        if path and (known := _read(path)):
            self.report.log(f"{name}: already finished, not trained again")
            return known
        sizes = ", ".join(f"{rows:,} {split}" for split, rows in plan.split.sizes().items())
        self.report.log(f"cross-validation, {name}: {sizes}")
        session = Session.of(prepare_table(plan, self.report), self.request, Control(self.report))
        result = run_strategies(choose_strategies(self.request), session)
        found = mean_scores([result.outcomes["test"]], default_metrics(plan.labels.task_name, plan.metric))
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, seal({"metrics": found}))
        return found

    def _path(self, number: int, plan: Plan) -> Path | None:
        """Return the file of a fold, named by all that determines its metrics."""
        if self.folder is None:
            return None
        options = self.planned.options
        key = plan_identity(plan, fold=number, folds=options.folds, repeats=options.repeats)
        return self.folder / FOLDER / f"{hash_json(key)}.json"


def forget_folds(folder: Path) -> None:
    """Remove the records of finished folds."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def _read(path: Path) -> Mapping[str, float] | None:
    try:
        return {str(name): float(value) for name, value in unseal(path.read_bytes())["metrics"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # a damaged record is none
