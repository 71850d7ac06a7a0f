"""Everything that a prediction needs, in one object: what was learnt of the columns, the network, the task."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from sensorium.config import Config
from sensorium.errors import ConfigError
from sensorium.modalities import Modality
from sensorium.model.network import (
    Blueprint,
    FusionModel,
    embed,
    infer,
)
from sensorium.prepare import Prepared
from sensorium.prepare.loader import Loader
from sensorium.split import RowCells, SeenRows
from sensorium.tasks import Task

Rows: TypeAlias = npt.NDArray[np.int64]

BATCH, LARGE_BATCH = 32, 256  # rows predicted at a time: more would fall out of a CPU's cache; on an accelerator


@dataclass(frozen=True)
class Member:
    """A network, and how sure of itself it may be.

    Attributes:
        blueprint: how it is built.
        network: the network.
        temperature: that its logits are divided by (see `calibration`).
    """

    blueprint: Blueprint
    network: FusionModel
    temperature: float

    @property
    def columns(self) -> list[str]:
        """Those that the network reads."""
        return [column for tower in self.blueprint.towers for column in tower.columns]


@dataclass
class FittedModel:
    """A model with all that goes with it.

    Attributes:
        config: the settings it was fitted with.
        target: the label column.
        kinds: column → registered name of its modality.
        learnt: column → what its modality learnt.
        task_name: registered name.
        task: what it learnt of the labels.
        prior: scores of a row with nothing to go by: the training rows' average.
        blueprint: how the network is built.
        network: the network.
        card: how it came about (rows, split, metrics, problems, history), as JSON values.
        int8: names of the network's modules whose weights have eight bits.
        temperature: that the network's logits are divided by.
        others: further networks of an ensemble, whose answer is the mean of its members' scores.
        views: those of its columns that read another column's cells → that column.
        unset: names of settings that the fit was given, that no saved model brings along, and that are not set now.
        seen: which rows it was trained on, fit by fit; empty of models that were saved without.
    """

    config: Config
    target: str
    kinds: Mapping[str, str]
    learnt: Mapping[str, Modality]
    task_name: str
    task: Task
    prior: list[float]
    blueprint: Blueprint
    network: FusionModel
    card: dict[str, Any]
    int8: Sequence[str] = ()
    temperature: float = 1.0
    others: list[Member] = field(default_factory=list)
    views: Mapping[str, str] = field(default_factory=dict)
    unset: Sequence[str] = ()
    seen: Sequence[SeenRows] = ()

    @property
    def members(self) -> list[Member]:
        """The network, then the others."""
        return [Member(self.blueprint, self.network, self.temperature), *self.others]

    @property
    def device(self) -> torch.device:
        return next(chain(self.network.parameters(), self.network.buffers())).device

    @property
    def batch(self) -> int:
        """Rows that the network is given at a time."""
        return BATCH if self.device.type == "cpu" else LARGE_BATCH

    @property
    def row_cells(self) -> RowCells:
        """The cells by which a training row is known again: those that the model reads, and the target."""
        owners = {name: self.views.get(name, name) for name in self.learnt}
        files = {owners[name] for name, modality in self.learnt.items() if modality.cacheable}
        return RowCells([*dict.fromkeys([*owners.values(), self.target])], files)

    def digest(self) -> str:
        """SHA-256 of the networks' weights."""
        found = hashlib.sha256()
        for member in self.members:
            for name, value in member.network.state_dict().items():
                found.update(name.encode() + value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        return found.hexdigest()

    def scores(self, prepared: Prepared, rows: Rows | None = None) -> npt.NDArray[np.float64]:
        """Scores of some prepared rows, of all by default; a row with no value in any column gets the prior."""
        rows = np.arange(len(prepared)) if rows is None else rows
        found = [self._scores_of(member, prepared.only(member.columns), rows) for member in self.members]
        return found[0] if len(found) == 1 else np.mean(found, axis=0)

    def _scores_of(self, member: Member, prepared: Prepared, rows: Rows) -> npt.NDArray[np.float64]:
        there = prepared.has_any()[rows]
        shape = (len(rows), len(self.prior)) if self.task.labels else (len(rows),)
        scores = np.broadcast_to(np.array(self.prior), shape).copy()
        if there.any():
            logits = infer(member.network, Loader(prepared, None, self.device), rows[there], self.batch)
            scores[there] = self.task.scores(logits / np.float32(member.temperature))
        unreadable = there & ~prepared.has_any()[rows]  # of streamed files: found out only now
        scores[unreadable] = self.prior
        return scores

    def subset_scores(
        self, prepared: Prepared, subsets: Sequence[Sequence[str]], rows: Rows | None = None
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """What the model answers when it is given some of its towers; each row is encoded once by each network.

        Args:
            prepared: columns.
            subsets: names of towers.
            rows: n of the prepared rows, all by default.

        Returns:
            Scores [subsets, n, ...], and which rows have any tower of a subset, [subsets, n]; the others get the prior.
        """
        asked = np.arange(len(prepared)) if rows is None else rows
        found = [self._subset_scores_of(m, prepared.only(m.columns), subsets, asked) for m in self.members]
        if len(found) == 1:
            return found[0]
        return np.mean([scores for scores, _ in found], axis=0), np.any([there for _, there in found], axis=0)

    def _subset_scores_of(
        self, member: Member, prepared: Prepared, subsets: Sequence[Sequence[str]], asked: Rows
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        shape = (len(subsets), len(asked), *([len(self.prior)] if self.task.labels else []))
        scores = np.broadcast_to(np.array(self.prior), shape).copy()
        there = np.zeros((len(subsets), len(asked)), dtype=bool)
        chosen = torch.tensor([[tower.name in subset for tower in member.blueprint.towers] for subset in subsets])
        some = np.flatnonzero(prepared.has_any()[asked])
        member.network.eval()
        with torch.inference_mode():
            for places, batch in Loader(prepared, None, self.device).by_length(asked[some], self.batch):
                tokens, present = member.network.encode(batch)
                for number, mask in enumerate(chosen.to(self.device)):
                    given = present & mask
                    own = some[places.numpy()][given.any(1).cpu().numpy()]
                    logits = member.network.decide(tokens, given)[given.any(1)]
                    cooled = (logits / member.temperature).float().cpu().numpy()
                    scores[number, own] = self.task.scores(cooled)
                    there[number, own] = True
        return scores, there

    def logits(self, prepared: Prepared, rows: Rows) -> npt.NDArray[np.float32]:
        """What the network says of rows that have some value, before any temperature."""
        return infer(self.network, Loader(prepared, None, self.device), rows, self.batch)

    def embed(self, prepared: Prepared, rows: Rows | None = None) -> npt.NDArray[np.float32]:
        """Compute the fused vector of some prepared rows, of all by default.

        With decision-level fusion (`late`) the vector is the fused logits, before any temperature.

        Returns:
            float32[n, width]; NaN in rows without a value in any column, which have nothing to fuse.

        Raises:
            ConfigError: the model is an ensemble, whose networks fuse into spaces of their own.
        """
        if self.others:
            raise ConfigError(
                f"an ensemble of {len(self.members)} networks has no common fused vector",
                place="embed",
                rule="a model with a single network",
                cure="fit a single network, without a budget",
            )
        rows = np.arange(len(prepared)) if rows is None else rows
        own = prepared.only(self.members[0].columns)
        found = np.full((len(rows), self.network.fusion.width), np.nan, np.float32)
        there = own.has_any()[rows]
        if there.any():
            found[there] = embed(self.network, Loader(own, None, self.device), rows[there], self.batch)
        found[there & ~own.has_any()[rows]] = np.nan  # streamed files that could not be read
        return found

    def modality_weights(self, prepared: Prepared, rows: Rows) -> dict[str, float] | None:
        """Tower → its mean weight in the fusion over some rows; None where the fusion has no weights, or several do."""
        if self.others:
            return None
        rows = rows[prepared.has_any()[rows]]
        self.network.eval()
        with torch.inference_mode():
            batches = Loader(prepared, None, self.device).by_length(rows, self.batch)
            parts = [self.network.modality_weights(batch) for _, batch in batches]
        found = [part for part in parts if part is not None]
        if not found:
            return None
        mean = torch.cat(found).mean(0).tolist()
        return {tower.name: round(share, 6) for tower, share in zip(self.blueprint.towers, mean, strict=True)}


def pick_device(name: str) -> torch.device:
    """`auto` is the first accelerator that torch sees, else the CPU.

    Raises:
        ConfigError: no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"device {name!r} can't be used: {reason}", place="device", cure="auto, cpu, cuda") from None
