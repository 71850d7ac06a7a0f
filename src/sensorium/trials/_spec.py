"""What is to be trained: plain JSON, so that a trial can be recognised again and run in another process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sensorium.config import Choice


@dataclass(frozen=True)
class TrialSpec:
    """What tells one model of a prepared table from another; all fields are JSON values.

    Attributes:
        name: for people, and for specs that refer to this one.
        towers: names of the modalities to use; None for all.
        fusion: name and options, as `Choice.model_dump` gives them; None for that of the settings.
        seed: random seed of weights, order of rows and draws, instead of that of the settings; the split stays.
        settings: laid over the settings. What was prepared stays.
        towers_from: tower → name of an earlier trial whose weights it starts with; its encoder stays frozen.
        baseline: registered name of a classical model to fit instead of a network.

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

    @property
    def choice(self) -> Choice | None:
        """The fusion as the settings hold one."""
        return None if self.fusion is None else Choice.model_validate(self.fusion)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TrialSpec:
        """Return the spec that `to_json` gave."""
        return cls(**content)
