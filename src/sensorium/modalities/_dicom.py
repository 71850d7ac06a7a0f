"""DICOM: single images, multi-frame files and folders of a series.

Values of attributes are not passed on, except those requested by keyword.
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
from sensorium.findings import Nothing, Unreadable, count
from sensorium.modalities._dicom_frames import Frame, file_as_frame, frames_of, header_of
from sensorium.modalities._dicom_pixels import notes_on, notes_on_length, read_frames, stored, window_of
from sensorium.modalities._dicom_volume import Volume, volume_of
from sensorium.modalities._files import Source
from sensorium.modalities._scans import Header, Note, Scan, Voxels, finite, library

MAGIC = b"DICM"
MAGIC_AT = 128
DEFLATED, EXPLICIT = b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1"  # transfer syntaxes
INFLATED = 2**28  # bytes to which a deflated file may expand
YEARS = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}  # units of age per year
FILES = 100_000  # files read from a folder, at most
BESIDE = ("dicomdir", "desktop.ini", "thumbs.db")  # files that usually lie beside images
LOOSE = "remove them from the folder, or repair them if they are images"


def is_dicom(head: bytes) -> bool:
    """Return whether bytes start like a DICOM file."""
    return head[MAGIC_AT : MAGIC_AT + 4] == MAGIC


def has_magic(path: Path) -> bool:
    """Return whether a file starts like a DICOM file."""
    with path.open("rb") as stream:
        return is_dicom(stream.read(MAGIC_AT + 4))


def read_header(source: Source) -> Header:
    """Read shape and kind from the header, without pixels. Raises Unreadable."""
    return _shape(_volume(source)[0].frames)


def read_scan(source: Source, max_voxels: int) -> Scan:
    """Read one volume from a file or a folder, with its slices in anatomical order.

    Raises:
        Unreadable: the file is truncated, damaged, too large, or contains no image (a report, a document …).
    """
    volume, notes = _volume(source)
    _shape(volume.frames).refuse_over(max_voxels)
    notes += [*volume.notes, *notes_on(volume.frames)]
    if volume.choice and volume.choice.twins:
        same = all(np.array_equal(_stored(source, one), _stored(source, other)) for one, other in volume.choice.twins)
        notes += volume.choice.if_copies if same else volume.choice.if_volumes
    first = volume.frames[0]
    inverted = first.data.get("PhotometricInterpretation") == "MONOCHROME1"
    voxels, more = _voxels(source, volume.frames)
    window = window_of(first) if len(voxels) == 1 else None
    return Scan(finite(voxels, inverted=inverted), volume.spacing, window, inverted, (*notes, *more))


def _volume(source: Source) -> tuple[Volume, list[Note]]:
    """Return the frames, read from headers only, and notes on skipped files of a folder."""
    if isinstance(source, Path) and source.is_dir():
        headers, notes = _folder(source)
    else:
        headers, notes = [_open(source, pixels=False)], []
    return volume_of([frame for file, data in enumerate(headers) for frame in frames_of(data, file)]), notes


def _shape(frames: list[Frame]) -> Header:
    header = header_of(frames[0].data)
    return Header((len(frames), *header.shape[1:]), header.ct)


def _voxels(source: Source, frames: list[Frame]) -> tuple[Voxels, list[Note]]:
    """Return float32[frames, rows, columns], NaN outside the image, and notes on skipped content."""
    out, notes = np.empty(_shape(frames).shape, np.float32), list[Note]()
    for padding in (True, False):
        for rows in _by_file(frames):
            data = _open(_file(source, frames[rows[0]]), pixels=True)
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
    return next(stored(_open(_file(source, frame), pixels=True), [frame.number]))


def _file(source: Source, frame: Frame) -> Source:
    return Path(frame.data.filename) if isinstance(source, Path) else source


def _folder(folder: Path) -> tuple[list[Any], list[Note]]:
    """Read the headers of a folder's images, sorted by name. Links are not followed: they may lead outside."""
    entries = sorted(folder.iterdir())
    files = [path for path in entries if not path.is_symlink() and path.is_file()]
    found = [path for path in files if has_magic(path)]
    headers = [data for path in found[:FILES] if _is_image(data := _open(path, pixels=False))]
    if not headers:
        inside = any(path.is_dir() for path in entries)
        cure = "name the folder that contains the files themselves" if inside else ""
        raise Unreadable("the folder contains no DICOM images", cure)
    known = {data.filename for data in headers} | {str(path) for path in found[FILES:]}
    loose = sum(str(path) not in known and _may_be_meant(path) for path in entries)
    notes = list[Note]()
    if loose:
        found_loose = f"{count(loose, 'item')} of the folder {'is' if loose == 1 else 'are'} skipped"
        notes.append((f"{found_loose} (not DICOM images, links or folders)", LOOSE))
    if len(found) > FILES:
        notes.append((f"only the first {FILES:,} of {len(found):,} files are read", "split the folder"))
    return headers, notes


