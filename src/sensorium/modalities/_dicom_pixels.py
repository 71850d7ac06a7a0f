"""Pixels of DICOM frames in the unit of the file, each frame by its own rescale; NaN outside the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.findings import Unreadable, count
from sensorium.modalities._dicom_frames import Frame, positive
from sensorium.modalities._dicom_header import header_of
from sensorium.modalities._scans import Note, Voxels, library

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
NO_AIR = -1024  # Hounsfield units: only what lies outside of a scanner's circle is darker than air
ARRAYS = {"PixelData": "", "FloatPixelData": "Float", "DoubleFloatPixelData": "DoubleFloat"}
FLAT = "a rescale slope of 0 or infinity is read as 1", "check the values of the files"
MOSAIC = ("a mosaic of many slices is read as one image",
          "convert the series to NIfTI with a tool that supports mosaics, such as dcm2niix")  # fmt: skip


def read_frames(data: Any, frames: Sequence[Frame], *, padding: bool) -> Voxels:
    """Read pixels as float32[frames, rows, columns]; colours become grey.

    Args:
        data: the data set of the frames' file, with pixels.
        frames: frames of this file.
        padding: whether padding values become NaN.
    """
    header = header_of(data)
    out = np.empty((len(frames), *header.shape[1:]), np.float32)
    for place, values in enumerate(stored(data, [frame.number for frame in frames])):
        if values.ndim == 3:
            out[place] = values.astype(np.float32)[..., :3] @ LUMA
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            out[place] = _scaled(data, frames[place], values)
        if padding:
            out[place][_is_padding(frames[place], values, out[place])] = np.nan
    return out


def stored(data: Any, numbers: Sequence[int]) -> Iterator[npt.NDArray[Any]]:
    """Yield frames as stored: [rows, columns], or [rows, columns, colours].

    Raises:
        Unreadable: the file contains no image.
    """
    if not any(name in data for name in ARRAYS):
        raise Unreadable("the DICOM file contains no image (a report, a document, a plan …)")
    pixels, many = library("pydicom.pixels"), header_of(data).shape[0]
    compressed = data.file_meta.TransferSyntaxUID.is_compressed
    stray = _stray_bits(data) if not compressed and "PixelData" in data else None
    options: dict[str, Any] = {"allow_excess_frames": False} | ({} if stray is None else {"correct_unused_bits": False})
    if len(numbers) == many:
        whole = pixels.pixel_array(data, **options)
        found = iter([whole] if many == 1 else whole[np.asarray(numbers)])
    else:
        found = pixels.iter_pixels(data, indices=numbers, **options)
    for frame in found:
        if stray is not None:
            frame = np.right_shift(np.left_shift(frame, stray[0]), stray[1])
        yield pixels.apply_color_lut(frame, data) if data.PhotometricInterpretation == "PALETTE COLOR" else frame


def _stray_bits(data: Any) -> tuple[int, int] | None:
    """Return the bits to shift left and then right; old files may have values that do not start at bit 0."""
    bits, used, highest = (data.get(name) for name in ("BitsAllocated", "BitsStored", "HighBit"))
    if highest is None or not used or bits not in (8, 16, 32) or not used - 1 < highest < bits:
        return None
    return bits - 1 - highest, bits - used


def scale_of(frame: Frame) -> tuple[float, float]:
    """Return slope and intercept; 1 and 0 if they are absent or invalid."""
    slope, intercept = frame.get("RescaleSlope"), frame.get("RescaleIntercept")
    if slope is None and frame.data.get("Modality") == "RTDOSE":
        slope = frame.get("DoseGridScaling")
    slope, intercept = (1.0 if slope is None else float(slope)), (0.0 if intercept is None else float(intercept))
    return slope if slope and np.isfinite(slope) else 1.0, intercept if np.isfinite(intercept) else 0.0


def notes_on(frames: Sequence[Frame]) -> list[Note]:
    """Return notes on header values of a volume that cannot be used as they are."""
    slopes = [frame.get("RescaleSlope") for frame in frames]
    lost = sum(slope is None for slope in slopes)
    flat = any(slope is not None and not (slope and np.isfinite(float(slope))) for slope in slopes)
    found = [FLAT] if flat else []
    if 0 < lost < len(frames):
        what = f"{lost:,} of {count(len(frames), 'slice')} have no rescale slope; it is read as 1"
        found.append((what, "check for files that were altered"))
    return found + ([MOSAIC] if "MOSAIC" in frames[0].text("ImageType") else [])


def notes_on_length(data: Any) -> list[Note]:
    """Return a note if a file contains more frames than it declares."""
    frames, rows, columns = header_of(data).shape
    bits = int(data.get("BitsAllocated") or 8) * int(data.get("SamplesPerPixel") or 1)
    if "PixelData" not in data or data.file_meta.TransferSyntaxUID.is_compressed or bits % 8:
        return []
    held = len(data.PixelData) * 8 // (rows * columns * bits)
    if held <= frames:
        return []
    return [(f"the file declares {count(frames, 'frame')} but contains {held:,}; the others are skipped",
             "correct its NumberOfFrames")]  # fmt: skip


def window_of(frame: Frame) -> tuple[float, float] | None:
    """Return the lowest and highest value of the display window."""
    middle, width = frame.number_of("WindowCenter"), positive(frame.number_of("WindowWidth"))
    return (middle - width / 2, middle + width / 2) if np.isfinite(middle) and width else None


def _scaled(data: Any, frame: Frame, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if "ModalityLUTSequence" in data:
        return np.asarray(library("pydicom.pixels").apply_modality_lut(values, data))
    slope, intercept = scale_of(frame)
    return np.asarray(values.astype(np.float32) * np.float32(slope) + np.float32(intercept))


def _is_padding(frame: Frame, values: npt.NDArray[Any], scaled: Voxels) -> npt.NDArray[np.bool_]:
    """Return the mask of padding in a frame: the declared value, or values too dark for any tissue."""
    prefix = next((prefix for name, prefix in ARRAYS.items() if name in frame.data), "")
    low, high = (frame.get(f"{prefix}PixelPadding{end}") for end in ("Value", "RangeLimit"))
    hounsfield = frame.data.get("Modality") == "CT" and (frame.text("RescaleType") or "HU").startswith("HU")
    found = scaled < NO_AIR if hounsfield else np.zeros(values.shape, bool)
    if low is None:
        return found
    ends = [_as_stored(frame.data, end) for end in (low, low if high is None else high)]
    return found | ((values >= min(ends)) & (values <= max(ends)))


def _as_stored(data: Any, value: float) -> float:
    """Return a padding value as pixels store it; the header may write it with another sign or more bits."""
    if not isinstance(value, int) or not data.get("BitsStored"):
        return value
    bits = int(data.BitsStored)
    value %= 2**bits
    return value - 2**bits if data.get("PixelRepresentation") == 1 and value >= 2 ** (bits - 1) else value
