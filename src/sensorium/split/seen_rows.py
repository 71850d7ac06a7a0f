"""Detect rows that a model was trained on, by hashes of a sample of the training rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import Problem, Unreadable, count
from sensorium.table import Column, Floats, Rows, Table, evenly_spaced

Hashes: TypeAlias = npt.NDArray[np.uint64]

MOST = 2000  # training rows of a fit whose hashes a model keeps
FITS = 10  # of a model that is continued
LOOKED_AT = 100_000  # rows of another table that are looked up
CHUNK = 1024  # rows hashed at a time
TAIL = 4096  # bytes of a file that tell it from others of its name and size
DIGITS = 16  # of a hash, as text
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
CURE = "evaluate rows that the model was not fitted on; if the table of the fit is unchanged, its test rows are used"


@dataclass(frozen=True)
class RowCells:
    """Columns that the hash of a row covers.

    Attributes:
        columns: names in the model's order, the target last.
        files: names of columns whose cells may be paths of files.
    """

    columns: Sequence[str]
    files: Collection[str] = ()


@dataclass(frozen=True, eq=False)
class SeenRows:
    """Hashes of the training rows of one fit, evenly spaced if there are many.

    Attributes:
        hashes: uint64[k].
        rows: n ≥ k training rows.
        chance: share of the fit's test rows that also have one of these hashes; in tables with few distinct rows, new
            rows may equal training rows.
    """

    hashes: Hashes
    rows: int
    chance: float = 0.0

    @classmethod
    def of(cls, table: Table, cells: RowCells, train: Rows, test: Rows) -> SeenRows:
        parts = [rows[evenly_spaced(len(rows), MOST)] for rows in (train, test)]
        hashes, others = np.split(hash_rows(table, cells, np.concatenate(parts)), [len(parts[0])])
        return cls(hashes, len(train), float(np.isin(others, hashes).mean()) if len(others) else 0.0)

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "chance": self.chance, "hashes": self.hashes.astype(">u8").tobytes().hex()}

    @classmethod
    def of_json(cls, rows: int, chance: float, hashes: str) -> SeenRows:
        return cls(np.frombuffer(bytes.fromhex(hashes), ">u8").astype(np.uint64), rows, chance)

    def weigh(self, hashes: Hashes) -> Floats:
        """Return how many training rows each row of a table stands for; 0 if new rows would match as often."""
        found, usual = np.isin(hashes, self.hashes), self.chance * len(hashes)
        if found.sum() <= usual + 2 * sqrt(usual * (1 - self.chance)):
            return np.zeros(len(hashes))
        return np.where(found, self.rows / len(self.hashes), 0.0)


def add_fit(seen: Sequence[SeenRows], last: SeenRows) -> list[SeenRows]:
    """Add the hashes of another fit of a continued model; a second stage on the same rows adds none."""
    others = [each for each in seen if not np.array_equal(each.hashes, last.hashes)]
    return [*others, last][-FITS:]


def find_seen(seen: Sequence[SeenRows], table: Table, cells: RowCells) -> list[Problem]:
    """Report rows of a table that are training rows; return nothing if the table lacks a column of the model."""
    looked = evenly_spaced(len(table), LOOKED_AT)
    found = min(float(weigh_rows(seen, table, cells, looked).sum()), float(len(looked)))
    if not found:
        return []
    exact = len(looked) == len(table) and all(len(each.hashes) == each.rows for each in seen)
    said = f"{found:,.0f} of {count(len(table), 'row')}" if exact else _about(found / len(looked), len(table))
    verb = "was a training row" if exact and found == 1 else "were training rows"
    return [Problem(None, "", f"{said} {verb}: the metrics overestimate performance on new rows", CURE)]


def weigh_rows(seen: Sequence[SeenRows], table: Table, cells: RowCells, rows: Rows) -> Floats:
    """Return how many training rows each of the rows stands for; zeros if the table lacks a column of the model."""
    if not seen or not len(rows) or any(name not in table for name in cells.columns):
        return np.zeros(len(rows))
    hashes = hash_rows(table, cells, rows)
    weights: Floats = np.max([each.weigh(hashes) for each in seen], 0)
    return weights


def hash_rows(table: Table, cells: RowCells, rows: Rows) -> Hashes:
    """Return uint64[n] hashes of some rows; cells count as text, so that CSV and Parquet files give the same."""
    columns = [table.column(name) for name in cells.columns]
    found = []
    for start in range(0, len(rows), CHUNK):
        parts = [column.take(rows[start : start + CHUNK]) for column in columns]
        texts = [_with_files(part) if part.name in cells.files else _texts(part) for part in parts]
        found += [_digest(text.encode()) for text in _joined(texts).to_pylist()]
    return np.frombuffer(b"".join(found), ">u8").astype(np.uint64)


def _texts(column: Column) -> pa.Array:
    """Return cells in one spelling: numbers by value, text without case and blanks around it."""
    if column.parts:
        return _joined([_texts(part) for part in column.parts.values()])
    kind = column.data.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array(
            [None if cell is None else _digest(cell).hex() for cell in column.data.to_pylist()], pa.string()
        )
    if column.is_number:
        return _number_texts(column, column.data.cast(pa.float64(), safe=False))
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(column.strings))
    spelt = pc.if_else(pc.match_substring_regex(texts, NUMBER), texts, pa.scalar(None, pa.string()))
    return pc.coalesce(_number_texts(column, spelt.cast(pa.float64())), texts)


def _number_texts(column: Column, values: pa.Array) -> pa.Array:
    return replace(column, data=values, spelling=None).strings


def _with_files(column: Column) -> pa.Array:
    """Return paths with size and last bytes of their files, as several folders may use the same names."""
    texts = _texts(column)
    if not column.is_string:
        return texts
    marks = [None if cell is None else _file_mark(column, cell) for cell in column.data.to_pylist()]
    return _joined([texts, pa.array(marks, pa.string())])


def _file_mark(column: Column, cell: str) -> str:
    try:
        path = column.files.path(cell)
        size = path.stat().st_size
        with path.open("rb") as stream:
            stream.seek(max(0, size - TAIL))
            return f"{size} {_digest(stream.read(TAIL)).hex()}"
    except (Unreadable, OSError):
        return ""


def _joined(texts: Sequence[pa.Array]) -> pa.Array:
    return pc.binary_join_element_wise(*texts, "\x1f", null_handling="replace", null_replacement="\x00")


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGITS // 2).digest()


def _about(share: float, rows: int) -> str:
    return f"{'less than 1%' if share < 0.01 else f'about {share:.0%}'} of {count(rows, 'row')}"
