"""Description of a network, from which it can be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class TowerPlan:
    """Plan of a tower: its columns and their encoder. Fusions and reports call a tower a modality."""

    name: str
    columns: list[str]
    encoder: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Blueprint:
    """Description of a network in JSON values, from which it can be built."""

    towers: list[TowerPlan]
    fusion: str
    fusion_options: dict[str, Any]
    width: int
    head: str = "linear"
    head_options: dict[str, Any] = field(default_factory=dict)

    def part_names(self) -> list[str]:
        """Name the parts in messages: encoders, fusion and head, in the order of `FusionModel.parts`."""
        towers = [f"encoder {tower.encoder!r} of {tower.name!r}" for tower in self.towers]
        return [*towers, f"fusion {self.fusion!r}", f"head {self.head!r}"]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Blueprint:
        return cls(**{**content, "towers": [TowerPlan(**tower) for tower in content["towers"]]})
