"""Record finished trials, one file each, so that they are not trained again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sensorium.artifact import check_saved, load_fitted, save_fitted, write_file
from sensorium.artifact.run_record import hash_model
from sensorium.errors import ArtifactError, TrainingError
from sensorium.files.caches import seal, unseal
from sensorium.files.hashes import hash_json
from sensorium.model import OWN_FUSION, FittedModel
from sensorium.model.card import BlendRecord
from sensorium.planning import PreparedTable
from sensorium.runtime.progress import Reporter, Silent
from sensorium.train import History
from sensorium.trials._build import spec_settings
from sensorium.trials._cost import Cost
from sensorium.trials._result import TrialResult
from sensorium.trials._spec import TrialSpec
from sensorium.trials.fingerprint import fingerprint

FOLDER, MODELS = ".finished", "models"


@dataclass(frozen=True)
class Ledger:
    """Record of finished trials, which an interrupted comparison, search or fit does not train again.

    A record is written after its model is saved, so an interruption loses at most one trial. It is valid for the same
    spec and fingerprint of the table, while the saved model is unchanged. Trials with the user's own modules, which
    cannot be compared, are not recorded.

    Args:
        data: the table.
        folder: the folder of the run; without it, nothing is recorded.
        report: logs why a finished trial is trained again.
    """

    data: PreparedTable
    folder: Path | None = None
    report: Reporter = field(default_factory=Silent)

    @property
    def works(self) -> bool:
        """Return whether finished trials of registered members are recorded."""
        return self.folder is not None and not self.data.plan.modules.encoders

    def holds(self, spec: TrialSpec) -> bool:
        """Return whether a trial is recorded once it is finished."""
        fusion = spec.choice.name if spec.choice else self.data.plan.blueprint.fusion
        return self.works and not (fusion or "").startswith(OWN_FUSION)

    def find(self, spec: TrialSpec, *, with_model: bool = False) -> TrialResult | None:
        """Return the result of a finished trial; with `with_model`, only if its saved model is intact."""
        path = self._path(spec) if self.holds(spec) else None
        try:
            record = unseal(path.read_bytes()) if path else None
            if record is None or (with_model and not self._is_intact(spec, record)):
                return None
            return self._result(spec, record)
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            return None  # a damaged record is none

    def record(self, result: TrialResult, model: Path | None = None) -> None:
        """Record a finished trial.

        Args:
            result: the result of the trial.
            model: path of its saved model, within the folder.
        """
        if not self.holds(result.spec):
            return
        path = self._path(result.spec)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, seal(self._content(result, model)))

    def save_model(self, result: TrialResult) -> Path | None:
        """Save the model of a trial beside its record, and return its path."""
        if not self.holds(result.spec) or result.fitted is None:
            return None
        path = self._models / self._key(result.spec)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_fitted(result.fitted, path)
        return path

    def load_model(self, spec: TrialSpec) -> FittedModel | None:
        """Load a model that `save_model` saved; return None if it is missing or damaged."""
        try:
            fitted = (
                load_fitted(self._models / self._key(spec), str(self.data.plan.device)) if self.holds(spec) else None
            )
        except (ArtifactError, OSError):
            return None
        # Settings that no saved model brings along are those of this fit.
        return fitted and replace(fitted, config=spec_settings(self.data.plan, spec), unset=())

    def forget(self, spec: TrialSpec) -> None:
        """Remove the record of a trial, and the model that `save_model` saved."""
        if self.holds(spec):
            self._path(spec).unlink(missing_ok=True)
            shutil.rmtree(self._models / self._key(spec), ignore_errors=True)

    def _content(self, result: TrialResult, model: Path | None) -> dict[str, Any]:
        history = result.history
        return {
            "scores": {split: outcome.scores.tolist() for split, outcome in result.outcomes.items()},
            "seconds": result.seconds,
            "history": history and {**history.to_json(), "seconds": history.seconds},
            "cost": result.cost and asdict(result.cost),
            "error": result.error and result.error.finding,
            "collapsed": result.collapsed,
            "threads": result.threads,
            "judged": None if result.judged is None else result.judged.tolist(),
            "blend": result.blend and result.blend.model_dump(mode="json"),
            "model": model and [os.path.relpath(model, self.folder), hash_model(model)],
        }

    def _result(self, spec: TrialSpec, record: Mapping[str, Any]) -> TrialResult:
        scores = {split: np.array(values, np.float64) for split, values in record["scores"].items()}
        data = spec.data(self.data)
        judged = None if record["judged"] is None else np.array(record["judged"], np.int64)
        found = TrialResult(spec, judged=judged)
        rows = {split: found.rows(data, split) for split in scores}
        if judged is not None and not np.isin(judged, data.rows("validation")).all():
            raise ValueError("the record has other rows")
        if any(len(values) != len(rows[split]) for split, values in scores.items()):
            raise ValueError("the record has other rows")
        return replace(
            found,
            outcomes={split: data.plan.outcome(values, rows[split]) for split, values in scores.items()},
            seconds=record["seconds"],
            history=record["history"] and History.from_json(record["history"]),
            cost=record["cost"] and Cost(**record["cost"]),
            error=TrainingError(record["error"]) if record["error"] else None,
            collapsed=record["collapsed"],
            threads=record["threads"],
            blend=record["blend"] and BlendRecord.model_validate(record["blend"]),
        )

    def _is_intact(self, spec: TrialSpec, record: Mapping[str, Any]) -> bool:
        """Return whether the saved model is that of the record; log it if its files are damaged."""
        assert self.folder is not None
        if not record["model"]:
            return False
        path = self.folder / record["model"][0]
        if hash_model(path) != record["model"][1] or not record["model"][1]:
            return False  # it was replaced or removed
        try:
            check_saved(path)
        except (ArtifactError, OSError) as error:
            finding = error.finding if isinstance(error, ArtifactError) else error.strerror
            self.report.log(f"? {spec.name}: trained again, because its saved model {path} is damaged: {finding}")
            return False
        return True

    def _path(self, spec: TrialSpec) -> Path:
        assert self.folder is not None
        return self.folder / FOLDER / f"{self._key(spec)}.json"

    @property
    def _models(self) -> Path:
        assert self.folder is not None
        return self.folder / FOLDER / MODELS

    def _key(self, spec: TrialSpec) -> str:
        key = [self._fingerprint, replace(spec, name="", seed=spec.seed_in(self.data.plan.config)).to_json()]
        return hash_json(key)

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint(self.data)


def forget_trials(folder: Path) -> None:
    """Remove all records of finished trials in a folder, and the models beside them."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def has_trials(folder: Path) -> bool:
    """Return whether a folder holds records of finished trials."""
    return any((folder / FOLDER).glob("*.json"))
