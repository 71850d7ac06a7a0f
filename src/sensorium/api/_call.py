"""Arguments that `fit` and `compare` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypedDict

from sensorium.artifact import load_fitted
from sensorium.config import (
    CONFIG,
    ENCODERS,
    FOLDS,
    REPEATS,
    TARGET,
    Config,
    as_plain,
    check_arguments,
    read_settings,
    target_setting,
)
from sensorium.errors import ConfigError
from sensorium.model import OWN_FUSION, FittedModel, OwnModules, is_maker, own_name
from sensorium.split import FoldOptions

LESS = (
    "use smaller batches (train.batch_size=16), a smaller model (width=32), fewer columns or smaller files "
    "(modalities.image.size=64), or a machine with more memory (see `ulimit -v`)"
)


class Settings(TypedDict, total=False):
    """Keyword arguments of `fit` and `compare`: settings of `Config`, and the most common settings of its groups.

    `sensorium list settings` lists all settings. Pass the others as a mapping:
    `config={"table": {"encoding": "cp1252"}}`.
    """

    columns: Sequence[str]
    exclude: Sequence[str]
    task: str
    tasks: Mapping[str, str]
    modalities: Mapping[str, Any]
    encoders: Mapping[str, Any]
    augment: Mapping[str, Any]
    towers: Mapping[str, Sequence[str]]
    fusion: Any
    head: str | Mapping[str, Any]
    width: int
    preset: str | None
    split: Mapping[str, Any]
    train: Mapping[str, Any]
    seed: int
    device: str
    threads: int | str
    epochs: int
    batch_size: int
    learning_rate: float
    patience: int | None
    split_column: str


def check_forms(target: object, config: object, settings: Mapping[str, Any]) -> None:
    """Check the arguments that are taken apart before the settings are validated."""
    check_arguments(TARGET, target=target)
    check_arguments(CONFIG, config=config)
    check_arguments(ENCODERS, encoders=settings.get("encoders"))


def gather_config(
    target: str | Sequence[str] | None,
    config: str | Path | Mapping[str, Any] | None,
    settings: Mapping[str, Any],
    lowest: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[Config, OwnModules]:
    """Merge and validate the layers of settings; return the user's own modules separately."""
    below = read_settings(config)
    flat = {name: value for name, value in settings.items() if value is not None}
    flat, modules = without_modules(flat)
    if "split_column" in flat:
        given, column = flat.get("split", {}), flat.pop("split_column")
        if not isinstance(given, Mapping) or given.get("column", column) != column:
            raise ConfigError("split_column and split are both set", place="split.column", cure="omit one of them")
        flat["split"] = {**given, "column": column}
    return Config.gather(lowest, below, flat, target_setting(target)), modules


def fold_options(folds: int | None, repeats: int) -> FoldOptions | None:
    """Check the number of folds and repeats; return None without folds."""
    check_arguments(FOLDS, folds=folds)
    check_arguments(REPEATS, repeats=repeats)
    if folds is not None:
        return FoldOptions(int(as_plain(folds)), int(as_plain(repeats)))
    if as_plain(repeats) != 1:
        cure = "add --folds 5 (Python: folds=5), or leave out repeats"
        raise ConfigError("repeats needs folds", place="repeats", rule="folds are cut anew in each repeat", cure=cure)
    return None


def without_modules(settings: Mapping[str, Any]) -> tuple[dict[str, Any], OwnModules]:
    """Replace the user's own encoders and fusion in settings by names, and return them."""
    plain, encoders, fusion = dict(settings), dict(settings.get("encoders") or {}), settings.get("fusion")
    modules = {name: value for name, value in encoders.items() if is_maker(value)}
    if encoders:
        plain["encoders"] = encoders | {name: {"name": "module"} for name in modules}
    maker = fusion.get("name") if isinstance(fusion, Mapping) else fusion
    if not is_maker(maker):
        return plain, OwnModules(modules)
    name = own_name(maker)
    plain["fusion"] = {**fusion, "name": name} if isinstance(fusion, Mapping) else {"name": name}
    return plain, OwnModules(modules, {name: maker} if name.startswith(OWN_FUSION) else {})


def open_teacher(config: Config) -> FittedModel | None:
    """Load the model that the settings name as the teacher of a distillation."""
    path = config.train.teacher
    return load_fitted(Path(path), config.device) if path else None
