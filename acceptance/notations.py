"""Numbers written in some notation are read as written, or `inspect` says that something was not.

A case is a column of known numbers, written the same way in every cell, in a table that may hold a second column of the
same locale. No cell may be read as another number without a word in the column's reason, caution or faults.
"""

import random
from typing import NamedTuple

import numpy as np

import sensorium

CASES = 10_000
ROWS = 30
SPACES = {"space": " ", "no-break space": "\u00a0", "narrow space": "\u202f", "thin space": "\u2009"}
LOCALES = [
    ("1,234.5", ",", "."),
    ("1.234,5", ".", ","),
    *((f"1{space}234,5", space, ",") for space in SPACES.values()),
    *((f"1{space}234.5", space, ".") for space in SPACES.values()),
    ("1'234.5", "'", "."),
    ("1’234.5", "’", "."),
    ("1234.5", "", "."),
    ("1234,5", "", ","),
]
NEGATIVES = ["-{}", "\u2212{}", "({})", "{}-", "- {}"]
UNITS = ["{}", "{}", "{}", "${}", "{} €", "€{}", "EUR {}", "{} USD", "£{}", "{}%", "{} %", "¥{}"]
GAPS = ["", "n/a", "NA", "n.b.", "k.A.", "-", "?", "null", "NaN", "None", "missing", "unknown"]


class Style(NamedTuple):
    """How the numbers of a column are written."""

    group: str
    point: str
    decimals: int
    negative: str
    unit: str
    gap: str


def check(case: int) -> str | None:
    """What is read of a made column against what was written."""
    draw = random.Random(case)
    _, group, point = draw.choice(LOCALES)
    style = Style(group, point, draw.choice([0, 1, 2, 2, 3]), draw.choice(NEGATIVES), draw.choice(UNITS), "")
    style = style._replace(gap=draw.choice(GAPS) if draw.random() < 0.5 else "")
    if style.unit.strip("{} %"):
        style = style._replace(decimals=draw.choice([0, 2, 2]))  # no one writes a thousandth of a dollar
    largest = draw.choice([1, 10, 1_000, 100_000, 10_000_000])
    signed = draw.random() < 0.4
    values = [round(draw.uniform(-largest if signed else 0, largest), style.decimals) for _ in range(ROWS)]
    gaps = [bool(style.gap) and draw.random() < 0.1 for _ in range(ROWS)]
    cells = [style.gap if gap else write(value, style) for value, gap in zip(values, gaps, strict=True)]
    written = [value for value, gap in zip(values, gaps, strict=True) if not gap]
    table = {"v": cells, "z": [draw.gauss(0, 1) for _ in range(ROWS)], "label": ["a", "b"] * (ROWS // 2)}
    if draw.random() < 0.3:
        table["w"] = [write(round(draw.uniform(1_000, 9_999), 2), style._replace(decimals=2)) for _ in range(ROWS)]
    return compare(table, np.array(written), style)


def compare(table: dict[str, list[object]], written: np.ndarray, style: Style) -> str | None:
    """None where the column is read as written, or its report says what was not."""
    column = sensorium.inspect(table, target="label", every=True).columns[0]
    told = f"{column.caution} {'; '.join(column.unreadable)}".strip()
    shown = f"{table['v'][:4]} → {column.modality}: {column.reason} | {told or 'nothing told'}"
    if column.modality != "number":
        return None if told or len(set(written.tolist())) < 3 else f"not a number, and nothing told: {shown}"
    read = np.sort(column.overview.figures["value"])
    expected = np.sort(written / 100 if "%" in style.unit and "fraction" in column.reason else written)
    if len(read) == len(expected) and np.allclose(read, expected, rtol=1e-9, atol=1e-9):
        return None
    return None if told else f"other numbers, and nothing told: {shown}, read {read[:4]}, written {expected[:4]}"


def write(value: float, style: Style) -> str:
    """A number in the column's style."""
    text = f"{abs(value):,.{style.decimals}f}".replace(",", "\0").replace(".", style.point).replace("\0", style.group)
    text = style.unit.format(text)
    return style.negative.format(text) if value < 0 else text
