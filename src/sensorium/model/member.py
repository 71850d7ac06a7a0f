"""Members of a fitted model, which predict scores from prepared columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensorium.model._blueprint import Blueprint
from sensorium.model._run_network import infer
from sensorium.model.inputs import Inputs
from sensorium.model.network import FusionModel
from sensorium.model.work import prediction_work
from sensorium.prepare import Prepared
from sensorium.prepare.loader import Loader
from sensorium.table import Rows
from sensorium.tasks import Task, Temperature

Scores: TypeAlias = npt.NDArray[np.float64]
Present: TypeAlias = npt.NDArray[np.bool_]

Kind: TypeAlias = Literal["network", "estimator"]

BATCH, LARGE_BATCH = 32, 256  # rows predicted at a time on a CPU, whose cache holds no more, and on an accelerator

COUNTED = 4  # rows by which the work per row is estimated


class Member(Protocol):
    """Member of a fitted model, whose scores are averaged with those of the others (see `blend`)."""

    @property
    def kind(self) -> Kind:
        """Kind of the member: a network, or a classical estimator."""

    @property
    def name(self) -> str:
        """Name of the member in reports."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of the columns that it reads."""

    @property
    def towers(self) -> Collection[str]:
        """Names of the modalities that it can be restricted to."""

    @property
    def tower_columns(self) -> Mapping[str, Sequence[str]]:
        """Modality that it can be restricted to → its columns."""

    @property
    def temperature(self) -> Temperature:
        """Divisor of its logits or log-probabilities, one per target if there are several (see `calibration`)."""

    def scores(self, task: Task, inputs: Inputs) -> Scores:
        """Predict the task's scores for rows that have a value in some of its columns, [n, ...].

        Args:
            task: the task of the scores.
            inputs: n rows of its columns.
        """

    def subset_scores(self, task: Task, inputs: Inputs, subsets: Sequence[Sequence[str]]) -> tuple[Scores, Present]:
        """Predict from some of its towers.

        Args:
            task, inputs: as for `scores`; the rows may be without any value.
            subsets: names of towers.

        Returns:
            Scores [subsets, n, ...], and whether a row has any tower of a subset, [subsets, n]. Scores of rows that
            have none are undefined.
        """

    @property
    def parameters(self) -> int:
        """Number of trained parameters."""

    def weights(self) -> Mapping[str, Tensor]:
        """Return its weights by name."""

    def uncalibrated(self) -> Member:
        """Return the same member without temperature scaling."""


@dataclass(frozen=True)
class NetworkMember:
    """Network with its temperature.

    Attributes:
        blueprint: the description of the network.
        network: the network.
        temperature: the divisor of its logits, one per target if there are several (see `calibration`).
        name: name of the member in reports.
        int8: names of the network's quantized modules.
    """

    blueprint: Blueprint
    network: FusionModel
    temperature: Temperature = 1.0
    name: str = "network"
    int8: Sequence[str] = ()

    @property
    def kind(self) -> Kind:
        return "network"

    @property
    def columns(self) -> list[str]:
        return [column for tower in self.blueprint.towers for column in tower.columns]

    @property
    def towers(self) -> list[str]:
        return [tower.name for tower in self.blueprint.towers]

    @property
    def tower_columns(self) -> dict[str, list[str]]:
        return {tower.name: tower.columns for tower in self.blueprint.towers}

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.network.parameters() if parameter.requires_grad)

    @property
    def device(self) -> torch.device:
        return next(chain(self.network.parameters(), self.network.buffers())).device

    @property
    def batch(self) -> int:
        """Number of rows per batch of the network."""
        return BATCH if self.device.type == "cpu" else LARGE_BATCH

    def logits(self, prepared: Prepared, rows: Rows) -> npt.NDArray[np.float32]:
        """Compute logits before temperature scaling, for rows that have some value."""
        return infer(self.network, Loader(prepared, None, self.device), rows, self.batch)

    def work(self, prepared: Prepared) -> int:
        """Return the work of predicting a batch of the prepared rows, in multiply-adds."""
        rows = np.flatnonzero(prepared.has_any())
        batches = Loader(prepared, None, self.device).by_length(rows[:COUNTED], COUNTED) if len(rows) else ()
        _, batch = next(iter(batches), (None, None))
        return prediction_work(self.network, batch, min(len(rows), self.batch)) if batch else 0

    def scores(self, task: Task, inputs: Inputs) -> Scores:
        return task.scores(task.scaled(self.logits(inputs.prepared, inputs.rows), self.temperature))

    def subset_scores(self, task: Task, inputs: Inputs, subsets: Sequence[Sequence[str]]) -> tuple[Scores, Present]:
        """Predict from some of its towers; each row is encoded once for all subsets."""
        shape = (len(subsets), len(inputs), *([len(task.labels)] if task.labels else []))
        scores, there = np.zeros(shape), np.zeros((len(subsets), len(inputs)), dtype=bool)
        chosen = torch.tensor([[name in subset for name in self.towers] for subset in subsets])
        some, loader = np.flatnonzero(inputs.has_any()), Loader(inputs.prepared, None, self.device)
        self.network.eval()
        with torch.inference_mode():
            for places, batch in loader.by_length(inputs.rows[some], self.batch):
                tokens, present = self.network.encode(batch)
                for number, mask in enumerate(chosen.to(self.device)):
                    given = present & mask
                    own = some[places.numpy()][given.any(1).cpu().numpy()]
                    logits = self.network.decide(tokens, given)[given.any(1)]
                    cooled = task.scaled(logits.float(), self.temperature).cpu().numpy()
                    scores[number, own] = task.scores(cooled)
                    there[number, own] = True
        return scores, there

    def weights(self) -> Mapping[str, Tensor]:
        return self.network.state_dict()

    def uncalibrated(self) -> NetworkMember:
        return replace(self, temperature=1.0)

    def modality_weights(self, prepared: Prepared, rows: Rows) -> dict[str, float] | None:
        """Compute each tower's mean weight in the fusion over some rows; None if the fusion has no weights."""
        rows = rows[prepared.has_any()[rows]]
        self.network.eval()
        with torch.inference_mode():
            batches = Loader(prepared, None, self.device).by_length(rows, self.batch)
            parts = [self.network.modality_weights(batch) for _, batch in batches]
        found = [part for part in parts if part is not None]
        if not found:
            return None
        mean = torch.cat(found).mean(0).tolist()
        return {name: round(share, 6) for name, share in zip(self.towers, mean, strict=True)}
