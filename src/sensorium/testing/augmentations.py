"""Check the contract of augmentations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from sensorium.augment import Augmentation, build_augmentation
from sensorium.augment._base import spread
from sensorium.batch import Cells, PackedCells
from sensorium.registry import augmentations, modalities
from sensorium.testing.cells import make_cells

ROWS = 24


def check_augmentation(name: str, **options: Any) -> None:
    """Run every check on generated cells of the modalities that the augmentation accepts.

    Args:
        name: registered name.
        **options: options of the augmentation.

    Raises:
        AssertionError: a check fails; the message says which.

    Example:
        >>> from sensorium.testing import check_augmentation
        >>> check_augmentation('noise')
    """
    entry = augmentations.entry(name)
    accepts = entry.literal("ACCEPTS", ())
    assert accepts, f"{entry.path.name} has no literal ACCEPTS"
    assert any(option.name == "probability" for option in entry.options()), f"{name} has no option `probability`"
    for kind in accepts:
        if kind in modalities.entries:
            _check(name, kind, options)


def _check(name: str, kind: str, options: dict[str, Any]) -> None:
    (cells,), encoder_spec = make_cells([kind], ROWS, missing=0.2)
    always, sometimes, never = (
        build_augmentation(name, encoder_spec[kind], {**options, "probability": chance}) for chance in (1.0, 0.5, 0.0)
    )
    before = cells.values.clone()
    found = _call(always, cells)
    assert torch.equal(cells.values, before), f"{name} writes to the cells that it is given"
    assert found.shape == before.shape, f"{name} makes {tuple(found.shape)} of {tuple(before.shape)}"
    assert found.dtype == before.dtype, f"{name} makes {found.dtype} of {before.dtype}"
    assert found.isfinite().all(), f"values of {name} are not all finite"
    real = _real(cells)
    assert torch.equal(found[~real], before[~real]), f"{name} changes missing cells or padding"
    assert torch.equal(_call(always, cells), found), f"{name}: the same seed gives different values"
    assert not torch.equal(found, before), f"{name} does not change a {kind} cell"
    some = [_call(sometimes, cells, seed) for seed in range(3)]
    assert not (torch.equal(some[0], some[1]) and torch.equal(some[1], some[2])), f"{name} does not depend on the seed"
    assert torch.equal(_call(never, cells), before), f"{name} changes rows although its probability is 0"
    littered = replace(cells, values=torch.where(real, before, _litter(before)))
    assert torch.equal(_call(always, littered)[real], found[real]), (
        f"{name} depends on the content of missing cells or padding"
    )
    if always.packs and cells.mask is None:
        packed = PackedCells.join({kind: cells}, cells.present)
        alike = sometimes.on_packed(packed, torch.Generator().manual_seed(0)).cells(kind).values
        assert torch.equal(alike, some[0]), f"{name} changes a packed column otherwise than a single one"


def _call(augmentation: Augmentation, cells: Cells, seed: int = 0) -> Tensor:
    return augmentation(cells, torch.Generator().manual_seed(seed)).values


def _real(cells: Cells) -> Tensor:
    """Return the values that belong to present cells."""
    rows = spread(cells.present, cells.values)
    return (rows if cells.mask is None else rows & spread(cells.mask, cells.values)).expand_as(cells.values)


def _litter(values: Tensor) -> Tensor:
    """Return other valid values of the same dtype."""
    return values.roll(1, 0) + 1
