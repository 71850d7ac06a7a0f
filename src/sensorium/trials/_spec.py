"""Specification of a trial in plain JSON, so that it can be recorded and run in another process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sensorium.config import Choice, Config, overlay
from sensorium.planning import PreparedTable, at_fold, cut_folds


@dataclass(frozen=True)
class TrialSpec:
    """Specification of a model to train on a prepared table; all fields are JSON values.

    Attributes:
        name: name of the trial, shown to users and used by specs that refer to it.
        towers: names of the modalities to use; None for all.
        fusion: name and options, as `Choice.model_dump` returns them; None for the fusion of the settings.
        seed: random seed of training, instead of the setting `seed`; it does not change the split.
        settings: override the settings. They cannot change the prepared table.
        towers_from: tower → name of an earlier trial whose weights it starts with; its encoder stays frozen.
        baseline: registered name of a classical model to fit instead of a network.
        fold: index of a fold, from 0, and number of folds (see `cut_folds`): the model learns from the rows of the
            fold, and its test rows are those that the fold judges. None for the split of the table.
        blended: whether the network is blended with classical models. `blending` runs such a trial, `run_trial` cannot.

    >>> from sensorium.trials import TrialSpec
    >>> spec = TrialSpec("wide", settings={"width": 256})
    >>> TrialSpec.from_json(spec.to_json()) == spec
    True
    """

    name: str
    towers: Sequence[str] | None = None
    fusion: Mapping[str, Any] | None = None
    seed: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    towers_from: Mapping[str, str] = field(default_factory=dict)
    baseline: str | None = None
    fold: Sequence[int] | None = None
    blended: bool = False

    @property
    def choice(self) -> Choice | None:
        """Return the fusion as a `Choice`, as in the settings."""
        return None if self.fusion is None else Choice.model_validate(self.fusion)

    def seed_in(self, config: Config) -> int:
        """Return the seed of the training within a run with these settings."""
        return config.seed if self.seed is None else self.seed

    def with_epochs(self, epochs: int) -> TrialSpec:
        """Return the trial with a maximum number of epochs."""
        return replace(self, settings=overlay(self.settings, {"train": {"epochs": epochs}}))

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    def data(self, data: PreparedTable) -> PreparedTable:
        """Return the table as the trial sees it: with the split of its fold, if it has one."""
        if self.fold is None:
            return data
        number, count = self.fold
        return at_fold(data, cut_folds(data.plan, count).folds[number])

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TrialSpec:
        """Restore a spec from the values of `to_json`."""
        return cls(**content)
