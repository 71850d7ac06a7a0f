"""Fitted model: modalities of the columns, members that predict, and the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sensorium.config import Config
from sensorium.conformal import Conformal, Presence
from sensorium.encoders import hash_weights
from sensorium.errors import ConfigError, list_names
from sensorium.modalities import Modality
from sensorium.model._blend import Pool, Pooling, check_weights, equal_weights
from sensorium.model._blueprint import Blueprint
from sensorium.model._run_network import embed
from sensorium.model.card import DataSpec, MemberRecord, ModelCard
from sensorium.model.inputs import Inputs
from sensorium.model.member import Member, NetworkMember, Present, Scores
from sensorium.model.network import FusionModel
from sensorium.prepare import Prepared
from sensorium.prepare.loader import Loader
from sensorium.split import RowCells, SeenRows
from sensorium.table import Rows
from sensorium.tasks import Task, Temperature, prior_scores

ONE_NETWORK = "fit the model with --preset fast (Python: preset='fast') and without a budget: it is one network then"


@dataclass
class FittedModel:
    """Fitted model with everything that a prediction needs.

    Its score of a row combines the scores of its members: networks and classical estimators. A model of one network is
    the simplest case. An ensemble is a mean with equal weights. A blend has weights that were chosen: of a mean of
    amounts, or of the evidence for classes.

    Attributes:
        config: the settings it was fitted with.
        target: the label column.
        kinds: column → registered name of its modality.
        learnt: column → fitted modality.
        task_name: registered name.
        task: the fitted task.
        prior: scores of a row without any value, the average of the training rows.
        members: the members, each with its own temperature.
        member_weights: weight of each member, above 0; those of a mean sum to 1. Equal weights by default.
        card: the model card: columns, metrics, problems, history.
        data: the data specification: how tables are read, and which rows it was trained on.
        pooling: how scores are combined: by a weighted mean, or by the log of probabilities (see `Task.pooled`).
        blend_temperature: the divisor of the log-probabilities of several members together, one per target if there are
            several; 1 for a single member.
        prior_share: share s of the prior in the scores (1 − s) · own + s · prior, one per target if there are several;
            above 0 only where calibration alone leaves a log loss above that of the prior.
        views: column that reads another column's cells → that column.
        unset: names of settings of the fit that are not saved with models and are not set now.
        seen: hashes of the training rows of each fit; empty in models of early versions.
        conformal: target, or "" if there is one only → its conformal predictor; empty in models of early versions.

    Raises:
        ConfigError: the weights do not fit the members.
    """

    config: Config
    target: str
    kinds: Mapping[str, str]
    learnt: Mapping[str, Modality]
    task_name: str
    task: Task
    prior: list[float]
    members: Sequence[Member]
    member_weights: Sequence[float] = ()
    card: ModelCard = field(default_factory=ModelCard)
    data: DataSpec = field(default_factory=DataSpec)
    pooling: Pooling = "mean"
    blend_temperature: Temperature = 1.0
    prior_share: Temperature = 0.0
    views: Mapping[str, str] = field(default_factory=dict)
    unset: Sequence[str] = ()
    seen: Sequence[SeenRows] = ()
    conformal: Mapping[str, Conformal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.member_weights = list(self.member_weights) or equal_weights(len(self.members))
        check_weights(self.members, self.member_weights, self.pooling)

    @property
    def first(self) -> NetworkMember:
        """Return the first member that is a network.

        Raises:
            ConfigError: the model has no network.
        """
        for member in self.members:
            if isinstance(member, NetworkMember):
                return member
        raise ConfigError(
            f"the model has no network: its members are {list_names([member.name for member in self.members])}",
            place="model",
            rule="a model with a network",
            cure=ONE_NETWORK,
        )

    @property
    def blueprint(self) -> Blueprint:
        """Return the description of the first network; raise ConfigError if there is none."""
        return self.first.blueprint

    @property
    def network(self) -> FusionModel:
        """Return the first network; raise ConfigError if there is none."""
        return self.first.network

    @property
    def pool(self) -> Pool:
        """How the scores of the members are combined."""
        return Pool(self.task, self.pooling, self.prior)

    @property
    def temperature(self) -> Temperature:
        """Return the temperature of the first network; raise ConfigError if there is none."""
        return self.first.temperature

    @property
    def networks(self) -> list[FusionModel]:
        """Return the networks of the members that have one."""
        return [member.network for member in self.members if isinstance(member, NetworkMember)]

    @property
    def int8(self) -> list[str]:
        """Names of the quantized modules of all networks."""
        return [name for member in self.members if isinstance(member, NetworkMember) for name in member.int8]

    @property
    def towers(self) -> list[str]:
        """Names of the modalities of all members, each once."""
        return list(dict.fromkeys(name for member in self.members for name in member.towers))

    def presence(self, present: Mapping[str, npt.NDArray[np.bool_]]) -> Presence:
        """Return which modalities rows have, from column → bool[n], whether they have a value there."""
        return Presence.of(self.tower_columns, present)

    @property
    def tower_columns(self) -> dict[str, list[str]]:
        """Modality → its columns, of all members."""
        found: dict[str, list[str]] = {name: [] for name in self.towers}
        for member in self.members:
            for name, columns in member.tower_columns.items():
                found[name] = list(dict.fromkeys([*found[name], *columns]))
        return found

    @property
    def device(self) -> torch.device:
        """Device of the networks; the CPU if there is none."""
        return self.first.device if self.networks else torch.device("cpu")

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

    def member_records(self) -> list[MemberRecord]:
        """Return name, kind, weight (as a share of all) and modalities of each member."""
        total = sum(self.member_weights) if self.pooling == "log" else 1.0
        return [
            MemberRecord(name=own.name, kind=own.kind, weight=float(weight / total), modalities=list(own.towers))
            for own, weight in zip(self.members, self.member_weights, strict=True)
        ]

    def check_single_network(self, action: str) -> None:
        """Check that the model is one network, for what is not defined for a blend or an ensemble.

        Args:
            action: what needs it, such as `adapt`, for the message.

        Raises:
            ConfigError: the model has several members, or no network.
        """
        if len(self.members) > 1 or not self.networks:
            raise ConfigError(
                f"cannot {action} a model with the members {list_names([member.name for member in self.members])}",
                place="model",
                rule="a model with a single network",
                cure=ONE_NETWORK,
            )

    def with_first(self, **changes: Any) -> FittedModel:
        """Return the model with changed attributes of its first network, such as `network` or `temperature`."""
        first = self.first
        changed = [replace(first, **changes) if member is first else member for member in self.members]
        return replace(self, members=changed)

    def digest(self) -> str:
        """Compute the SHA-256 of everything that the members learned."""
        return hash_weights(*(member.weights() for member in self.members))

    def uncalibrated(self) -> FittedModel:
        """Return the same model without temperature scaling and without a share of the prior."""
        members = [member.uncalibrated() for member in self.members]
        return replace(self, members=members, blend_temperature=1.0, prior_share=0.0)

    def scores(self, prepared: Prepared, rows: Rows | None = None) -> Scores:
        """Combine the members' scores of some prepared rows, of all by default.

        A member that has no value in any of its columns does not count in a row; a row where none has one gets the
        prior.
        """
        inputs = self._inputs(prepared, rows)
        found = [self._scores_of(member, inputs.only(member.columns)) for member in self.members]
        return self._finished(*self._combined(found))

    def _inputs(self, prepared: Prepared, rows: Rows | None) -> Inputs:
        """Return rows to predict, all by default; what several estimators read is summarized once."""
        rows = np.arange(len(prepared)) if rows is None else rows
        estimators = [member for member in self.members if member.kind == "estimator"]
        return Inputs.of(prepared, rows, [name for member in estimators for name in member.columns])

    def _scores_of(self, member: Member, inputs: Inputs) -> tuple[Scores, Present]:
        """Return the scores of a member, and whether it has a value in each row."""
        there = inputs.has_any()
        scores = self.prior_scores(len(inputs))
        if there.any():
            scores[there] = member.scores(self.task, inputs.at(there))
        return scores, there & inputs.has_any()  # streamed files are found unreadable only now

    def _combined(self, found: Sequence[tuple[Scores, Present]]) -> tuple[Scores, Present]:
        """Combine scores of the members, and return whether any has a value in each row."""
        scores, present = [own for own, _ in found], [there for _, there in found]
        return self.pool.combine(scores, present, self.member_weights)

    def _finished(self, combined: Scores, there: Present) -> Scores:
        """Return calibrated scores; rows without any value get the prior."""
        scores = self.task.mixed(self.task.tempered(combined, self.blend_temperature), self.prior, self.prior_share)
        scores[~there] = self.prior
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
        inputs = self._inputs(prepared, rows)
        found = [m.subset_scores(self.task, inputs.only(m.columns), subsets) for m in self.members]
        combined, there = self._combined(found)
        return np.stack([self._finished(*own) for own in zip(combined, there, strict=True)]), there

    def prior_scores(self, rows: int) -> Scores:
        """Return the prior as the scores of `rows` rows."""
        return prior_scores(self.task, self.prior, rows)

    def logits(self, prepared: Prepared, rows: Rows) -> npt.NDArray[np.float32]:
        """Compute the first network's logits before temperature scaling, for rows that have some value."""
        return self.first.logits(prepared, rows)

    def embed(self, prepared: Prepared, rows: Rows | None = None) -> npt.NDArray[np.float32]:
        """Compute the fused vector of some prepared rows, of all by default, with the network of the model.

        With decision-level fusion (`late`) the vector is the fused logits, before any temperature.

        Returns:
            float32[n, width]; NaN in rows without a value in any column, which have nothing to fuse.

        Raises:
            ConfigError: the model has several networks, which have no common embedding space, or none.
        """
        if len(self.networks) > 1:
            raise ConfigError(
                f"an ensemble of {len(self.networks)} networks has no common fused vector",
                place="embed",
                rule="a model with a single network",
                cure=ONE_NETWORK,
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
        networks = [member for member in self.members if isinstance(member, NetworkMember)]
        return max((member.work(prepared.only(member.columns)) for member in networks), default=0)

    def modality_weights(self, prepared: Prepared, rows: Rows) -> dict[str, float] | None:
        """Compute each tower's mean weight in the fusion of a single network; None if the fusion has no weights, or if
        there are several members.
        """
        return self.first.modality_weights(prepared, rows) if len(self.members) == 1 and self.networks else None


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
