"""Handle quotes in a CSV file that do not follow the CSV rules."""

from __future__ import annotations

import re

from sensorium.config import TableConfig
from sensorium.findings import Problem, count
from sensorium.table._lines import BACKSLASH, line_at, line_of, lone_quotes
from sensorium.table._read import finding
from sensorium.table._records import strict_fault

ESCAPED = re.compile(rb'(?<!\\)((?:\\\\)*)\\"')  # a quote after an odd number of backslashes
BEGINNING = 20_000  # bytes that show how a file writes quotes
LOOKED_AT = 2000  # odd quotes whose lines are parsed
MOST = 0.8  # of the lines with quotes after backslashes that only make sense so


def straighten_quotes(data: bytes, separator: str, config: TableConfig) -> tuple[bytes, list[Problem]]:
    """Return the text with quotes after backslashes doubled (if the file escapes quotes like this), and findings."""
    if config.quotes == "none" or data.find(b'"') < 0:
        return data, []
    if _has_blanks(data, separator):
        message = finding("blanks between a separator and a quote are ignored", "remove them, or set table.quotes=none")
        found, more = straighten_quotes(_blanks(separator).sub(rb'\1"', data), separator, config)
        return found, [message, *more]
    if config.quotes == "backslash":
        return ESCAPED.sub(rb'\1""', data), []
    odd = lone_quotes(data, separator, LOOKED_AT)
    if config.quotes is None and (first := _first_escape(data, separator, odd)) >= 0:
        reason = f'quotes are escaped as \\" and read accordingly (first: line {line_of(data, first)})'
        return ESCAPED.sub(rb'\1""', data), [finding(reason, "set table.quotes=double if backslashes are text")]
    return data, _malformed(data, separator, odd)


def _blanks(separator: str) -> re.Pattern[bytes]:
    """Report blanks before the quote that opens a cell."""
    return re.compile(rb'(%s) +"(?!")' % re.escape(separator.encode()))


def _has_blanks(data: bytes, separator: str) -> bool:
    """Return whether most of the first lines have blanks before quotes."""
    lines = data[:BEGINNING].splitlines()
    found = _blanks(separator)
    return len(lines) > 1 and sum(bool(found.search(line)) for line in lines) > len(lines) / 2


def _first_escape(data: bytes, separator: str, odd: list[int]) -> int:
    """Return the position of the first quote after a backslash if such lines cannot be parsed otherwise; else −1."""
    places = [place for place in odd if data[place - 1] == BACKSLASH]
    lines = [line_at(data, place).decode("utf-8", "replace") for place in places]
    odd_lines = [
        strict_fault(line, separator) and not strict_fault(line, separator, escapechar="\\", doublequote=False)
        for line in lines
    ]
    return places[0] if places and sum(odd_lines) > MOST * len(places) else -1


def _malformed(data: bytes, separator: str, odd: list[int]) -> list[Problem]:
    """Report lines in which text follows a closing quote; the text is added to the cell, without the quotes."""
    lines = dict[bytes, int]()
    for place in odd:
        lines.setdefault(line_at(data, place), place)
    wrong = [place for line, place in lines.items() if strict_fault(line.decode("utf-8", "replace"), separator)]
    if not wrong:
        return []
    number = f"at least {len(wrong):,} lines" if len(odd) >= LOOKED_AT else count(len(wrong), "line")
    reason = f"{number} with text right after a closing quote (first: line {line_of(data, wrong[0])})"
    cure = 'write a quote inside a quoted cell twice (""), or set table.quotes=none if quotes are ordinary characters'
    return [finding(f"{reason}; the cell is read without these quotes", cure)]
