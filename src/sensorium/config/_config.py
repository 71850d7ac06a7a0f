"""The tree of settings."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import BaseModel, Field, PositiveInt

from sensorium.config._layers import overlay
from sensorium.config._table import WINDOW_SPAN, TableConfig
from sensorium.config._train import TrainConfig
from sensorium.config._tree import at_full_names, walk
from sensorium.config._types import CALLER_ONLY, Choice, Fraction, Named, Strict
from sensorium.errors import ConfigError, did_you_mean, raise_together


class SplitConfig(Strict):
    """Which rows train, which validate (early stopping, choices), which test."""

    column: str | None = Field(None, description="column that names each row's split")
    group: str | None = Field(
        None,
        description="rows that share this column's value stay in one split (patient, user); with time: the groups that "
        "end last test, and with span too, rows from the period of another split than their group's are left out",
    )
    time: str | None = Field(None, description="order rows by this column: the past trains, the future tests")
    day_first: bool | None = Field(
        None, description="of a time column of text: whether 01/02/2026 is in February; read off the cells by default"
    )
    span: tuple[str, str] | None = Field(
        None, description="with time: columns that say from when to when a row reaches; splits don't overlap"
    )
    stratify: bool = Field(True, description="keep the label's proportions in every split")
    validation: Fraction = Field(0.1, description="share of rows, where no column names them")
    test: Fraction = Field(0.1, description="share of rows, where no column names them")

    @pydantic.model_validator(mode="after")
    def _leave_training_rows(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation and test add up to less than 1, else no rows are left to train on")
        if self.span and (not self.time or self.column):
            raise ValueError("span goes with time: rows that a column or a group splits are not parted in time")
        return self


class PrepareConfig(Strict):
    """Keeping decoded files, so that the next run need not decode them again."""

    store: Annotated[str, CALLER_ONLY] = Field(
        "auto", description="folder; auto: $SENSORIUM_CACHE or the user's folder for caches; none: keep nothing"
    )
    identify: Literal["stat", "content"] = Field(
        "stat", description="a file is the same by path, size and time of change, or by its content"
    )
    gigabytes: Annotated[float, Field(gt=0), CALLER_ONLY] = Field(
        20.0, description="beyond it what was not used for longest goes"
    )
    stream: bool = Field(False, description="keep nothing: decode files anew in each epoch, a batch at a time")


class Config(Strict):
    """Everything that `fit` can be told."""

    target: str | None = Field(None, description="column to predict; a list where there are several")
    task: str | None = Field(None, description="registered task; read off the target by default")
    tasks: dict[str, str] = Field({}, description="of several targets: target → registered task")
    columns: list[str] | None = Field(None, description="use only these columns")
    exclude: list[str] = Field([], description="leave these columns out")
    modalities: dict[str, Choice] = Field({}, description="column (or modality) → modality and its options")
    encoders: dict[str, Choice] = Field({}, description="column, tower or modality → encoder and its options")
    augment: dict[str, Named] = Field({}, description="column (or modality) → augmentations and their options")
    towers: dict[str, list[str]] = Field({}, description="tower → the columns that it encodes together")
    fusion: Choice = Field(Choice.of("concat"), description="fusion and its options")
    head: Choice = Field(Choice.of("linear"), description="what makes logits of the fused features, and its options")
    width: PositiveInt = Field(128, description="width D of the fused features")
    table: TableConfig = TableConfig()
    split: SplitConfig = SplitConfig()
    prepare: PrepareConfig = PrepareConfig()
    train: TrainConfig = TrainConfig()
    calibrate: Literal["auto", "temperature", "none"] = Field(
        "auto", description="scale probabilities by the validation rows; auto: where --budget chooses the model"
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        0, description="random seed: the same seed, data and machine give the same weights"
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1 …")

    @pydantic.model_validator(mode="before")
    @classmethod
    def _join_targets(cls, given: Any) -> Any:
        """Several targets are one column of objects."""
        target = given.get("target") if isinstance(given, Mapping) else None
        if not isinstance(target, list | tuple):
            return given
        names = list(dict.fromkeys(target))
        if len(names) < 2:
            return {**given, "target": names[0] if names else None}
        name = " + ".join(map(str, names))
        return overlay(given, {"target": name, "table": {"targets": {name: names}}})

    @pydantic.model_validator(mode="after")
    def _name_tasks(self) -> Self:
        """A task of a target that there is not would be a setting without effect."""
        known = [name for names in self.table.targets.values() for name in names]
        for name in self.tasks:
            if name not in known:
                raise ValueError(f"tasks.{name}: it is for several targets, and {name!r} is none of them")
        return self

    @pydantic.model_validator(mode="after")
    def _follow_windows(self) -> Self:
        """Windows know their target, and how rows that overlap in time are split."""
        windows, split = self.table.windows, self.split
        if windows:
            self.target = self.target or windows.answer
            if not (split.column or split.group) and split.time in (None, windows.time):
                self.split = split.model_copy(update={"time": windows.time, "span": split.span or WINDOW_SPAN})
        return self

    @classmethod
    def gather(cls, *layers: Mapping[str, Any]) -> Config:
        """Lay mappings over each other, later ones win, and validate.

        The name of a setting alone, such as `learning_rate`, is enough where only one is meant.

        Raises:
            ConfigError: tells all faults together, each with its key and the nearest known key.
        """
        merged: dict[str, Any] = {}
        for layer in layers:
            merged = overlay(merged, at_full_names(cls, layer))
        try:
            return cls.model_validate(merged)
        except pydantic.ValidationError as error:
            raise_together([_explain(cls, fault) for fault in error.errors()])
            raise  # pragma: no cover - a ValidationError always has faults


def _explain(model: type[BaseModel], fault: Any) -> ConfigError:
    path = [str(part) for part in fault["loc"]]
    place = ".".join(path)
    if fault["type"] == "extra_forbidden":
        known = _known_keys(model, path[:-1])
        leaves = {name.rpartition(".")[2] for name, _, _ in walk(model)} if len(path) == 1 else set()
        near = [name for name in leaves if difflib.get_close_matches(path[-1], [name])]  # it may stand alone, too
        cure = did_you_mean(path[-1], [*known, *near])
        return ConfigError(f"unknown setting {path[-1]!r}", place=place, cure=cure)
    return ConfigError(f"setting {place} can't be {fault['input']!r}", place=place, rule=fault["msg"])


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        annotation = model.model_fields[part].annotation
        kinds = [kind for kind in (annotation, *typing.get_args(annotation)) if isinstance(kind, type)]
        found = next((kind for kind in kinds if issubclass(kind, BaseModel)), None)
        if found is None:
            return []
        model = found
    return list(model.model_fields)
