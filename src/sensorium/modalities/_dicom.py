"""DICOM images: multi-frame files and folders of a series.

Values of attributes are not passed on, except those requested by keyword.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.modalities._dicom_folders import folder_headers
from sensorium.modalities._dicom_frames import Frame, frames_of
from sensorium.modalities._dicom_header import header_of
from sensorium.modalities._dicom_open import open_dicom
from sensorium.modalities._dicom_pixels import notes_on, notes_on_length, read_frames, stored, window_of
from sensorium.modalities._dicom_volume import Volume, volume_of
from sensorium.modalities._files import Source
from sensorium.modalities._scans import Header, Note, Scan, Voxels, finite


def read_header(source: Source) -> Header:
    """Read shape, kind and spacing from the header, without pixels. Raises Unreadable."""
    volume, _ = read_volume(source)
    return replace(_shape(volume.frames), spacing=volume.spacing, assumed=volume.assumed)


def read_scan(source: Source, max_voxels: int) -> Scan:
    """Read one volume from a file or a folder, with its slices in anatomical order.

    Raises:
        Unreadable: the file is truncated, damaged, too large, or contains no image (a report, a document …).
    """
    volume, notes = read_volume(source)
    _shape(volume.frames).refuse_over(max_voxels)
    notes += [*volume.notes, *notes_on(volume.frames)]
    if volume.choice and volume.choice.twins:
        same = all(np.array_equal(_stored(source, one), _stored(source, other)) for one, other in volume.choice.twins)
        notes += volume.choice.if_copies if same else volume.choice.if_volumes
    first = volume.frames[0]
    inverted = first.data.get("PhotometricInterpretation") == "MONOCHROME1"
    voxels, more = _voxels(source, volume.frames)
    window = window_of(first) if len(voxels) == 1 else None
    notes += more
    return Scan(finite(voxels, inverted=inverted), volume.spacing, window, inverted, tuple(notes), volume.assumed)


def read_volume(source: Source) -> tuple[Volume, list[Note]]:
    """Return the frames, read from headers only, and notes on skipped files of a folder."""
    if isinstance(source, Path) and source.is_dir():
        headers, notes = folder_headers(source)
    else:
        headers, notes = [open_dicom(source, pixels=False)], []
    return volume_of([frame for file, data in enumerate(headers) for frame in frames_of(data, file)]), notes


def _shape(frames: list[Frame]) -> Header:
    header = header_of(frames[0].data)
    return Header((len(frames), *header.shape[1:]), header.ct)


def _voxels(source: Source, frames: list[Frame]) -> tuple[Voxels, list[Note]]:
    """Return float32[frames, rows, columns], NaN outside the image, and notes on skipped content."""
    out, notes = np.empty(_shape(frames).shape, np.float32), list[Note]()
    for padding in (True, False):
        for rows in _by_file(frames):
            data = open_dicom(_file(source, frames[rows[0]]), pixels=True)
            out[rows] = read_frames(data, [frames[row] for row in rows], padding=padding)
            notes += notes_on_length(data) if padding else []
        if np.isfinite(out).any():
            break  # all of it is padding: then use its values
    return out, list(dict.fromkeys(notes))


def _by_file(frames: list[Frame]) -> Iterable[list[int]]:
    found: dict[int, list[int]] = {}
    for row, frame in enumerate(frames):
        found.setdefault(frame.file, []).append(row)
    return found.values()


def _stored(source: Source, frame: Frame) -> npt.NDArray[Any]:
    return next(stored(open_dicom(_file(source, frame), pixels=True), [frame.number]))


def _file(source: Source, frame: Frame) -> Source:
    return Path(frame.data.filename) if isinstance(source, Path) else source
