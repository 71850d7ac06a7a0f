"""Fitted model: modalities of the columns, members that predict, and the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch

from sensorium.config import Config
from sensorium.encoders import hash_weights
from sensorium.errors import ConfigError
from sensorium.modalities import Modality
from sensorium.model._blueprint import Blueprint
from sensorium.model._run_network import embed
from sensorium.model.card import DataSpec, ModelCard
from sensorium.model.member import Member, NetworkMember, Present, Scores
from sensorium.model.network import FusionModel
from sensorium.prepare import Prepared
from sensorium.prepare.loader import Loader
from sensorium.split import RowCells, SeenRows
from sensorium.table import Rows
from sensorium.tasks import Task, Temperature, prior_scores


@dataclass
class FittedModel:
    """Fitted model with everything that a prediction needs.

    Attributes:
        config: the settings it was fitted with.
        target: the label column.
        kinds: column → registered name of its modality.
        learnt: column → fitted modality.
        task_name: registered name.
        task: the fitted task.
        prior: scores of a row without any value, the average of the training rows.
        blueprint: the description of the network.
        network: the network.
        card: the model card: columns, metrics, problems, history.
        data: the data specification: how tables are read, and which rows it was trained on.
        int8: names of the network's quantized modules.
        temperature: the divisor of the network's logits, one per target if there are several.
        others: further members of an ensemble, whose scores are averaged with those of the network.
        views: column that reads another column's cells → that column.
        unset: names of settings of the fit that are not saved with models and are not set now.
        seen: hashes of the training rows of each fit; empty in models of early versions.
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
    card: ModelCard = field(default_factory=ModelCard)
    data: DataSpec = field(default_factory=DataSpec)
    int8: Sequence[str] = ()
    temperature: Temperature = 1.0
    others: list[Member] = field(default_factory=list)
    views: Mapping[str, str] = field(default_factory=dict)
    unset: Sequence[str] = ()
    seen: Sequence[SeenRows] = ()

    @property
    def first(self) -> NetworkMember:
        """Return the network as a member."""
        return NetworkMember(self.blueprint, self.network, self.temperature)

    @property
    def members(self) -> list[Member]:
        """Return the members: the network, then the others."""
        return [self.first, *self.others]

    @property
    def networks(self) -> list[FusionModel]:
        """Return the networks of the members that have one."""
        return [member.network for member in self.members if isinstance(member, NetworkMember)]

    @property
    def device(self) -> torch.device:
        return self.first.device

    @property
    def batch(self) -> int:
        """Number of rows per batch of the network."""
        return self.first.batch

    @property
    def row_cells(self) -> RowCells:
        """Return the columns that identify a training row: those that the model reads, and the target."""
        owners = {name: self.views.get(name, name) for name in self.learnt}
        files = {owners[name] for name, modality in self.learnt.items() if modality.cacheable}
        return RowCells([*dict.fromkeys([*owners.values(), self.target])], files)

    def digest(self) -> str:
        """Compute the SHA-256 of everything that the members learned."""
        return hash_weights(*(member.weights() for member in self.members))

    def uncalibrated(self) -> FittedModel:
        """Return the same model without temperature scaling."""
        return replace(self, temperature=1.0, others=[member.uncalibrated() for member in self.others])

    def scores(self, prepared: Prepared, rows: Rows | None = None) -> Scores:
        """Average the members' scores of some prepared rows, of all by default.

        For a member, a row with no value in any of its columns gets the prior.
        """
        rows = np.arange(len(prepared)) if rows is None else rows
        found = [self._scores_of(member, prepared.only(member.columns), rows) for member in self.members]
        return found[0] if len(found) == 1 else np.mean(found, axis=0)

    def _scores_of(self, member: Member, prepared: Prepared, rows: Rows) -> Scores:
        there = prepared.has_any()[rows]
        scores = self.prior_scores(len(rows))
        if there.any():
            scores[there] = member.scores(self.task, prepared, rows[there])
        unreadable = there & ~prepared.has_any()[rows]  # streamed files are found unreadable only now
        scores[unreadable] = self.prior
        return scores

    def subset_scores(
        self, prepared: Prepared, subsets: Sequence[Sequence[str]], rows: Rows | None = None
    ) -> tuple[Scores, Present]:
        """Predict from some of the towers.

        Args:
            prepared: columns.
            subsets: names of towers.
            rows: n of the prepared rows, all by default.

        Returns:
            Scores [subsets, n, ...], and whether a row has any tower of a subset, [subsets, n]; other rows get the
            prior.
        """
        rows = np.arange(len(prepared)) if rows is None else rows
        found = [self._subset_scores_of(m, prepared.only(m.columns), subsets, rows) for m in self.members]
        if len(found) == 1:
            return found[0]
        return np.mean([scores for scores, _ in found], axis=0), np.any([there for _, there in found], axis=0)

    def _subset_scores_of(
        self, member: Member, prepared: Prepared, subsets: Sequence[Sequence[str]], rows: Rows
    ) -> tuple[Scores, Present]:
        scores, there = member.subset_scores(self.task, prepared, subsets, rows)
        scores[~there] = self.prior_scores(int((~there).sum()))
        return scores, there

    def prior_scores(self, rows: int) -> Scores:
        """Return the prior as the scores of `rows` rows."""
        return prior_scores(self.task, self.prior, rows)

    def logits(self, prepared: Prepared, rows: Rows) -> npt.NDArray[np.float32]:
        """Compute the network's logits before temperature scaling, for rows that have some value."""
        return self.first.logits(prepared, rows)

    def embed(self, prepared: Prepared, rows: Rows | None = None) -> npt.NDArray[np.float32]:
        """Compute the fused vector of some prepared rows, of all by default.

        With decision-level fusion (`late`) the vector is the fused logits, before any temperature.

        Returns:
            float32[n, width]; NaN in rows without a value in any column, which have nothing to fuse.

        Raises:
            ConfigError: the model is an ensemble, whose networks have no common embedding space.
        """
        if self.others:
            raise ConfigError(
                f"an ensemble of {len(self.members)} networks has no common fused vector",
                place="embed",
                rule="a model with a single network",
                cure="fit a single network, without a budget",
            )
        rows = np.arange(len(prepared)) if rows is None else rows
        own = prepared.only(self.first.columns)
        found = np.full((len(rows), self.network.fusion.width), np.nan, np.float32)
        there = own.has_any()[rows]
        if there.any():
            found[there] = embed(self.network, Loader(own, None, self.device), rows[there], self.batch)
        found[there & ~own.has_any()[rows]] = np.nan  # streamed files that could not be read
        return found

    def work(self, prepared: Prepared) -> int:
        """Return the work of predicting a batch of some prepared rows, in multiply-adds of the largest network."""
        return max(m.work(prepared.only(m.columns)) for m in self.members if isinstance(m, NetworkMember))

    def modality_weights(self, prepared: Prepared, rows: Rows) -> dict[str, float] | None:
        """Compute each tower's mean weight in the fusion; None if the fusion has no weights, or there are several."""
        return None if self.others else self.first.modality_weights(prepared, rows)


def pick_device(name: str) -> torch.device:
    """Return a torch device; `auto` selects the first accelerator, else the CPU.

    Raises:
        ConfigError: the device is not available.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"cannot use device {name!r}: {reason}", place="device", cure="auto, cpu, cuda") from None
