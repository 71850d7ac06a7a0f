"""What readers of medical images give, and arithmetic on it."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from sensorium.errors import MissingExtraError
from sensorium.findings import Unreadable

Voxels = npt.NDArray[np.float32]
Note = tuple[str, str]  # what was done, and the cure
T = TypeVar("T")
REASONS = {
    "NotImplementedError": "a scan in a form that the installed decoders don't know",
    "MemoryError": "a scan that does not fit into memory",
}


@dataclass(frozen=True)
class Header:
    """What is known of a scan before its voxels are decoded.

    Attributes:
        shape: slices, rows, columns.
        ct: values are Hounsfield units.
    """

    shape: tuple[int, int, int]
    ct: bool = False

    def refuse_over(self, max_voxels: int) -> None:
        """Raises Unreadable where decoding would take more than is safe, or nothing is there to decode."""
        voxels = int(np.prod([int(side) for side in self.shape], dtype=object))
        if min(self.shape) < 1:
            raise Unreadable("a scan without voxels")
        if voxels > max_voxels:
            cure = "set the option max_voxels of the scan modality if that is meant"
            raise Unreadable(f"a scan of {voxels:,} voxels is over the limit of {max_voxels:,}", cure)


@dataclass(frozen=True)
class Scan:
    """A decoded scan.

    Attributes:
        voxels: float32[slices, rows, columns], in the file's own unit.
        spacing: mm between slices, rows, columns; 1 where the file does not say.
        window: lowest and highest value that the file wants shown, where it says so.
        inverted: low values are bright (MONOCHROME1).
        notes: what was left out, guessed or is not there, each with its cure.
    """

    voxels: Voxels
    spacing: tuple[float, float, float]
    window: tuple[float, float] | None = None
    inverted: bool = False
    notes: tuple[Note, ...] = ()


def several_volumes(many: int, *, first: bool = True) -> Note:
    """The note of a scan that holds more than one volume (time points, echoes, directions of diffusion …)."""
    which = "first" if first else "most complete"
    return f"the {which} of {many:,} volumes is used, the others are left out", "save each volume as a scan of its own"


def library(name: str) -> Any:
    """Import a library of the extra `medical`, and keep its log still: it may quote what files say of patients.

    Raises:
        MissingExtraError: it isn't installed.
    """
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"{name} is not installed", cure="pip install 'sensorium[medical]'") from error
    for logger in (name, f"{name}.global"):
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    return module


def guarded(read: Callable[[], T]) -> T:
    """Whatever a library raises about a damaged file becomes a reason, without its words: they may name a patient."""
    try:
        return read()
    except (Unreadable, MissingExtraError):
        raise
    except Exception as error:  # noqa: BLE001
        raise Unreadable(REASONS.get(type(error).__name__, "damaged or truncated scan")) from None


class quiet(warnings.catch_warnings):  # noqa: N801
    """No warnings of the libraries: they quote tags. Entered once for a column, as filters belong to all threads."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")


def finite(voxels: npt.NDArray[Any], *, inverted: bool = False) -> Voxels:
    """float32, with the darkest real value where a voxel is no finite number (outside of a mask, often)."""
    with np.errstate(over="ignore"):
        values = voxels.astype(np.float32, copy=False)
    real = np.isfinite(values)
    if real.all():
        return values
    if not real.any():
        raise Unreadable("a scan without a finite voxel")
    return np.where(real, values, values[real].max() if inverted else values[real].min())


def sample(voxels: Voxels, shape: tuple[int, ...], steps: tuple[float, ...]) -> Voxels:
    """A grid about the middle of a scan, by linear interpolation; zeros where it reaches beyond the scan.

    Args:
        voxels: float32, any number of axes.
        shape: of the grid.
        steps: voxels from one place of the grid to the next, along each axis; where more than one, the average of
            what lies between is taken, so that nothing is skipped.
    """
    for axis, (side, step) in enumerate(zip(shape, steps, strict=True)):
        if voxels.shape[axis] != side or step != 1:
            weights = _weights(voxels.shape[axis], side, step)
            voxels = np.moveaxis(np.tensordot(weights, voxels, (1, axis)), 0, axis)
    return voxels


def _weights(inside: int, outside: int, step: float) -> Voxels:
    """float32[outside, inside]: a triangle about each place, its share of the voxels."""
    places = (inside - 1) / 2 + (np.arange(outside) - (outside - 1) / 2) * step
    centres = np.clip(places, 0, inside - 1)[:, None]
    weights = np.clip(1 - np.abs(np.arange(inside) - centres) / max(1.0, step), 0, None)
    within = np.abs(places - (inside - 1) / 2) <= inside / 2
    return (weights / weights.sum(1, keepdims=True) * within[:, None]).astype(np.float32)
