"""Standard streams that the caller closed (`>&-`) are as if they led to /dev/null."""

from __future__ import annotations

import os
import sys
from typing import TextIO, cast


def open_closed_streams() -> None:
    """Before any other file is opened: it would get a stream's number, and what is printed would go into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
    sys.stdin = sys.stdin or _stream(0, "r")
    sys.stdout = sys.stdout or _stream(1, "w")
    sys.stderr = sys.stderr or _stream(2, "w")


def _stream(number: int, mode: str) -> TextIO:
    return cast(TextIO, os.fdopen(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False))
