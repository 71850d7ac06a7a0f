"""What a user may set: one tree of pydantic models, the same for YAML, command line and Python.

`Config.gather` lays the layers over each other (defaults < YAML file < flags or keywords < `--set key=value`), checks
the result and tells every fault at once.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from sensorium.errors import ConfigError, SensoriumError, did_you_mean, raise_together


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("Input should be odd, so that a filter has a middle")
    return value


def _named(value: Any) -> Any:
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return {name: {} for name in value}
    if not isinstance(value, Mapping):
        raise ValueError("Input should be a list of names, or names with their options")
    return {name: {} if options is None else options for name, options in value.items()}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


WINDOW_SPAN = ("window_start", "target_time")  # columns of windows: from when to when a row reaches
WINDOW_SINCE = "since"
FINITE = ConfigDict(allow_inf_nan=False)
Fraction = Annotated[float, Field(ge=0, lt=1)]
Chance = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Decibels = Annotated[float, Field(gt=0, le=100)]
Odd = Annotated[PositiveInt, pydantic.AfterValidator(_odd)]
Sizes = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
Names = Annotated[list[str], Field(min_length=1), pydantic.BeforeValidator(_listed)]
Named = Annotated[dict[str, dict[str, Any]], pydantic.BeforeValidator(_named)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)


class Choice(BaseModel):
    """A registered name with options: `gated`, or `{name: attention, heads: 2}`."""

    model_config = ConfigDict(extra="allow")
    name: str | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})

    @classmethod
    def of(cls, name: str, options: Mapping[str, Any] | None = None) -> Choice:
        return cls.model_validate({"name": name, **(options or {})})


class WindowsConfig(_Strict):
    """A long table (entity, time, values) cut into rows: the last steps as series, a later value as target.

    Where the settings name no split, the rows are split by time, and those whose target lies within the windows of a
    later split are left out.
    """

    entity: str | None = Field(None, description="column that says whose a row is; without it all are of one")
    time: str = Field(description="column that orders an entity's rows: dates or numbers")
    values: Names = Field(description="columns of numbers that become series of the last steps")
    target: str = Field(description="column whose later value is predicted; it is called TARGET_ahead")
    length: PositiveInt = Field(description="steps of a series, the present one included")
    horizon: PositiveInt = Field(1, description="steps from the present one to the target")
    predict: Literal["value", "change", "return", "rises"] = Field(
        "value", description="of the target: as it is, its difference or share of growth from now, whether it grows"
    )
    every: PositiveInt = Field(1, description="take one window of an entity in so many")
    since: bool = Field(False, description="one more series: the time since the step before")

    @property
    def answer(self) -> str:
        """The target's name in the rows that are made."""
        return f"{self.target}_ahead"

    @property
    def series(self) -> list[str]:
        """The series in the rows that are made."""
        return [*self.values, *([WINDOW_SINCE] if self.since else [])]


class TableConfig(_Strict):
    """How the source is read."""

    encoding: str = Field("utf-8", description="text encoding of CSV and JSON Lines files")
    separator: str | None = Field(None, description="CSV field separator; read off the header by default")
    missing: list[str] = Field([""], description="spellings of a missing cell")
    query: str | None = Field(None, description="of a database: a table's name, or SQL that selects rows")
    lists: dict[str, Annotated[list[str], Field(min_length=2)]] = Field(
        {}, description="new column → columns whose cells become its lists, such as place → [lat, lon]"
    )
    targets: dict[str, Annotated[list[str], Field(min_length=2)]] = Field(
        {}, description="new column → targets that one model learns together; --target a --target b makes it"
    )
    allow_outside: bool = Field(False, description="let file cells point outside the table's folder")
    series: dict[str, Names] = Field(
        {}, description="series → the columns that are its steps (t* is t0, t1 …), or lists that are its channels"
    )
    windows: WindowsConfig | None = Field(None, description="cut a long table into rows of series with a later target")


class SplitConfig(_Strict):
    """Which rows train, which validate (early stopping, choices), which test."""

    column: str | None = Field(None, description="column that names each row's split")
    group: str | None = Field(None, description="rows that share this column's value stay in one split (patient, user)")
    time: str | None = Field(None, description="order rows by this column: the past trains, the future tests")
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


class PrepareConfig(_Strict):
    """Keeping decoded files, so that the next run need not decode them again."""

    store: str = Field(
        "auto", description="folder; auto: $SENSORIUM_CACHE or the user's folder for caches; none: keep nothing"
    )
    identify: Literal["stat", "content"] = Field(
        "stat", description="a file is the same by path, size and time of change, or by its content"
    )
    gigabytes: Annotated[float, Field(gt=0)] = Field(20.0, description="beyond it what was not used for longest goes")
    stream: bool = Field(False, description="keep nothing: decode files anew in each epoch, a batch at a time")


