"""Choose augmentations by the settings, build them, and apply them to batches of training rows."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from torch import Generator

from sensorium.augment._base import Augmentation
from sensorium.batch import Batch, CellMap, Cells
from sensorium.config import Config, check_options
from sensorium.errors import ConfigError, SensoriumError, did_you_mean, raise_together
from sensorium.modalities import EncoderSpec
from sensorium.registry import augmentations, modalities

Chosen: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Any]]]
Augmentations: TypeAlias = Mapping[str, Sequence[Augmentation]]


def choose_augmentations(kinds: Mapping[str, str], config: Config) -> dict[str, dict[str, dict[str, Any]]]:
    """Choose the augmentations of each column, in the order of the settings, with all options.

    Augmentations of a column replace those of its modality.

    Args:
        kinds: column → the modality's registered name.
        config: `augment` holds the choices.

    Raises:
        ConfigError: all unknown names and options, and augmentations that do not fit a modality, together.
    """
    faults: list[SensoriumError] = []
    checked = {key: _checked(key, kinds, config, faults) for key in config.augment}
    raise_together(faults)
    # A key that is a column's name as well as a modality's means the column.
    shared = {key: chosen for key, chosen in checked.items() if kinds.get(key, key) == key}
    found = {column: checked.get(column, shared.get(kind, {})) for column, kind in kinds.items()}
    return {column: chosen for column, chosen in found.items() if chosen}


def build_augmentations(chosen: Chosen, encoder_spec: Mapping[str, EncoderSpec]) -> dict[str, list[Augmentation]]:
    """Build the augmentations of each column; columns share those that do not depend on the column."""
    shared: dict[str, Augmentation] = {}

    def build(name: str, column: str, options: Mapping[str, Any]) -> Augmentation:
        if any(p.kind is p.POSITIONAL_OR_KEYWORD for p in _parameters(augmentations.load(name))):
            return build_augmentation(name, encoder_spec[column], options)
        key = f"{name} {sorted(options.items())}"
        if key not in shared:
            shared[key] = build_augmentation(name, encoder_spec[column], options)
        return shared[key]

    return {
        column: [build(name, column, options) for name, options in named.items()]
        for column, named in chosen.items()
        if column in encoder_spec
    }


def build_augmentation(name: str, encoder_spec: EncoderSpec, options: Mapping[str, Any]) -> Augmentation:
    """Build an augmentation for a column with this encoder specification.

    Raises:
        ConfigError: the specification lacks an entry that the augmentation needs.
    """
    kind = augmentations.load(name)
    needed = [p.name for p in _parameters(kind) if p.kind is p.POSITIONAL_OR_KEYWORD]
    if lacking := [fact for fact in needed if fact not in encoder_spec]:
        raise ConfigError(
            f"augmentation {name!r} needs {', '.join(lacking)}, which the column's options do not produce",
            place=f"augment: {name}",
            cure="leave it out, or change the options of the column's modality (a waveform has no mel bands)",
        )
    built: Augmentation = kind(**{fact: encoder_spec[fact] for fact in needed}, **options)
    return built


def augment(batch: Batch, plan: Augmentations, random: Generator) -> Batch:
    """Apply the augmentations of each column, in order; columns with the same ones are changed together if possible."""
    cells = batch.cells
    if isinstance(cells, CellMap):
        for together, columns in _together(plan, cells).items():
            for step in together:
                cells = cells.change(columns, partial(step.on_packed, random=random))
    changed = dict[str, Cells]()
    for column, steps in plan.items():
        if not _is_packed(column, steps, cells):
            for step in steps:
                changed[column] = step(changed.get(column, cells[column]), random)
    return replace(batch, cells=cells).with_cells(changed)


def _together(plan: Augmentations, cells: CellMap) -> dict[tuple[Augmentation, ...], tuple[str, ...]]:
    """Return augmentations → the packed columns that they change."""
    found: dict[tuple[Augmentation, ...], list[str]] = {}
    for column, steps in plan.items():
        if _is_packed(column, steps, cells):
            found.setdefault(tuple(steps), []).append(column)
    return {steps: tuple(columns) for steps, columns in found.items()}


def _is_packed(column: str, steps: Sequence[Augmentation], cells: Mapping[str, Cells]) -> bool:
    return isinstance(cells, CellMap) and cells.is_packed(column) and all(step.packs for step in steps)


def _checked(
    key: str, kinds: Mapping[str, str], config: Config, faults: list[SensoriumError]
) -> dict[str, dict[str, Any]]:
    """Return the choices of one key; collect the faults."""
    kind, found = kinds.get(key, key), {}
    if kind not in modalities.entries:
        cure = did_you_mean(key, {*modalities.names(), *kinds})
        faults.append(ConfigError(f"there is no column or modality {key!r}", place=f"augment.{key}", cure=cure))
        return {}
    for name, options in config.augment[key].items():
        try:
            found[name] = _checked_options(name, options, kind, f"augment.{key}.{name}")
        except SensoriumError as fault:
            faults.append(fault)
    return found


def _checked_options(name: str, options: Mapping[str, Any], kind: str, place: str) -> dict[str, Any]:
    accepts = augmentations.entry(name).literal("ACCEPTS", ())
    if kind not in accepts:
        fitting = [n for n, entry in augmentations.entries.items() if kind in entry.literal("ACCEPTS", ())]
        raise ConfigError(
            f"augmentation {name!r} does not fit {kind}",
            place=place,
            rule=f"it fits {', '.join(other for other in accepts if other in modalities.entries)}",
            cure=f"choose one of: {', '.join(fitting)}" if fitting else f"there is none for {kind} yet",
        )
    member = augmentations.load(name)
    defaults = {p.name: p.default for p in _parameters(member) if p.kind is p.KEYWORD_ONLY}
    return defaults | check_options(member, options, place)


def _parameters(kind: type) -> list[inspect.Parameter]:
    return list(inspect.signature(kind).parameters.values())
