"""Ogg files: several streams end to end in one file (chained), and truncated files."""

from __future__ import annotations

from dataclasses import dataclass

from sensorium.modalities._content import Content

MARK = b"OggS"
HEAD = 27  # bytes of a page's header before its list of segments
FIRST = 2  # flag of a stream's first page


@dataclass(frozen=True)
class Links:
    """Start of each stream of a file, and end of the last one; `cut` if the file ends within a page."""

    starts: tuple[int, ...]
    end: int
    cut: bool

    def parts(self) -> list[slice]:
        """Return the slice of each stream, which is a complete file."""
        return [slice(*ends) for ends in zip(self.starts, (*self.starts[1:], self.end), strict=True)]


def find_links(content: Content) -> Links:
    """Find the streams (RFC 3533): each starts with the first pages of its bitstreams; pages of audio follow."""
    starts, start, at_start, cut = list[int](), 0, False, False
    while (start := content.find(MARK, start)) >= 0:
        size = _size(content, start)
        if size is None or start + size > len(content):
            cut = True
            break
        first = bool(content[start + 5 : start + 6][0] & FIRST)
        if first and not at_start:
            starts.append(start)
        at_start = first
        start += size
    return Links(tuple(starts), len(content), cut)


def _size(content: Content, start: int) -> int | None:
    """Return the bytes of a page; None if its header is truncated."""
    head = content[start : start + HEAD]
    if len(head) < HEAD:
        return None
    segments = content[start + HEAD : start + HEAD + head[26]]
    return HEAD + head[26] + sum(segments) if len(segments) == head[26] else None
