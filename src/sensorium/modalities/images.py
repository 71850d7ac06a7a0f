"""Several pictures in one cell: a set, such as the photos of a house or the views of a product."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import PositiveInt

from sensorium.modalities._base import Encoded, Facts, Modality, Ragged, Work
from sensorium.modalities._files import decode_cells
from sensorium.modalities.image import Image
from sensorium.problems import Problem
from sensorium.schema import Guess
from sensorium.table import Column

MOST = 16  # pictures kept of a cell by default, at most


@dataclass(frozen=True)
class Images(Modality):
    """Pictures without an order: a list of paths (or of bytes), as a list cell or as JSON text.

    Encodes to Ragged uint8[total pictures, size, size, channels]. A picture that can't be decoded is left out with its
    reason; a cell without any is missing.

    Attributes:
        size, channels, fit: of each picture, as of an image.
        most: pictures of a cell; the rest is cut.
    """

    encoder: ClassVar[str] = "frames_cnn"
    kept: ClassVar[bool] = True

    size: int
    channels: int
    fit: str
    ground: int
    max_pixels: int
    most: int

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        flat, owners = _flat(column.take(_some_rows(column)))
        found = Image.looks_like(flat) if len(flat) else None
        if not found:
            return None
        count = len(flat) / max(1, len(np.unique(owners)))
        return replace(found, reason=f"lists of files, {count:.1f} a cell; {found.reason}")

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        size: PositiveInt | None = None,
        channels: Literal[1, 3] | None = None,
        fit: Literal["stretch", "pad", "crop"] = "stretch",
        most: PositiveInt | None = None,
    ) -> Self:
        """Args:
        column: training rows.
        size: side in pixels; by default the median shorter side of the training pictures, between 16 and 64.
        channels: 1 grey, 3 RGB; by default 1 where all training pictures looked at are grey.
        fit: stretch to a square, pad it, or crop its middle.
        most: pictures kept of a cell; by default as many as 99% of the training cells have, at most 16.
        """
        flat, owners = _flat(column)
        one = Image.learn(flat, size=size, channels=channels, fit=fit)
        counts = np.unique(owners, return_counts=True)[1]
        most = most or (min(MOST, int(np.quantile(counts, 0.99, method="higher"))) if len(counts) else MOST)
        return cls(one.size, one.channels, one.fit, one.ground, one.max_pixels, most)

    @property
    def _picture(self) -> Image:
        return Image(self.size, self.channels, self.fit, self.ground, self.max_pixels)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        flat, owners = _flat(column, self.most)
        values = np.zeros((len(flat), self.size, self.size, self.channels), np.uint8)
        there, problems = decode_cells(flat, self._picture.decode, Work(work.workers), values.__setitem__)
        counts = np.bincount(owners[there], minlength=len(column))
        work.advance(len(column))
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        told = [replace(problem, row=int(owners[problem.row])) for problem in problems]
        return Encoded(Ragged(values[there], offsets), counts > 0, _without_cell(told) + _no_lists(column))

    def facts(self) -> Facts:
        return {"channels": self.channels, "size": self.size, "ordered": False}

    def describe(self) -> str:
        return f"at most {self.most} pictures of {self._picture.describe()}"


def _some_rows(column: Column) -> npt.NDArray[np.int64]:
    rows = np.flatnonzero(column.present)
    return rows[np.unique(np.linspace(0, max(0, len(rows) - 1), min(200, len(rows))).astype(np.int64))]


def _flat(column: Column, most: int | None = None) -> tuple[Column, npt.NDArray[np.int64]]:
    """All pictures as one column, and the row that each belongs to."""
    cells = [(_listed(cell) or [])[:most] for cell in column.data.to_pylist()]
    parts = [part for cell in cells for part in cell]
    owners = np.repeat(np.arange(len(cells)), [len(cell) for cell in cells])
    try:
        return replace(column, data=pa.array(parts, None if parts else pa.string())), owners
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # no list of files
        return replace(column, data=pa.array([], pa.string())), owners[:0]


def _listed(cell: Any) -> list[Any] | None:
    """A list cell, or JSON text of a list; None where it is neither."""
    if isinstance(cell, str) and cell.lstrip().startswith("["):
        try:
            cell = json.loads(cell)
        except ValueError:
            return None
    return [part for part in cell if part is not None] if isinstance(cell, list) else None


def _without_cell(problems: list[Problem]) -> list[Problem]:
    """A picture of several is left out; its cell is not missing."""
    return [replace(p, reason=p.reason.replace("read as missing", "left out of its cell")) for p in problems]


def _no_lists(column: Column) -> list[Problem]:
    cure = 'a list, or JSON text such as ["front.jpg", "back.jpg"]'
    return [
        Problem(row, column.name, "no list of pictures: read as missing", cure, str(cell)[:80])
        for row, cell in enumerate(column.data.to_pylist())
        if cell is not None and _listed(cell) is None
    ]
