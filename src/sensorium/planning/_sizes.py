"""Reduce the default sizes of images, scans and videos of large tables, so that training does not take hours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from sensorium.config import Config, set_option
from sensorium.findings import Problem, Problems, count
from sensorium.prepare import modality_options
from sensorium.runtime.cpus import usable_cpus
from sensorium.train import epoch_count

if TYPE_CHECKING:
    from sensorium.modalities import Modality

# Pixels and voxels that a core trains on in about a quarter of an hour, over all default epochs; see dev/log.md.
PIXELS_PER_CORE = 4_000_000_000
MAX_CORES = 16  # that small networks make use of
ACCELERATOR = 64  # cores that an accelerator counts as


def reduce_sizes(
    learnt: Mapping[str, Modality],
    kinds: Mapping[str, str],
    preferred: Mapping[str, Mapping[str, object]],
    *,
    rows: int,
    cores: int,
    config: Config,
) -> tuple[dict[str, Modality], Problems]:
    """Return the modalities with sizes that suit the number of rows and the machine, and what was reduced.

    Sizes that the settings or the encoder determine are kept. The result does not depend on the load of the machine. A
    run records the cores, so that it can be continued on another machine.

    Args:
        learnt: column → its modality.
        kinds: column → registered name of its modality.
        preferred: column → options that its encoder prefers.
        rows: number of training rows.
        cores: number of cores, as `count_cores` returns it.
        config: the settings.
    """
    free = {
        name: modality
        for name, modality in learnt.items()
        if modality.pixels and not modality.sizes & modality_options(name, kinds[name], config, preferred[name]).keys()
    }
    epochs = epoch_count(config.train, rows)
    visits = rows * epochs
    total = visits * sum(modality.pixels for modality in free.values())
    budget = PIXELS_PER_CORE * cores
    if total <= budget:
        return dict(learnt), Problems()
    reduced = {name: modality.reduced(budget / total) for name, modality in free.items()}
    changed = {name: modality for name, modality in reduced.items() if modality.pixels < learnt[name].pixels}
    work = f"{count(epochs, 'epoch')} of {rows:,} training rows would take long on {_machine(cores)}"
    problems = [_problem(name, learnt[name], modality, work) for name, modality in changed.items()]
    return {**learnt, **changed}, Problems(problems)


def count_cores(device: torch.device) -> int:
    """Return how many cores the default sizes are chosen for; an accelerator counts as many cores."""
    return min(usable_cpus(), MAX_CORES) if device.type == "cpu" else ACCELERATOR


def _machine(cores: int) -> str:
    return "an accelerator" if cores == ACCELERATOR else count(cores, "core")


def _problem(name: str, before: Modality, after: Modality, work: str) -> Problem:
    sizes = [(option, getattr(before, option), getattr(after, option)) for option in sorted(before.sizes)]
    changes = " and ".join(f"{option} is {new} instead of {old}" for option, old, new in sizes if new != old)
    cure = " ".join(set_option(name, option, old) for option, old, new in sizes if new != old)
    return Problem(None, name, f"{changes}: {work}", cure)
