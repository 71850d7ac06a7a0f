"""Cells that hold a file as a dict: its bytes, its path, or the place of a part of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

BYTES, PATH = "bytes", "path"
FILE_FIELDS = frozenset({BYTES, PATH})  # the form of files in data sets; tar shards have the fields of `part_of_file`


@dataclass(frozen=True, slots=True)
class FileCell:
    """Cell that holds or names a file.

    The fields are those of the dict. Its values are not checked, because users write such cells too.

    Attributes:
        content: the bytes of the file.
        path: the path of the file, or of the file that the cell is a part of.
        member: the name of the part.
        offset: where the part starts.
        size: the length of the part in bytes.
    """

    content: Any = None
    path: Any = None
    member: Any = None
    offset: Any = None
    size: Any = None

    @classmethod
    def of(cls, cell: Mapping[str, Any]) -> Self:
        return cls(cell.get(BYTES), cell.get(PATH), cell.get("member"), cell.get("offset"), cell.get("size"))

    @property
    def is_part(self) -> bool:
        return self.offset is not None

    @property
    def source(self) -> Any:
        """Return what is opened unless the cell is a part: bytes, or a path."""
        return self.content or self.path

    @property
    def name(self) -> Any:
        """Return the name whose suffix is that of the format."""
        return self.member or self.path

    @property
    def span(self) -> tuple[str, int, int] | None:
        """Return path, offset and size of a part; None if they are not a path and whole numbers of at least 0."""
        path, offset, size = self.path, self.offset, self.size
        if isinstance(path, str) and isinstance(offset, int) and isinstance(size, int) and min(offset, size) >= 0:
            return path, offset, size
        return None


def part_of_file(path: str, member: str, offset: int, size: int) -> dict[str, Any]:
    """Return the cell of a part of a file, such as a member of a tar shard."""
    return {PATH: path, "member": member, "offset": offset, "size": size}
