"""The tree of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import Field

from sensorium.config._faults import explain_faults
from sensorium.config._layers import check_tree, overlay
from sensorium.config._prepare import PrepareConfig
from sensorium.config._renamed_choices import explain_renamed_choices
from sensorium.config._split import SplitConfig
from sensorium.config._table import WINDOW_SPAN, TableConfig
from sensorium.config._threshold import Threshold, ThresholdRule
from sensorium.config._train import TrainConfig
from sensorium.config._tree import at_full_names
from sensorium.config._types import Choice, Named, Strict
from sensorium.errors import raise_together
from sensorium.registry.defaults import AUTO_PRESET, DEFAULT_FUSION, DEFAULT_HEAD, DEFAULT_PRESET
from sensorium.registry.weights import expand_encoders

MAX_THREADS = 1024  # of a training, at most
CALIBRATION_ROWS = 50  # validation rows, at least: the temperature of fewer rows is too uncertain
CALIBRATION_FOLDS = 5  # of cross-fitting, and so the smallest number of groups


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
    encoders: Annotated[dict[str, Choice], pydantic.BeforeValidator(expand_encoders)] = Field(
        {}, description="encoder (or packaged weights, such as minilm) of a column, tower or modality, and its options"
    )
    augment: dict[str, Named] = Field({}, description="augmentations of a column or modality, and their options")
    towers: dict[str, list[str]] = Field({}, description="columns that are encoded together, by tower")
    fusion: Choice = Field(Choice.of(DEFAULT_FUSION), description="fusion method and its options")
    head: Choice = Field(Choice.of(DEFAULT_HEAD), description="output layer on the fused features, and its options")
    width: Annotated[int, Field(gt=0, le=1_000_000)] = Field(128, description="width D of the fused features")
    preset: str = Field(
        AUTO_PRESET,
        description="how much `fit` trains (see `sensorium list presets`); auto: the preset "
        f"{DEFAULT_PRESET}, and fast if a setting describes one network",
    )
    table: TableConfig = TableConfig()
    split: SplitConfig = SplitConfig()
    prepare: PrepareConfig = PrepareConfig()
    train: TrainConfig = TrainConfig()
    calibrate: Literal["auto", "temperature", "none"] = Field(
        "auto",
        description="temperature scaling of probabilities on the validation rows, kept where it helps on other rows; "
        f"auto: with {CALIBRATION_ROWS} validation rows or more",
    )
    conformal: Literal["auto", "lac", "aps", "absolute", "normalized", "none"] = Field(
        "auto",
        description="nonconformity score of prediction sets (lac, aps) and of prediction intervals (absolute, "
        "normalized); auto: the one with the smaller sets or intervals on rows that the model did not learn from",
    )
    threshold: Threshold = Field(
        "auto",
        description="decision threshold of binary and multilabel targets, or one for each of several targets: auto "
        "(0.5), a number, or how rows that the model did not learn from choose it: f1, youden, recall=0.9, "
        "precision=0.9, or the costs of a false negative and a false positive, fn=5,fp=1",
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        0, description="random seed: the same seed, data and machine give the same weights"
    )
    device: str = Field("auto", description="device: auto, cpu, cuda, cuda:1 …")
    threads: Annotated[int, Field(gt=0, le=MAX_THREADS)] | Literal["auto"] = Field(
        "auto",
        description="number of threads that compute on the CPU in training; auto: the CPUs that the process may use, "
        "fewer for small networks",
    )

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
    def _name_thresholds(self) -> Self:
        """Check that each key of `threshold` names a target."""
        known = [name for names in self.table.targets.values() for name in names]
        for name in self.threshold if isinstance(self.threshold, dict) else ():
            if name not in known:
                raise ValueError(
                    f"threshold.{name} sets the threshold of one of several targets, but {name!r} is not a target"
                )
        return self

    def threshold_rule(self, target: str = "") -> ThresholdRule:
        """Return the rule that chooses the decision threshold, of one of several targets if it is named."""
        own = self.threshold.get(target, "auto") if isinstance(self.threshold, dict) else self.threshold
        return ThresholdRule.parse(own)

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
        merged = merge_layers(*layers)
        faults = explain_renamed_choices(merged)
        try:
            found = cls.model_validate(merged)
        except pydantic.ValidationError as error:
            raise_together([*faults, *explain_faults(cls, error, merged)])
            raise  # pragma: no cover - a ValidationError always has faults
        raise_together(faults)
        return found


def merge_layers(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge mappings of settings under their full names; later ones override earlier ones.

    Raises:
        ConfigError: a short name is ambiguous, or a layer sets a setting to two values.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        check_tree(layer)
        merged = overlay(merged, at_full_names(Config, layer))
    return merged
