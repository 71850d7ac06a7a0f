"""Errors that Python's archive readers raise for archives that are damaged or packed in an unsupported way."""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib

# RuntimeError: encrypted; NotImplementedError, which is one: a newer version of zip; ValueError: a name or a place;
# IndexError: a name of no characters.
UNREADABLE_ZIP = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError, RuntimeError, ValueError,
    OverflowError, IndexError,
)  # fmt: skip
# ValueError: an invalid number in an extended header, or a name that is not UTF-8.
UNREADABLE_TAR = (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, IndexError)
