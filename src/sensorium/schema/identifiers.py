"""Find columns that number or name the rows: a model could only memorize the order of the table from them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import as_modality
from sensorium.findings import UNSURE, Guess
from sensorium.table import Column

FEW = 10  # values below which nothing is said to be an identifier
MOSTLY_UNIQUE = 0.9  # share of different values from which short words and whole numbers look like an identifier
ENOUGH = 30  # numbers of which none is there twice by chance, where they fill so much of a range
DENSE = 0.6  # share of a range that different whole numbers fill, from which they number the rows of a larger table
DIGITS = r"^\s*[0-9]{1,18}\s*$"
COUNTERS = ("id", "index", "level_0", "rowid", "rownum", "row_nr", "row_number", "rownames", "row_names", "row.names")
ROW_NAMES = ("index", "level_0", "rownames", "row_names", "row.names")  # names that hold words as well as numbers
NAMES = ("number", "category", "text", None)  # modalities of what may be a name


@dataclass(frozen=True)
class Identifier:
    """Reason why a column is left out, and the flag that uses it."""

    reason: str
    caution: str


def find_identifier(column: Column, modality: str | None, guess: Guess) -> Identifier | None:
    """Return why the column is an identifier of the rows; None if it is not one.

    Args:
        column: all rows.
        modality: the modality that it would have.
        guess: the claim of this modality.
    """
    counted = "" if modality == "date" else _row_numbers(column)
    if index := column.origin.index:
        cure = _flag(column, "number" if counted else modality or "text")
        return Identifier(f"{index}{f' ({counted})' if counted else ''}", f"{cure} (or {_by_name(column)})")
    if counted:
        return Identifier(f"row numbers: {counted}", _flag(column, "number"))
    if _looks_like_identifier(column, modality, guess):
        reason = f"looks like an identifier: {column.distinct:,} different values in {len(column.values):,} cells"
        return Identifier(reason, f"{_flag(column, 'category')} (or text)")
    return None


def _flag(column: Column, modality: str) -> str:
    return f"to use it: {as_modality(column.name, modality)}"


def _by_name(column: Column) -> str:
    if "pandas" in column.origin.index:
        return "call reset_index(), or name it in --columns"
    return "give it a name in the header, or name it in --columns"


def _row_numbers(column: Column) -> str:
    """Describe the row numbers that the column holds; empty if it holds none.

    The sorted values are consecutive, from any start; or most of them are there, as in a part of a larger table.
    """
    count = len(column.values)
    numbers = _whole_numbers(column) if count >= FEW else None
    if numbers is None:
        return ""
    low, high = pc.min_max(numbers).as_py().values()
    length = high - low + 1
    longest = count / DENSE if count >= ENOUGH else count
    if not count <= length <= longest or pc.count_distinct(numbers).as_py() < count:
        return ""
    kind = "consecutive" if length == count else "different"
    return f"{count:,} {kind} whole numbers from {low} to {high}"


def _whole_numbers(column: Column) -> pa.Array | None:
    """Return the values as int64 if each is or spells a whole number."""
    values = column.values
    if column.is_integer:
        return values
    if column.is_float:
        whole = pc.and_(pc.equal(pc.trunc(values), values), pc.less(pc.abs(values), 2.0**53))
        return values.cast(pa.int64()) if _all(whole[:FEW]) and _all(whole) else None
    if column.is_string and _all(pc.match_substring_regex(values[:FEW], DIGITS)):
        spelt = _all(pc.match_substring_regex(values, DIGITS))
        return pc.utf8_trim_whitespace(values).cast(pa.int64()) if spelt else None
    return None


def _all(truths: pa.Array) -> bool:
    return bool(pc.all(truths).as_py())


def _looks_like_identifier(column: Column, modality: str | None, guess: Guess) -> bool:
    """Return whether nearly every row has a unique value that is neither a quantity nor a description."""
    name = column.name.lower()
    if len(column.values) < FEW or column.distinct < MOSTLY_UNIQUE * len(column.values):
        return False
    if name in ROW_NAMES and column.is_string and modality in NAMES:
        return True
    if column.is_integer or (name in COUNTERS and column.is_float and _whole_numbers(column) is not None):
        return name in COUNTERS or name.endswith("_id")
    return column.is_string and guess.confidence < UNSURE and all(map(_single_word, column.sample(200)))


def _single_word(value: str) -> bool:
    # A dot or a slash is left to the modalities: it may be the path of a file.
    return value.isascii() and len(value.split()) == 1 and not set(value) & set("./\\:")
