"""Read the first lines of a CSV file: lines above the header, the separator, the names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sensorium.config import TableConfig, set_value
from sensorium.errors import TableError
from sensorium.findings import Problem, count
from sensorium.table._aligned import refuse_aligned
from sensorium.table._halves import refuse_halves
from sensorium.table._header_doubts import header_doubts, refuse_title
from sensorium.table._read import finding
from sensorium.table._records import LINE, Record, end_of_line, records
from sensorium.table._separator import ALONE, NAMES, agreed_width, find_separator, sample_rows, set_separator

DECLARED = re.compile(
    r'^"?sep=([!#-/:-@\[-`{-~\t ])"?[,;\t| ]*$', re.IGNORECASE
)  # what Excel writes, and reads, above the header
BLANKS = " \t\u00a0\u200b\ufeff"


@dataclass(frozen=True)
class Head:
    """Header of a CSV file.

    Attributes:
        names: column names, without blanks around them.
        separator: one character.
        lines: number of lines of the file before the first row.
        size: size of these lines in bytes of UTF-8.
        extra: number of names, the last ones, that were added for cells without a name.
        problems: what was guessed or changed.
    """

    names: list[str]
    separator: str
    lines: int
    size: int
    extra: int = 0
    problems: Sequence[Problem] = ()


def read_head(sample: str, config: TableConfig, place: str, *, tabs: bool = False) -> Head:
    """Read the header of a table.

    Args:
        sample: the beginning of the file.
        config: the settings.
        place: the file, for messages.
        tabs: whether the file's name suggests tabs as the separator.

    Raises:
        TableError: there is no header, or the line does not look like one.
    """
    above, start, declared = _above(sample, config)
    text = sample[start:]
    if not text.strip():
        raise TableError("the file is empty", place=place, rule="a header line, then rows")
    separator = set_separator(config.separator) or declared or find_separator(text, config, tabs=tabs)
    header, *rows = sample_rows(text, separator, config)
    refuse_halves(header, rows, separator, place)
    refuse_aligned(header, rows, text, config, place)
    refuse_title(header, rows, text, config, place, line=above + 1)
    names, findings = _clean(_evened(_spelt(header, text, separator, config), rows))
    end = start + end_of_line(text, header.last)
    findings += header_doubts(names, rows, above)
    findings += _one_column(names, text, separator, config)
    extra = max(0, len(names) - len(header.cells))
    return Head(names, separator, above + header.last, len(sample[:end].encode()), extra, findings)


def _spelt(header: Record, text: str, separator: str, config: TableConfig) -> list[str]:
    """Return names with leading blanks, to report them, unless a quote follows the blanks."""
    found = next(records(text, separator, config.quotes)).cells
    plain = len(found) == len(header.cells) and not any(name.lstrip().startswith('"') for name in found)
    return found if plain else header.cells


def _above(sample: str, config: TableConfig) -> tuple[int, int, str | None]:
    """Return lines above the header, their size in characters, and the separator that one of them declares."""
    lines, end, declared = 0, 0, None
    while end < len(sample):
        found = LINE.match(sample, end)
        line = found.group(1) if found else ""
        passed = lines < config.skip_rows or not line.strip(BLANKS + ",;|")
        passed = passed or bool(config.comment and line.lstrip().startswith(config.comment))
        if not passed:
            sep = None if declared else DECLARED.match(line)
            if not sep:
                break
            declared = sep.group(1)
        lines, end = lines + 1, found.end() if found else len(sample)
    return lines, end, declared


def _evened(names: list[str], rows: Sequence[Record]) -> list[str]:
    """Drop empty cells from separators at the end of every row, or of the header alone."""
    width = agreed_width(rows)
    if width > len(names) and not any(cell.strip() for row in rows for cell in row.cells[len(names) :]):
        return names + [""] * (width - len(names))
    if 0 < width < len(names) and not any(name.strip(BLANKS) for name in names[width:]):
        return names[:width]
    return names


def _one_column(names: list[str], text: str, separator: str, config: TableConfig) -> list[Problem]:
    """Report a single column that may be several with another separator."""
    if len(names) > 1:
        return []
    if config.separator is None:
        reason = "the header has one column, so each line is read as one cell, separators included"
        return [finding(reason, "set table.separator if the lines hold several cells")] if separator == ALONE else []
    other = find_separator(text, config)
    width = len(sample_rows(text, other, config)[0].cells)
    if width == 1 or separator == ALONE:
        return []
    reason = f"table.separator={config.separator!r} gives one column, but {other!r} would give {width}"
    return [finding(reason, f"{set_value('table.separator', NAMES.get(other, other))} (or remove the setting)")]


def _clean(names: list[str]) -> tuple[list[str], list[Problem]]:
    """Return names without surrounding blanks, unless two would become equal."""
    clean = [name.strip(BLANKS) for name in names]
    changed = [name for name, other in zip(names, clean, strict=True) if name != other]
    if not changed or len(set(clean)) < len(set(names)):
        return names, []
    shown = ", ".join(map(repr, changed[:3])) + (" …" if len(changed) > 3 else "")
    return clean, [finding(f"blanks around {count(len(changed), 'column name')} are removed: {shown}")]
