"""Report how a column of numbers was read."""

from __future__ import annotations

from collections.abc import Iterable

from sensorium.config import set_value
from sensorium.findings import IN_TRAINING, Problem, be, count
from sensorium.modalities._letters import letter_notes
from sensorium.modalities._number_cures import of_column_alone
from sensorium.modalities._number_words import gaps_in_words, limits_in_words
from sensorium.modalities._numbers import INFINITE
from sensorium.table import (
    NAMES,
    Notation,
    Survey,
)


def about_infinite(problems: Iterable[Problem], cells: int) -> list[tuple[str, str]]:
    """Return notes on the infinite values of a column with `cells` cells."""
    number = sum(problem.reason == INFINITE for problem in problems)
    verb = be(number)
    reason = f"{number:,} of {count(cells, 'cell')}{IN_TRAINING} {verb} infinite and {verb} read as missing"
    return [(reason, "correct the table if these values are known")] if number else []


def notes(found: Survey, name: str) -> list[tuple[str, str]]:
    """Return notes on the column as a whole, pairs of a reason and how to fix it; its rows are the training rows."""
    counts, notation, said = found.counts, found.notation, list[tuple[str, str]]()
    if found.guessed:
        said.append(_guessed(found, name))
    if notation.mixed:
        points, commas = (count(counts.decimals[mark], "cell") for mark in ".,")
        marks = f"{points} with a decimal point and {commas} with a decimal comma{IN_TRAINING}"
        points_as = f"{_decimal('.', name)} reads points as decimal points"
        cure = f"{points_as}; {set_value('table.decimal', ',')} reads commas as decimal commas"
        said.append((f"{marks}; ambiguous cells, such as 1,234, are read as missing", cure))
    said += [*gaps_in_words(found, name, IN_TRAINING), *limits_in_words(found, name, IN_TRAINING)]
    signed, rest = counts.percents.total(), counts.numbers - counts.percents.total()
    if signed and rest and notation.percent != "fraction":
        smaller = "without" if notation.percent == "all" else "with"
        counts_of = f"{count(signed, 'cell')} with % and {count(rest, 'cell')} without{IN_TRAINING}"
        reason = f"{counts_of}, and most of those without % are not between 0 and 1"
        said.append((f"{reason}: cells {smaller} % are read as missing", "write all with %, or all without"))
    said += letter_notes(found, name)
    others = counts.currencies.total() - counts.currencies[notation.currency]
    if others:
        reason = (
            f"{count(others, 'cell')} in another currency than {notation.currency}{IN_TRAINING} are read as missing"
        )
        said.append((reason, "--set table.currency=CODE selects the currency"))
    return said


def _guessed(found: Survey, name: str) -> tuple[str, str]:
    mark, example = found.guessed, found.counts.examples[found.guessed]
    as_read = found.notation.read(example).value
    other = "." if mark == "," else ","
    decimal = mark if found.notation.decimal != mark else other
    otherwise = Notation(decimal=decimal, thousands="," if decimal == "." else ".", percent="written", suffixes=True)
    reason = f"the {NAMES[mark]} is ambiguous (decimal or thousands separator): {example!r} is read as {as_read:.12g}"
    cure = f"{_decimal(decimal, name)} reads {otherwise.read(example).value:.12g}"
    return reason, cure


def _decimal(mark: str, name: str) -> str:
    """Return the settings of the decimal mark, for the table or for the column."""
    return f"{set_value('table.decimal', mark)}{of_column_alone(name)}"
