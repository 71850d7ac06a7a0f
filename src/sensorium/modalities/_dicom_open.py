"""Open DICOM files, also deflated ones, whose expansion is bounded."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import IO, Any

from sensorium.findings import Unreadable
from sensorium.modalities._files import Source
from sensorium.modalities._scans import library

MAGIC = b"DICM"
MAGIC_AT = 128
DEFLATED, EXPLICIT = b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1"  # transfer syntaxes
INFLATED = 2**28  # bytes to which a deflated file may expand


def is_dicom(head: bytes) -> bool:
    """Return whether bytes start like a DICOM file."""
    return head[MAGIC_AT : MAGIC_AT + 4] == MAGIC


def has_magic(path: Path) -> bool:
    """Return whether a file starts like a DICOM file."""
    with path.open("rb") as stream:
        return is_dicom(stream.read(MAGIC_AT + 4))


def open_dicom(source: Source, *, pixels: bool) -> Any:
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
