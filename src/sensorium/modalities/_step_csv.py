"""Read a CSV file of numbers, with or without a header, with decimal points or commas."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from sensorium.table import USUAL_SPELLINGS

DECIMAL_COMMA, THOUSANDS = r"^[+-]?[0-9]+(,[0-9]+)?([eE][+-]?[0-9]+)?$", r"^[+-]?[0-9]{1,3}(,[0-9]{3})?$"


def read_csv(content: bytes) -> tuple[pa.Table, bool]:
    first = content.split(b"\n", 1)[0].decode("utf-8-sig").strip()
    separator = max(",;\t", key=first.count)
    named = not all(_is_gap_or_number(field, separator) for field in first.split(separator))
    table = csv.read_csv(
        io.BytesIO(content),
        read_options=csv.ReadOptions(autogenerate_column_names=not named, use_threads=False),
        parse_options=csv.ParseOptions(delimiter=separator),
        convert_options=csv.ConvertOptions(null_values=USUAL_SPELLINGS),
    )
    return table if separator == "," else _decimal_commas(table), named


def _decimal_commas(table: pa.Table) -> pa.Table:
    """Read numbers such as 0,5 if the separator is not a comma; an ambiguous number such as 1,234 stays text."""
    for place, name in enumerate(table.column_names):
        cells = table.column(place)
        if not pa.types.is_string(cells.type) or not pc.all(pc.match_substring_regex(cells, DECIMAL_COMMA)).as_py():
            continue
        if not pc.all(pc.match_substring_regex(cells, THOUSANDS)).as_py():
            numbers = pc.replace_substring(cells, ",", ".").cast(pa.float64())
            table = table.set_column(place, name, numbers)
    return table


def _is_gap_or_number(field: str, separator: str) -> bool:
    field = field.strip()
    return field in USUAL_SPELLINGS or _is_number(field if separator == "," else field.replace(",", "."))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
