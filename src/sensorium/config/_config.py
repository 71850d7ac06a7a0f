"""The tree of settings."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import BaseModel, Field

from sensorium.config._layers import check_tree, overlay
from sensorium.config._renamed import explain_rename
from sensorium.config._spelling import as_given
from sensorium.config._table import WINDOW_SPAN, TableConfig
from sensorium.config._train import TrainConfig
from sensorium.config._tree import at_full_names, groups, walk
from sensorium.config._types import CALLER_ONLY, Choice, Fraction, Named, Strict
from sensorium.errors import ConfigError, did_you_mean, raise_together


class SplitConfig(Strict):
    """Split into training, validation (early stopping, model selection) and test rows."""

    column: str | None = Field(None, description="column with each row's split: train, validation or test")
    group: str | None = Field(
        None,
        description="column of groups, such as patient or user: all rows of a group go to one split. With time, the "
        "groups that end last are the test set; with span too, rows outside the period of their group's split are left "
        "out",
    )
    time: str | None = Field(None, description="order rows by this column: the earliest rows train, the latest test")
    day_first: bool | None = Field(
        None, description="whether 01/02/2026 in the time column is in February; inferred from the cells by default"
    )
    span: tuple[str, str] | None = Field(
        None,
        description="with time: columns with the start and end of each row's period; splits do not overlap in time",
    )
    stratify: bool = Field(True, description="keep the proportions of the labels in every split")
    validation: Fraction = Field(0.1, description="share of validation rows, if no column names them")
    test: Fraction = Field(0.1, description="share of test rows, if no column names them")

    @pydantic.model_validator(mode="after")
    def _leave_training_rows(self) -> Self:
        if self.validation + self.test >= 1:
            shares = f"{self.validation:g} + {self.test:g} = {self.validation + self.test:g}"
            raise ValueError(
                f"split.validation + split.test must be below 1, so that rows are left to train on; got {shares}"
            )
        if self.span and (not self.time or self.column):
            raise ValueError("split.span needs split.time, and cannot be combined with split.column")
        return self


class PrepareConfig(Strict):
    """Cache of decoded files, which later runs do not decode again."""

    store: Annotated[str, CALLER_ONLY] = Field(
        "auto",
        description="folder for decoded files; auto: $SENSORIUM_CACHE or the user's cache folder; none: keep nothing",
    )
    identify: Literal["stat", "content"] = Field(
        "stat", description="how a file is recognised: by path, size and modification time (stat), or by its content"
    )
    max_gigabytes: Annotated[float, Field(gt=0), CALLER_ONLY] = Field(
        20.0, description="size limit of the cache in GB; beyond it, the least recently used files are removed"
    )
    stream: bool = Field(
        False, description="decode files in every epoch, one batch at a time, and keep nothing on disk"
    )


class Config(Strict):
    """All settings of `fit`.

    Example:
        >>> config = sensorium.Config.gather({"width": 64, "train": {"epochs": 5}}, {"learning_rate": 0.01})
        >>> config.width, config.train.epochs, config.train.learning_rate
        (64, 5, 0.01)
        >>> model = sensorium.fit("films.csv", "genre", config={"width": 64, "epochs": 1}, progress=False)
    """

    target: str | None = Field(None, description="column to predict, or a list of columns")
    task: str | None = Field(None, description="task; inferred from the target by default")
    tasks: dict[str, str] = Field({}, description="task of each target, if there are several")
    columns: list[str] | None = Field(None, description="use only these columns")
    exclude: list[str] = Field([], description="ignore these columns")
    modalities: dict[str, Choice] = Field(
        {},
        description="modality of a column and its options; or, under a modality's name, options for all of its columns",
    )
    encoders: dict[str, Choice] = Field({}, description="encoder of a column, tower or modality, and its options")
    augment: dict[str, Named] = Field({}, description="augmentations of a column or modality, and their options")
    towers: dict[str, list[str]] = Field({}, description="columns that are encoded together, by tower")
    fusion: Choice = Field(Choice.of("concat"), description="fusion method and its options")
    head: Choice = Field(Choice.of("linear"), description="output layer on the fused features, and its options")
    width: Annotated[int, Field(gt=0, le=1_000_000)] = Field(128, description="width D of the fused features")
    table: TableConfig = TableConfig()
    split: SplitConfig = SplitConfig()
    prepare: PrepareConfig = PrepareConfig()
    train: TrainConfig = TrainConfig()
    calibrate: Literal["auto", "temperature", "none"] = Field(
        "auto",
        description="temperature scaling of probabilities on the validation rows; auto: only with --budget",
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        0, description="random seed: the same seed, data and machine give the same weights"
    )
    device: str = Field("auto", description="device: auto, cpu, cuda, cuda:1 …")

    @pydantic.model_validator(mode="before")
    @classmethod
    def _join_targets(cls, given: Any) -> Any:
        """Combine several targets to one column of objects."""
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
        """Check that each key of `tasks` names a target."""
        known = [name for names in self.table.targets.values() for name in names]
        for name in self.tasks:
            if name not in known:
                raise ValueError(f"tasks.{name} sets the task of one of several targets, but {name!r} is not a target")
        return self

    @pydantic.model_validator(mode="after")
    def _follow_windows(self) -> Self:
        """Set the target and the split by time that windows imply."""
        windows, split = self.table.windows, self.split
        if windows:
            self.target = self.target or windows.answer
            if not (split.column or split.group) and split.time in (None, windows.time):
                self.split = split.model_copy(update={"time": windows.time, "span": split.span or WINDOW_SPAN})
        return self

    @classmethod
    def gather(cls, *layers: Mapping[str, Any]) -> Config:
        """Merge mappings of settings, later ones override earlier ones, and validate the result.

        The short name of a setting, such as `learning_rate`, is accepted if it is unambiguous.

        Raises:
            ConfigError: a setting is invalid. The error lists all of them, with similar known keys.

        Example:
            >>> sensorium.Config.gather({"fusion": "gated"}, {"fusion": {"per_feature": False}}).fusion.options
            {'per_feature': False}
        """
        merged: dict[str, Any] = {}
        for layer in layers:
            check_tree(layer)
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
        renamed = explain_rename(place, fault["input"])
        if renamed:
            return renamed
        known = _known_keys(model, path[:-1])
        every = [*(name for name, _, _ in walk(model)), *groups(model)]
        leaves = {name.rpartition(".")[2] for name in every} if len(path) == 1 else set()
        near = [name for name in leaves if difflib.get_close_matches(path[-1], [name])]  # it may stand alone, too
        cure = did_you_mean(path[-1], [*known, *near])
        return ConfigError(f"unknown setting {path[-1]!r}", place=place, cure=cure)
    finding = f"setting {place} can't be {as_given(fault['input'])}"
    if fault["type"] == "value_error":  # raised by a check of ours: a whole sentence
        reason = str(fault["ctx"]["error"])
        whole = isinstance(fault["input"], Mapping)  # of several settings together
        return ConfigError(reason, place=place) if whole else ConfigError(finding, place=place, rule=reason)
    return ConfigError(finding, place=place, rule=fault["msg"])


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        annotation = model.model_fields[part].annotation
        kinds = [kind for kind in (annotation, *typing.get_args(annotation)) if isinstance(kind, type)]
        found = next((kind for kind in kinds if issubclass(kind, BaseModel)), None)
        if found is None:
            return []
        model = found
    return list(model.model_fields)