def _is_image(data: Any) -> bool:
    try:
        return header_of(data).shape[0] > 0
    except (Unreadable, TypeError, ValueError):
        return False


def _may_be_meant(path: Path) -> bool:
    return not path.name.startswith(".") and path.name.lower() not in BESIDE


def representation(keyword: str) -> str:
    """Return the value representation (VR) of an attribute: two letters (PS3.5, section 6.2).

    Raises:
        SchemaError: DICOM has no attribute with this keyword.
    """
    words = library("pydicom.datadict")
    tag = words.tag_for_keyword(keyword)
    if tag is None:
        cure = did_you_mean(keyword, words.keyword_dict) if keyword else ""
        raise SchemaError(f"DICOM has no attribute {keyword!r}", rule="use a keyword such as KVP", cure=cure)
    return str(words.dictionary_VR(tag))[:2]


def read_attribute(source: Source, keyword: str) -> list[str | float]:
    """Read the values of an attribute, from a folder's first slice; ages are in years.

    Raises:
        Nothing: the attribute is absent or empty.
        Unreadable: the file is damaged or not a DICOM file.
    """
    if isinstance(source, Path) and source.is_dir():
        frame = min(_volume(source)[0].frames, key=lambda frame: (frame.file, frame.number))
    else:
        frame = file_as_frame(_open(source, pixels=False))
    value = frame.get(keyword)
    several = value if isinstance(value, library("pydicom.multival").MultiValue) else [value]
    found = [_plain(part, representation(keyword)) for part in several if part is not None and str(part).strip()]
    if not found:
        raise Nothing("the DICOM file lacks this attribute")
    return found


def _plain(value: Any, kind: str) -> str | float:
    if kind == "AS":
        age = re.fullmatch(r"(\d{1,4})([DWMY])", str(value).strip())
        if not age:
            raise Unreadable("the age is not written like 045Y")
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
    data.filename = str(source)  # to open this slice again
    return data


def _inflated(stream: IO[bytes]) -> io.BytesIO | None:
    """Inflate a deflated file; return None if it is not deflated.

    The library would inflate a few kilobytes without a limit. It also decides which transfer syntax a file has, since
    there are many ways to write it.

    Raises:
        Unreadable: the file is truncated, not a DICOM file, or larger than is safe.
    """
    stream.seek(0)
    if not is_dicom(stream.read(MAGIC_AT + len(MAGIC))):
        raise Unreadable("not a DICOM file: the signature is missing")
    syntax, end = _transfer_syntax(stream), stream.tell()
    stream.seek(0)
    if syntax != DEFLATED.decode():
        return None
    head, unpacker = stream.read(end), zlib.decompressobj(-zlib.MAX_WBITS)
    content = unpacker.decompress(stream.read(), INFLATED)
    stream.seek(0)
    if unpacker.unconsumed_tail:
        raise Unreadable(f"the deflated DICOM file expands to more than {INFLATED:,} bytes", "save it uncompressed")
    if not unpacker.eof:
        raise Unreadable("the scan is damaged or truncated")
    return io.BytesIO(head.replace(DEFLATED, EXPLICIT.ljust(len(DEFLATED), b"\0")) + content)


def _transfer_syntax(stream: IO[bytes]) -> Any:
    """Read the transfer syntax in either encoding, as the library does; the stream is left after the header."""
    for implicit in (False, True):
        stream.seek(MAGIC_AT + len(MAGIC))
        read = library("pydicom.filereader").read_dataset
        meta = read(stream, implicit, True, stop_when=lambda tag, *_: tag.group != 2)
        try:
            _ = [meta[tag] for tag in list(meta.keys())[:1]]
        except NotImplementedError:
            continue
        return meta.get("TransferSyntaxUID")
    raise Unreadable("the scan is damaged or truncated")
