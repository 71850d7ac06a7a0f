"""Count lines and find blank lines in bytes, which is fast for files of millions of lines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

CHUNK = 1 << 18  # bytes looked at together: they stay in the processor's cache
LF, CR, QUOTE, BACKSLASH = b'\n\r"\\'


def count_lines(data: bytes, start: int, end: int) -> int:
    """Count the lines between two positions of a text, for any line breaks, the last line with or without one."""
    if start >= end:
        return 0
    view = np.frombuffer(data, np.uint8)
    return _breaks(view, start, end) + (data[end - 1] not in (LF, CR))


def end_of_text(data: bytes) -> int:
    """Return the start of the blank lines at the end."""
    end = len(data)
    while end and data[end - 1] in b"\r\n \t\x1a\0":
        end -= 1
    return end


def line_of(data: bytes, place: int) -> int:
    """Return the number of the line that contains a position, counted from 1."""
    return count_lines(data, 0, place + 1) if data[place] not in (LF, CR) else count_lines(data, 0, place)


def line_at(data: bytes, place: int) -> bytes:
    """Return the line that contains a position."""
    start = max(data.rfind(b"\n", 0, place), data.rfind(b"\r", 0, place)) + 1
    ends = [found for found in (data.find(b"\n", place), data.find(b"\r", place, place + 100_000)) if found >= 0]
    return data[start : min(ends, default=len(data))]


def lone_quotes(data: bytes, separator: str, most: int) -> list[int]:
    """Return positions of quotes inside unquoted cells, up to about `most` of them."""
    found, whole = list[int](), np.frombuffer(data, np.uint8)
    for start in range(0, len(data), CHUNK):
        part = whole[max(0, start - 1) : start + CHUNK + 1]
        quotes = part == QUOTE
        ordinary = part > CR  # tabs and line breaks are below
        ordinary &= part != ord(separator)
        ordinary &= ~quotes
        lone = quotes[1:-1] & ordinary[:-2] & ordinary[2:]
        if lone.any():
            found += (np.flatnonzero(lone) + max(1, start)).tolist()
        if len(found) >= most:
            break
    return found


def count_in_cells(column: pa.ChunkedArray, character: int) -> npt.NDArray[np.int64]:
    """Count an ASCII character in each cell of text; three times as fast as Arrow's search."""
    found = []
    for chunk in column.chunks:
        text, ends = _text_of(chunk)
        places = np.flatnonzero(text == character)
        if len(places) < len(chunk):
            found.append(np.bincount(np.searchsorted(ends[1:], places, side="right"), minlength=len(chunk)))
        else:
            found.append(np.diff(np.searchsorted(places, ends)))
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def count_in_column(column: pa.ChunkedArray) -> int:
    """Count the line breaks in all cells of a column."""
    texts = [_text_of(chunk)[0] for chunk in column.chunks]
    return sum(_breaks(text, 0, text.size) for text in texts)


def _text_of(chunk: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Return the bytes of all cells, and the start and end of each."""
    text = np.frombuffer(chunk.buffers()[2] or b"", np.uint8)
    if not len(chunk):
        return text[:0], np.zeros(1, np.int32)
    ends = np.frombuffer(chunk.buffers()[1], np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return text[ends[0] : ends[-1]], ends - ends[0]


def _breaks(text: npt.NDArray[np.uint8], start: int, end: int) -> int:
    """Return line feeds, and carriage returns without a following line feed."""
    found = 0
    for place in range(start, end, CHUNK):
        part = text[place : min(end, place + CHUNK)]
        found += int(np.count_nonzero(part == LF))
        returns = part == CR
        if returns.any():
            after = text[place + 1 : place + 1 + len(part)]
            pairs = returns[: len(after)] & (after == LF)
            found += int(np.count_nonzero(returns)) - int(np.count_nonzero(pairs))
    return found