class TrainConfig(_Strict):
    """The training loop."""

    epochs: PositiveInt | None = Field(None, description="passes over the training rows; by their number by default")
    batch_size: PositiveInt | None = Field(None, description="64 by default, less where training rows are few")
    accumulate: PositiveInt = Field(1, description="parts in which a batch goes through the model, for want of memory")
    learning_rate: Annotated[float, Field(gt=0)] = Field(2e-3, description="peak of the schedule")
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.01, description="decoupled in adamw, L2 in adam and sgd")
    schedule: Literal["constant", "cosine", "linear"] = Field("cosine", description="after the warm-up, down to zero")
    warmup: Fraction = Field(0.1, description="share of the steps over which the rate rises")
    clip_norm: Annotated[float, Field(gt=0)] | None = Field(1.0, description="largest norm of the gradient")
    patience: PositiveInt | None = Field(8, description="epochs without a better validation metric before stopping")
    metric: str | None = Field(None, description="validation metric to watch; the task's own by default")
    modality_dropout: Fraction = Field(0.3, description="chance that a row's modality is hidden in training")
    mixup: Annotated[float, Field(ge=0)] = Field(
        0.0, description="α: rows and their labels mixed by Beta(α, α); 0: not"
    )
    techniques: Named = Field({}, description="what else training does, by registered name, with options")
    class_weight: Literal["auto", "none", "balanced", "sqrt"] = Field(
        "auto", description="auto: sqrt where the largest class has three times the rows of the smallest or more"
    )


class Config(_Strict):
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
    width: PositiveInt = Field(128, description="width D of the fused features")
    table: TableConfig = TableConfig()
    split: SplitConfig = SplitConfig()
    prepare: PrepareConfig = PrepareConfig()
    train: TrainConfig = TrainConfig()
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
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

        Raises:
            ConfigError: tells all faults together, each with its key and the nearest known key.
        """
        merged: dict[str, Any] = {}
        for layer in layers:
            merged = overlay(merged, layer)
        try:
            return cls.model_validate(merged)
        except pydantic.ValidationError as error:
            raise_together([_explain(cls, fault) for fault in error.errors()])
            raise  # pragma: no cover - a ValidationError always has faults


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML settings file as nested dicts.

    Raises:
        ConfigError: missing file, bad YAML, or not a mapping.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"the settings can't be read: {error}", place=str(path)) from None
    if not isinstance(content, dict):
        raise ConfigError("the settings are no mapping", place=str(path), rule="YAML of `key: value` lines")
    return content


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """`["train.epochs=3", "fusion.name=gated"]` → nested dicts; values are read as YAML.

    A name that has a dot in it stands in quotes: `modalities."clip.sound".mels=20`.
    """
    import yaml

    result: dict[str, Any] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"{text!r} sets nothing", rule="key=value, as in train.epochs=3")
        try:
            result = overlay(result, _nest(_keys(key), yaml.safe_load(value)))
        except yaml.YAMLError as error:
            raise ConfigError(f"{text!r} sets no value: {error}", place=key, rule="a YAML value") from None
    return result


def check_options(function: Callable[..., Any], options: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Validate options against the keyword-only parameters of `function`, by its type hints.

    Raises:
        ConfigError: unknown options and wrong types, all told together.
    """
    taker = inspect.getattr_static(function, "__init__") if isinstance(function, type) else function
    hints = typing.get_type_hints(taker, include_extras=True)
    allowed = [n for n, p in inspect.signature(function).parameters.items() if p.kind is p.KEYWORD_ONLY]
    checked, faults = {}, list[SensoriumError]()
    for name, value in options.items():
        if name not in allowed:
            faults.append(ConfigError(f"unknown option {name!r}", place=place, cure=did_you_mean(name, allowed)))
            continue
        try:
            checked[name] = pydantic.TypeAdapter(hints[name], config=FINITE).validate_python(value)
        except pydantic.ValidationError as error:
            reason = error.errors()[0]["msg"]
            faults.append(ConfigError(f"option {name!r} can't be {value!r}", place=place, rule=reason))
    raise_together(faults)
    return checked


def check_heads(heads: int, width: int, place: str) -> None:
    """Attention shares its width among its heads.

    Raises:
        ConfigError: not without a rest.
    """
    if width % heads:
        fitting = ", ".join(str(n) for n in range(1, min(width, 16) + 1) if width % n == 0)
        raise ConfigError(f"{heads} heads can't share a width of {width}", place=place, cure=f"heads: one of {fitting}")


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One tree of settings laid over another."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            # A newly named choice starts from its own options, not from those of the one it replaces.
            renamed = "name" in value and value["name"] != old.get("name", value["name"])
            merged[key] = dict(value) if renamed else overlay(old, value)
        elif isinstance(old, str) and isinstance(value, Mapping) and "name" not in value:
            merged[key] = {"name": old, **value}
        elif isinstance(old, list) and isinstance(value, Mapping) and all(isinstance(name, str) for name in old):
            merged[key] = overlay({name: {} for name in old}, value)
        else:
            merged[key] = value
    return merged


def _keys(path: str) -> list[str]:
    """Parted at the dots that stand outside of quotes."""
    return [quoted or plain for quoted, plain in re.findall(r'(?:^|\.)(?:"([^"]*)"(?=\.|$)|([^.]*))', path)]


def _nest(keys: list[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        value = {key: value}
    return typing.cast(dict[str, Any], value)


def _explain(model: type[BaseModel], fault: Any) -> ConfigError:
    path = [str(part) for part in fault["loc"]]
    place = ".".join(path)
    if fault["type"] == "extra_forbidden":
        known = _known_keys(model, path[:-1])
        return ConfigError(f"unknown setting {path[-1]!r}", place=place, cure=did_you_mean(path[-1], known))
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
