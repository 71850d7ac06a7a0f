"""DICOM: single images, multi-frame files and folders of a series.

No word of an attribute leaves this file but of one that is asked for by its keyword.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from sensorium.errors import SchemaError, did_you_mean
from sensorium.modalities._files import Source
from sensorium.modalities._scans import Header, Scan, finite, library
from sensorium.problems import Nothing, Unreadable

MAGIC = b"DICM"
MAGIC_AT = 128
DEFLATED, EXPLICIT = b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1"  # transfer syntaxes
INFLATED = 2**28  # bytes that a deflated file may become
YEARS = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}  # units of an age in a year
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
FRAMES = 100_000  # files of a folder, at most
GAP = 1.5  # of the usual distance of slices, from which on some are missing between two
OTHERS = ("the largest of several series in the folder is taken, the others are not",
          "save what is meant as a file of its own")  # fmt: skip
GAPS = ("slices are missing in the middle of the series: read as if the others were neighbours",
        "look for the slices that are missing")  # fmt: skip


def is_dicom(head: bytes) -> bool:
    """Do bytes begin like a DICOM file?"""
    return head[MAGIC_AT : MAGIC_AT + 4] == MAGIC


def has_magic(path: Path) -> bool:
    """Is the file a DICOM file, by its first bytes?"""
    with path.open("rb") as stream:
        return is_dicom(stream.read(MAGIC_AT + 4))


def read_header(source: Source) -> Header:
    """Shape and kind, from tags alone. Raises Unreadable."""
    if isinstance(source, Path) and source.is_dir():
        slices = _series(source)[0]
        return Header((sum(_header(s).shape[0] for s in slices), *_header(slices[0]).shape[1:]), _header(slices[0]).ct)
    return _header(_open(source, pixels=False))


def read_scan(source: Source, max_voxels: int) -> Scan:
    """A file's image or frames; a folder's slices in the order in which they lie in the patient.

    Raises:
        Unreadable: truncated, damaged, too large, of another kind (a report, a document …).
    """
    if isinstance(source, Path) and source.is_dir():
        return _read_series(source, max_voxels)
    _header(_open(source, pixels=False)).refuse_over(max_voxels)
    data = _open(source, pixels=True)
    distance = _positive(_tag(data, "SpacingBetweenSlices")) or _positive(_tag(data, "SliceThickness")) or 1.0
    return Scan(_voxels(data), (distance, *_spacing(data)), _window(data), _inverted(data))


def _read_series(folder: Path, max_voxels: int) -> Scan:
    slices, notes = _series(folder)
    first = slices[0]
    Header((sum(_header(s).shape[0] for s in slices), *_header(first).shape[1:])).refuse_over(max_voxels)
    places, ordered = _in_order(slices)
    voxels = np.concatenate([_voxels(_open(Path(data.filename), pixels=True)) for data in ordered])
    steps = np.diff(places) if places is not None and len(places) > 1 else np.zeros(0)
    distance = float(np.median(steps)) if len(steps) else 0.0
    notes += [GAPS] if _has_gap(steps) else []
    distance = distance or _positive(_tag(first, "SliceThickness")) or 1.0
    window = _window(first) if len(voxels) == 1 else None
    return Scan(voxels, (distance, *_spacing(first)), window, _inverted(first), tuple(notes))


def _has_gap(steps: npt.NDArray[np.float64]) -> bool:
    """Is a step longer than usual? The lower quartile is what is usual, even where many slices are missing."""
    return bool(len(steps) and (steps > GAP * np.quantile(steps, 0.25, method="lower")).any())


def _series(folder: Path) -> tuple[list[Any], list[tuple[str, str]]]:
    """Headers of the largest series, and what is left out. Links are not followed: they may lead outside."""
    files = sorted(path for path in folder.iterdir() if not path.is_symlink() and path.is_file() and has_magic(path))
    groups: dict[tuple[str, ...], list[Any]] = {}
    for path in files[:FRAMES]:
        data = _open(path, pixels=False)
        key = tuple(str(data.get(name, "")) for name in ("SeriesInstanceUID", "Rows", "Columns"))
        if data.get("Rows") and data.get("Columns"):
            groups.setdefault(key, []).append(data)
    if not groups:
        raise Unreadable("a folder without DICOM images")
    largest = max(groups.values(), key=len)
    others = sum(map(len, groups.values())) - len(largest)
    return largest, [OTHERS] if others else []


def _in_order(slices: list[Any]) -> tuple[npt.NDArray[np.float64] | None, list[Any]]:
    """Slices along the normal of their plane, with their places in mm; by number where positions are not told."""
    try:
        axes = np.asarray(slices[0].ImageOrientationPatient, float)
        normal = np.cross(axes[:3], axes[3:])
        places = np.array([np.asarray(data.ImagePositionPatient, float) @ normal for data in slices])
        if np.isfinite(places).all() and len(np.unique(places)) == len(places):
            order = np.argsort(places, kind="stable")
            return places[order], [slices[i] for i in order]
    except (AttributeError, TypeError, ValueError):
        pass
    return None, sorted(slices, key=lambda data: int(data.get("InstanceNumber") or 0))


def representation(keyword: str) -> str:
    """How DICOM's dictionary writes an attribute's value: two letters (PS3.5, section 6.2).

    Raises:
        SchemaError: there is no attribute of this keyword.
    """
    words = library("pydicom.datadict")
    tag = words.tag_for_keyword(keyword)
    if tag is None:
        cure = did_you_mean(keyword, words.keyword_dict) if keyword else ""
        raise SchemaError(f"DICOM has no attribute {keyword!r}", rule="a keyword such as KVP", cure=cure)
    return str(words.dictionary_VR(tag))[:2]


def read_attribute(source: Source, keyword: str) -> list[str | float]:
    """The values of an attribute, of a folder's first slice; ages in years.

    Raises:
        Nothing: the file lacks it, or has it without a value.
        Unreadable: no DICOM file, damaged.
    """
    if isinstance(source, Path) and source.is_dir():
        value = _tag(_series(source)[0][0], keyword)
    else:
        value = _tag(_open(source, pixels=False), keyword)
    several = value if isinstance(value, library("pydicom.multival").MultiValue) else [value]
    found = [_plain(part, representation(keyword)) for part in several if part is not None and str(part).strip()]
    if not found:
        raise Nothing("a DICOM file without this attribute")
    return found


def _plain(value: Any, kind: str) -> str | float:
    if kind == "AS":
        age = re.fullmatch(r"(\d{1,4})([DWMY])", str(value).strip())
        if not age:
            raise Unreadable("an age in another form than 045Y")
        return int(age[1]) / YEARS[age[2]]
    return float(value) if isinstance(value, int | float) else str(value).strip()


def _open(source: Source, *, pixels: bool) -> Any:
    pydicom = library("pydicom")
    if isinstance(source, io.BytesIO):
        packed = _inflated(source)
    else:
        with source.open("rb") as stream:
            packed = _inflated(stream)
    if packed is None:
        return pydicom.dcmread(source, stop_before_pixels=not pixels)
    data = pydicom.dcmread(packed, stop_before_pixels=not pixels)
    data.filename = str(source)  # by which a slice of a series is opened again
    return data


def _inflated(stream: IO[bytes]) -> io.BytesIO | None:
    """A deflated file as a plain one; None where it isn't deflated.

    The library would inflate a few kilobytes to whatever they hold. It is asked what it takes for the transfer syntax,
    since a file can spell that in many ways.

    Raises:
        Unreadable: no DICOM file, truncated, or larger than is safe.
    """
    stream.seek(0)
    if not is_dicom(stream.read(MAGIC_AT + len(MAGIC))):
        raise Unreadable("no DICOM file: its first bytes lack the mark")
    syntax, end = _transfer_syntax(stream), stream.tell()
    stream.seek(0)
    if syntax != DEFLATED.decode():
        return None
    head, unpacker = stream.read(end), zlib.decompressobj(-zlib.MAX_WBITS)
    content = unpacker.decompress(stream.read(), INFLATED)
    stream.seek(0)
    if unpacker.unconsumed_tail:
        raise Unreadable(f"a deflated DICOM file of more than {INFLATED:,} bytes", "save it uncompressed")
    if not unpacker.eof:
        raise Unreadable("damaged or truncated scan")
    return io.BytesIO(head.replace(DEFLATED, EXPLICIT.ljust(len(DEFLATED), b"\0")) + content)


def _transfer_syntax(stream: IO[bytes]) -> Any:
    """As the library reads it, which tries both forms of meta information; leaves the stream at what follows."""
    for implicit in (False, True):
        stream.seek(MAGIC_AT + len(MAGIC))
        read = library("pydicom.filereader").read_dataset
        meta = read(stream, implicit, True, stop_when=lambda tag, *_: tag.group != 2)
        try:
            _ = [meta[tag] for tag in list(meta.keys())[:1]]
        except NotImplementedError:
            continue
        return meta.get("TransferSyntaxUID")
    raise Unreadable("damaged or truncated scan")


def _header(data: Any) -> Header:
    rows, columns = data.get("Rows"), data.get("Columns")
    if not rows or not columns:
        raise Unreadable("a DICOM file that holds no image (a report, a document, a plan …)")
    return Header((int(data.get("NumberOfFrames") or 1), int(rows), int(columns)), data.get("Modality") == "CT")


def _voxels(data: Any) -> npt.NDArray[np.float32]:
    """float32[frames, rows, columns] in the unit that the file's rescale gives; colours as grey."""
    if not any(name in data for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise Unreadable("a DICOM file that holds no image (a report, a document, a plan …)")
    pixels = library("pydicom.pixels")
    header = _header(data)
    values = pixels.pixel_array(data)
    if data.PhotometricInterpretation == "PALETTE COLOR":
        values = pixels.apply_color_lut(values, data)
    if values.size > np.prod(header.shape):
        return (finite(values).reshape(*header.shape, -1)[..., :3] @ LUMA).astype(np.float32)
    if "ModalityLUTSequence" in data:
        return finite(pixels.apply_modality_lut(values, data)).reshape(header.shape)
    slope, intercept = _tag(data, "RescaleSlope"), _tag(data, "RescaleIntercept")
    scaled = values.astype(np.float32) * np.float32(1 if slope is None else slope) + np.float32(intercept or 0)
    return finite(scaled).reshape(header.shape)


def _tag(data: Any, name: str) -> Any:
    """A tag, of the file or (enhanced multi-frame) of what its frames share, or of its first frame."""
    if name in data:
        return data.get(name)
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in list(data.get(groups) or [])[:1]:
            for element in group:
                if element.VR == "SQ" and len(element.value) and name in element.value[0]:
                    return element.value[0].get(name)
    return None


def _spacing(data: Any) -> tuple[float, float]:
    found = _tag(data, "PixelSpacing") or _tag(data, "ImagerPixelSpacing")
    if not isinstance(found, Iterable) or len(list(found)) != 2:
        return 1.0, 1.0
    down, across = found
    return _positive(down) or 1.0, _positive(across) or 1.0


def _window(data: Any) -> tuple[float, float] | None:
    middle, width = (_first(_tag(data, name)) for name in ("WindowCenter", "WindowWidth"))
    if middle is None or not _positive(width):
        return None
    return float(middle) - float(width) / 2, float(middle) + float(width) / 2


def _first(value: Any) -> Any:
    return next(iter(value), None) if isinstance(value, Iterable) and not isinstance(value, str) else value


def _positive(value: Any) -> float:
    number = float(value) if isinstance(value, int | float) else 0.0
    return number if np.isfinite(number) and number > 0 else 0.0


def _inverted(data: Any) -> bool:
    return data.get("PhotometricInterpretation") == "MONOCHROME1"
