"""Contents of `model.json` and `manifest.json`, validated before anything is built from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from sensorium.errors import ArtifactError
from sensorium.files.state import explain
from sensorium.model.card import DataSpec, ModelCard
from sensorium.split.seen_rows import DIGITS, FITS, MOST

Name = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Name], Field(min_length=1)]
Width = Annotated[int, Field(gt=0, le=1_000_000)]
Temperature = Annotated[float, Field(ge=1e-3, le=1e3)]  # beyond these, logits are infinite or all the same
Temperatures = Temperature | Annotated[list[Temperature], Field(min_length=1)]  # one, or one per target
HALF = re.compile("[\ud800-\udfff]")  # half a character, which no encoding can write
MANY = 10_000  # members of an ensemble
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


class SavedMember(Part):
    """Additional network of an ensemble, and its temperature."""

    network: SavedNetwork
    temperature: Temperatures


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


class SavedModel(Part):
    """Content of `model.json`."""

    target: str
    columns: Annotated[list[SavedColumn], Field(min_length=1)]
    views: dict[str, str] | None = None
    task: SavedTask
    network: SavedNetwork
    temperature: Temperatures
    others: Annotated[list[SavedMember], Field(max_length=MANY)]
    config: dict[str, Any]
    card: ModelCard
    data: DataSpec
    int8: list[Name] = []
    caller_settings: list[Name] = []
    seen: Annotated[list[SavedSeen], Field(max_length=FITS)] = []

    @pydantic.model_validator(mode="after")
    def _name_each_once(self) -> SavedModel:
        _once([column.name for column in self.columns], "column")
        names = {column.name for column in self.columns}
        for view in self.views or {}:
            if view not in names:
                raise ValueError(f"the view {view!r} is not a column")
        for member in [self.network, *(other.network for other in self.others)]:
            _once([tower.name for tower in member.towers], "tower")
            _once([column for tower in member.towers for column in tower.columns], "column of the towers")
            unknown = {column for tower in member.towers for column in tower.columns} - names
            if unknown:
                raise ValueError(f"towers read columns that the model lacks: {', '.join(sorted(unknown))}")
        return self

    @pydantic.model_validator(mode="after")
    def _hold_whole_characters(self) -> SavedModel:
        """Reject lone surrogates, except in paths (in the card and in encoders), which may contain them."""
        config = {name: value for name, value in self.config.items() if name != "encoders"}
        columns = [column.model_dump() for column in self.columns]
        for text in _texts([self.target, columns, self.views, self.task.state, config]):
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
