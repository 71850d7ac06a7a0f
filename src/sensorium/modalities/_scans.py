"""Common types of the readers of medical images, and arithmetic on voxels."""

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
NO_DISTANCE = "the file declares no distance of slices: 1 mm is assumed"
NO_SPACING = "the file declares no pixel spacing: 1 mm is assumed"
T = TypeVar("T")
REASONS = {
    "NotImplementedError": "the scan has a format that the installed decoders do not support",
    "MemoryError": "the scan does not fit into memory",
}


@dataclass(frozen=True)
class Header:
    """Properties of a scan that its header declares.

    Attributes:
        shape: slices, rows, columns.
        ct: whether values are Hounsfield units.
        spacing: mm between slices, rows, columns; 1 if the file does not declare it.
        assumed: what is assumed of the spacing, because the file does not declare it, in sentences.
    """

    shape: tuple[int, int, int]
    ct: bool = False
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    assumed: tuple[str, ...] = ()

    def refuse_over(self, max_voxels: int) -> None:
        """Raise Unreadable if decoding would take more memory than is safe, or if the scan is empty."""
        voxels = int(np.prod([int(side) for side in self.shape], dtype=object))
        if min(self.shape) < 1:
            raise Unreadable("the scan has no voxels")
        if voxels > max_voxels:
            cure = "raise the option max_voxels of the scan modality if the file is right"
            raise Unreadable(f"the scan has {voxels:,} voxels, over the limit of {max_voxels:,}", cure)


@dataclass(frozen=True)
class Scan:
    """A decoded scan.

    Attributes:
        voxels: float32[slices, rows, columns], in the unit of the file.
        spacing: mm between slices, rows, columns; 1 if the file does not declare it.
        window: lowest and highest value of the display window, if the file has one.
        inverted: whether low values are bright (MONOCHROME1).
        notes: what was skipped, guessed or absent, each with its cure.
        assumed: what is assumed of the spacing, as in `Header`.
    """

    voxels: Voxels
    spacing: tuple[float, float, float]
    window: tuple[float, float] | None = None
    inverted: bool = False
    notes: tuple[Note, ...] = ()
    assumed: tuple[str, ...] = ()


def several_volumes(many: int, *, first: bool = True) -> Note:
    """Return the note of a scan with several volumes (time points, echoes, diffusion directions …)."""
    which = "first" if first else "most complete"
    return f"the {which} of {many:,} volumes is used; the others are skipped", "save each volume as its own scan"


def library(name: str) -> Any:
    """Import a library of the extra `medical`, and silence its log, which may quote patient data.

    Raises:
        MissingExtraError: the library is not installed.
    """
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"{name} is not installed", cure="pip install 'sensorium[medical]'") from error
    for logger in (name, f"{name}.global"):
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    return module


def guarded(read: Callable[[], T]) -> T:
    """Replace errors of a library by a reason without their messages, which may contain patient data."""
    try:
        return read()
    except (Unreadable, MissingExtraError):
        raise
    except Exception as error:  # noqa: BLE001
        raise Unreadable(REASONS.get(type(error).__name__, "the scan is damaged or truncated")) from None


class quiet(warnings.catch_warnings):  # noqa: N801
    """Suppress warnings of the libraries, which quote tags. Enter once per column: all threads share the filters."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")


def finite(voxels: npt.NDArray[Any], *, inverted: bool = False) -> Voxels:
    """Convert to float32; voxels that are not finite (often outside a mask) become the darkest finite value."""
    with np.errstate(over="ignore"):
        values = voxels.astype(np.float32, copy=False)
    real = np.isfinite(values)
    if real.all():
        return values
    if not real.any():
        raise Unreadable("the scan has no finite voxel")
    return np.where(real, values, values[real].max() if inverted else values[real].min())


def sample(voxels: Voxels, shape: tuple[int, ...], steps: tuple[float, ...]) -> Voxels:
    """Resample to a grid around the centre of a scan, by linear interpolation; zeros outside the scan.

    Args:
        voxels: float32, any number of axes.
        shape: shape of the grid.
        steps: voxels per grid step along each axis; above 1, voxels are averaged so that
            none is skipped.
    """
    for axis, (side, step) in enumerate(zip(shape, steps, strict=True)):
        if voxels.shape[axis] != side or step != 1:
            weights = _weights(voxels.shape[axis], side, step)
            voxels = np.moveaxis(np.tensordot(weights, voxels, (1, axis)), 0, axis)
    return voxels


def _weights(inside: int, outside: int, step: float) -> Voxels:
    """Return float32[outside, inside]: a normalized triangle filter around each grid point."""
    places = (inside - 1) / 2 + (np.arange(outside) - (outside - 1) / 2) * step
    centres = np.clip(places, 0, inside - 1)[:, None]
    weights = np.clip(1 - np.abs(np.arange(inside) - centres) / max(1.0, step), 0, None)
    within = np.abs(places - (inside - 1) / 2) <= inside / 2
    return (weights / weights.sum(1, keepdims=True) * within[:, None]).astype(np.float32)
