"""Contents of `model.json` and `manifest.json`, validated before anything is built from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from sensorium.errors import ArtifactError
from sensorium.files.state import explain
from sensorium.model import HIGHEST_TEMPERATURE, LOWEST_TEMPERATURE, ROUNDING, Pooling
from sensorium.model.card import DataSpec, ModelCard
from sensorium.split.seen_rows import DIGITS, FITS, MOST

Name = Annotated[str, Field(min_length=1, max_length=1000)]  # messages quote it
Names = Annotated[list[Name], Field(min_length=1)]
Width = Annotated[int, Field(gt=0, le=1_000_000)]
Temperature = Annotated[float, Field(ge=LOWEST_TEMPERATURE, le=HIGHEST_TEMPERATURE)]
Temperatures = Temperature | Annotated[list[Temperature], Field(min_length=1)]  # one, or one per target
HALF = re.compile("[\ud800-\udfff]")  # half a character, which no encoding can write
PriorShare = Annotated[float, Field(ge=0, le=1)]  # of the class frequencies in the scores
Weight = Annotated[float, Field(gt=0, le=1000)]  # of a member; those of a mean sum to 1
MANY = 10_000  # members of a model
Kind = TypeVar("Kind", bound=BaseModel)


class Part(BaseModel):
    """Part of a JSON file. Unknown keys and values of another type are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class FileEntry(Part):
    """Entry of one file in the manifest."""

    bytes: NonNegativeInt
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SavedColumn(Part):
    """State of the modality of a column, without its arrays."""

    name: str
    modality: Name
    state: dict[str, Any]


class SavedTask(Part):
    """State of the task, without its arrays."""

    name: Name
    state: dict[str, Any]
    prior: Annotated[list[float], Field(min_length=1)]


class SavedTower(Part):
    """Plan of a tower."""

    name: str
    columns: Annotated[list[str], Field(min_length=1)]
    encoder: Name
    options: dict[str, Any] = {}


class SavedNetwork(Part):
    """Plan of a network."""

    towers: Annotated[list[SavedTower], Field(min_length=1)]
    fusion: Name
    fusion_options: dict[str, Any]
    width: Width
    head: Name = "linear"
    head_options: dict[str, Any] = {}


class SavedNetworkMember(Part):
    """Network as a member; its weights are in another file."""

    kind: Literal["network"]
    name: Name
    weight: Weight
    temperature: Temperatures
    network: SavedNetwork
    int8: list[Name] = []

    @property
    def columns(self) -> list[str]:
        return [column for tower in self.network.towers for column in tower.columns]

    @property
    def modalities(self) -> list[str]:
        return [tower.name for tower in self.network.towers]


class SavedEstimator(Part):
    """Classical estimator as a member, without its arrays.

    Attributes:
        name: registered name of the baseline.
        towers: modality → its columns.
        state: what the estimator learned.
    """

    kind: Literal["estimator"]
    name: Name
    weight: Weight
    temperature: Temperatures
    towers: Annotated[dict[str, Annotated[list[str], Field(min_length=1)]], Field(min_length=1)]
    state: dict[str, Any]

    @property
    def columns(self) -> list[str]:
        return [column for columns in self.towers.values() for column in columns]

    @property
    def modalities(self) -> list[str]:
        return list(self.towers)


SavedMember = Annotated[SavedNetworkMember | SavedEstimator, Field(discriminator="kind")]


class SavedSeen(Part):
    """Hashes of the training rows of one fit, in hexadecimal."""

    rows: NonNegativeInt
    chance: Annotated[float, Field(ge=0, le=1)]
    hashes: Annotated[str, Field(max_length=DIGITS * MOST, pattern=f"^([0-9a-f]{{{DIGITS}}})*$")]

    @pydantic.model_validator(mode="after")
    def _count(self) -> SavedSeen:
        if len(self.hashes) > DIGITS * self.rows:
            raise ValueError(f"{len(self.hashes) // DIGITS} hashes of {self.rows} training rows")
        return self


class SavedConformal(Part):
    """State of the conformal predictor of a target, without its arrays."""

    target: str
    state: dict[str, Any]


class SavedModel(Part):
    """Content of `model.json`."""

    target: str
    columns: Annotated[list[SavedColumn], Field(min_length=1)]
    views: dict[str, str] | None = None
    task: SavedTask
    members: Annotated[list[SavedMember], Field(min_length=1, max_length=MANY)]
    pooling: Pooling = "mean"
    temperature: Temperatures
    prior_share: PriorShare | Annotated[list[PriorShare], Field(min_length=1)] = 0.0  # one, or one per target
    config: dict[str, Any]
    card: ModelCard
    data: DataSpec
    caller_settings: list[Name] = []
    seen: Annotated[list[SavedSeen], Field(max_length=FITS)] = []
    conformal: list[SavedConformal] = []

    @pydantic.model_validator(mode="after")
    def _name_each_once(self) -> SavedModel:
        _once([column.name for column in self.columns], "column")
        names = {column.name for column in self.columns}
        for view in self.views or {}:
            if view not in names:
                raise ValueError(f"the view {view!r} is not a column")
        for member in self.members:
            _once(member.modalities, "tower")
            _once(member.columns, "column of the towers")
            if unknown := {*member.columns} - names:
                raise ValueError(f"towers read columns that the model lacks: {', '.join(sorted(unknown))}")
        return self

    @pydantic.model_validator(mode="after")
    def _weigh_members(self) -> SavedModel:
        if self.pooling == "mean" and abs(sum(member.weight for member in self.members) - 1) > ROUNDING:
            raise ValueError("the weights of the members do not sum to 1")
        return self

    @pydantic.model_validator(mode="after")
    def _hold_whole_characters(self) -> SavedModel:
        """Reject lone surrogates, except in paths (in the card and in encoders), which may contain them."""
        config = {name: value for name, value in self.config.items() if name != "encoders"}
        columns = [column.model_dump() for column in self.columns]
        estimators = [[member.towers, member.state] for member in self.members if isinstance(member, SavedEstimator)]
        for text in _texts([self.target, columns, self.views, self.task.state, config, estimators]):
            if HALF.search(text):
                raise ValueError(f"{text[:50]!r} contains half of a character (a lone surrogate)")
        return self


def parse(kind: type[Kind], content: Mapping[str, Any], place: str) -> Kind:
    """Check the content of a file.

    Raises:
        ArtifactError: an entry is missing, unknown, of another type or out of bounds.
    """
    try:
        return kind.model_validate(content)
    except pydantic.ValidationError as error:
        raise ArtifactError(f"the content is not valid: {explain(error)}", place=place) from None


def _texts(value: Any) -> Iterator[str]:
    """Yield every string in JSON values, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from _texts(pair)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _once(names: list[str], what: str) -> None:
    if len(set(names)) < len(names):
        raise ValueError(f"a {what} occurs twice")
