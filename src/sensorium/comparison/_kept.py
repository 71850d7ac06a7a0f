"""Networks that an earlier comparison of the same rows and settings finished: they are taken, not trained again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sensorium import __version__
from sensorium.artifact import write_file
from sensorium.comparison._plan import Candidate
from sensorium.comparison._result import Cost
from sensorium.comparison._trial import Trial
from sensorium.experiment import Experiment, hash_columns, hash_state
from sensorium.files.caches import seal, unseal
from sensorium.prepare import hash_arrays
from sensorium.prepare.streamed import Streamed

FOLDER, MANIFEST = ".finished", "manifest.json"


@dataclass(frozen=True)
class Kept:
    """Records of finished trainings, one file each, written whole once the model is saved: a kill loses one at most.

    A record counts only for the same table, prepared arrays and what was learnt of them, labels, split, settings, seed
    and versions, and (where its model was saved) as long as that very model is still there. Modules of the user's own
    and a teacher can't be told apart, and streamed cells are not known beforehand: with these nothing is kept.
    """

    experiment: Experiment
    out: Path

    @cached_property
    def works(self) -> bool:
        streamed = any(isinstance(found, Streamed) for found in self.experiment.prepared.columns.values())
        return not (self.experiment.modules or streamed or self.experiment.config.train.teacher)

    def find(self, candidate: Candidate, saved: bool) -> Trial | None:
        """The training of this candidate, if it was finished; `saved`: its model has to be there as well."""
        path = self._path(candidate) if self.works else None
        try:
            found = unseal(path.read_bytes()) if path else None
        except (OSError, ValueError):
            return None
        if found is None or (saved and found["model"] != (self._model(candidate) or None)):
            return None
        return Trial(np.array(found["scores"]), found["validation"], Cost(**found["cost"]))

    def keep(self, candidate: Candidate, trial: Trial, saved: bool) -> None:
        """Write the record; `saved`: the model in the candidate's folder is that of this training."""
        if not self.works:
            return
        path = self._path(candidate)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "model": self._model(candidate) if saved else "",
            "scores": trial.scores.tolist(),
            "validation": trial.validation,
            "cost": asdict(trial.cost),
        }
        write_file(path, seal(content))

    def _path(self, candidate: Candidate) -> Path:
        variant = candidate.variant
        fusion = variant.fusion.model_dump(mode="json") if variant.fusion else None
        told: list[Any] = [self._experiment, candidate.modalities, variant.seed, fusion]
        return self.out / FOLDER / f"{hashlib.sha256(json.dumps(told).encode()).hexdigest()}.json"

    def _model(self, candidate: Candidate) -> str:
        """Of the model that lies in the candidate's folder."""
        path = self.out / candidate.name / MANIFEST
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""

    @cached_property
    def _experiment(self) -> str:
        job = self.experiment
        settings = [job.config.model_dump(mode="json", exclude={"prepare", "seed"}), job.blueprint.to_json()]
        found = hashlib.sha256(json.dumps([*settings, __version__, torch.__version__, str(job.device)]).encode())
        found.update(job.fingerprint.encode())
        found.update(json.dumps([hash_columns(job, job.prepared.columns), hash_state(job.task)]).encode())
        found.update(hash_arrays((job.target, job.split.codes[job.used])).encode())
        return found.hexdigest()
