"""NIfTI-1 and NIfTI-2, plain or gzipped: voxels are returned in RAS+ order, for any order in the file."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.findings import Unreadable
from sensorium.modalities._files import Source
from sensorium.modalities._scans import NO_SPACING, Header, Note, Scan, finite, library, several_volumes

GZIP = b"\x1f\x8b"
UNITS = {"meter": 1000.0, "mm": 1.0, "micron": 0.001}  # in mm
NO_UNIT = "the file declares no unit of its voxel spacing: mm is assumed"
STORED = "spacing as stored"  # key of what is kept with an image
REAL_PART = "only the real part of complex voxels is used", "save magnitude or phase, whichever you need"
UNORIENTED = ("the orientation in the file is invalid; the axes are used as stored",
              "repair the sform and qform of its header")  # fmt: skip
SIZES = {348: "Nifti1Image", 540: "Nifti2Image"}  # bytes of a header, which is the first value in it


def is_nifti(head: bytes) -> bool:
    """Return whether bytes start like an uncompressed NIfTI file."""
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")


def read_header(source: Source) -> Header:
    """Read shape and spacing of the (first) volume, in the order of `read_scan`. Raises Unreadable."""
    with _opened(source) as image:
        axes, spacing, _ = _orientation(image)
        shape = [_shape(image)[::-1][axis] for axis in axes]
        return Header((shape[2], shape[1], shape[0]), spacing=spacing, assumed=_assumed(image))


def read_scan(source: Source, max_voxels: int) -> Scan:
    """Read the volume, or the first of several.

    Raises:
        Unreadable: the file is truncated, damaged or too large.
    """
    with _opened(source) as image:
        shape = _shape(image)
        Header(shape).refuse_over(max_voxels)
        rest = len(image.shape[3:])
        values = np.asarray(image.dataobj[(..., *[0] * rest)])
        if values.dtype.names:  # RGB voxels
            values = np.mean([values[name] for name in values.dtype.names[:3]], 0)
        voxels, spacing, oriented = _canonical(values.real.reshape(shape[::-1]), image)
        volumes, assumed = int(np.prod(image.shape[3:], dtype=np.int64)), _assumed(image)
    notes = [several_volumes(volumes)] if volumes > 1 else []
    notes += [REAL_PART] if np.iscomplexobj(values) else []
    return Scan(finite(voxels), spacing, notes=(*notes, *oriented), assumed=assumed)


def _canonical(
    values: npt.NDArray[Any], image: Any
) -> tuple[npt.NDArray[Any], tuple[float, float, float], tuple[Note, ...]]:
    """Reorder [x, y, z] of a file to [z, y, x] with x right, y anterior, z superior; and return mm along each axis."""
    _, spacing, turns = _orientation(image)
    if turns is not None:
        values = library("nibabel").orientations.apply_orientation(values, turns)
    return values.transpose(2, 1, 0), spacing, (UNORIENTED,) if turns is None else ()


def _orientation(image: Any) -> tuple[list[int], tuple[float, float, float], npt.NDArray[Any] | None]:
    """Return the axes of the file that become x, y and z; mm along z, y and x; and the turns, None if unknown."""
    known = bool(np.isfinite(image.affine).all())
    unit = UNITS.get(image.header.get_xyzt_units()[0], 1.0)
    spacing = unit * np.append(np.abs(np.asarray(image.header.get_zooms()[:3], float)), [1.0] * 3)[:3]
    turns = library("nibabel").orientations.io_orientation(image.affine) if known else np.full((3, 2), np.nan)
    known = not np.isnan(turns).any()
    axes = np.argsort(turns[:, 0]) if known else np.arange(3)
    x, y, z = (float(mm) if np.isfinite(mm) and mm > 0 else 1.0 for mm in spacing[axes])
    return axes.tolist(), (z, y, x), turns if known else None


def _assumed(image: Any) -> tuple[str, ...]:
    """Return what is assumed of the spacing, because the header does not declare it."""
    spacing = np.abs(np.asarray(image.extra[STORED][: len(image.shape)], float))
    declared = bool((np.isfinite(spacing) & (spacing > 0)).all())
    in_unit = image.header.get_xyzt_units()[0] in UNITS
    return (() if declared else (NO_SPACING,)) + (() if in_unit else (NO_UNIT,))


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    with ExitStack() as stack:
        file: Any = source if isinstance(source, io.BytesIO) else stack.enter_context(source.open("rb"))
        head = file.read(2)
        file.seek(0)
        if head == GZIP:
            file = stack.enter_context(gzip.GzipFile(fileobj=file))
        size = file.read(4)
        file.seek(0)
        known = SIZES.get(int.from_bytes(size, "little")) or SIZES.get(int.from_bytes(size, "big"))
        if known is None:
            raise Unreadable("not a NIfTI file")
        kind = getattr(library("nibabel"), known)
        stored = kind.header_class.from_fileobj(file, check=False)  # reading an image replaces spacings of 0 by 1
        file.seek(0)
        image = kind.from_stream(file)
        image.extra[STORED] = stored["pixdim"][1:4]
        yield image


def _shape(image: Any) -> tuple[int, int, int]:
    """Return slices, rows and columns as stored."""
    sides = (*(int(side) for side in image.shape[:3]), 1, 1, 1)
    if not image.shape or min(image.shape) < 1:
        raise Unreadable("the scan has no voxels")
    return sides[2], sides[1], sides[0]
