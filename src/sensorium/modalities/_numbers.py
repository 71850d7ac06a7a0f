"""Columns of numbers: infer the notation, read the cells, and report how they were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import as_modality, set_value, setting_of
from sensorium.findings import IN_TRAINING, Problem, count, shorten
from sensorium.modalities._letters import letter_notes
from sensorium.table import (
    NAMES,
    Column,
    Conventions,
    Notation,
    Reading,
    Survey,
    check_signs,
    read_texts,
    spelt_codes,
    spelt_plainly,
    stands_for_gaps,
    survey,
)

Floats: TypeAlias = npt.NDArray[np.float64]

INFINITE = "the value is infinite: read as missing"
LARGEST_EXACT = 2**53  # float64 does not represent all whole numbers beyond it
SHOWN = 3  # words that are quoted
LOOKED_AT = 1000  # decimal numbers stored as text that are searched for ambiguous marks
KEEPS = "{} keeps them"


def infer_notation(column: Column, known: Conventions | None = None) -> Notation:
    """Infer how a column writes its numbers; `known` are the settings, by default those of its table."""
    found, known = survey_column(column, known), known or column.conventions
    if found:
        return found.notation
    # Whole numbers show no mark: read what another table writes instead in the notation of this table.
    decimal = known.decimal or (known.shown if column.is_integer else "") or "."
    missing = tuple(sorted({word.strip().casefold() for word in known.missing}))
    return Notation(decimal=decimal, thousandths=decimal == "." or known.decimal is not None, missing=missing)


def survey_column(column: Column, known: Conventions | None = None) -> Survey | None:
    """Return how a column writes its numbers, with counts of its cells; None if they are not text, or read the same in
    every notation.
    """
    known = known or column.conventions
    if column.is_string:
        return survey(column.data, known)
    if column.spelling is None:
        return None
    return None if spelt_plainly(column.spelling, known) else survey(column.spelling, known)


def about_infinite(problems: Iterable[Problem], cells: int) -> list[tuple[str, str]]:
    """Return notes on the infinite values of a column with `cells` cells."""
    number = sum(problem.reason == INFINITE for problem in problems)
    be = "is" if number == 1 else "are"
    reason = f"{number:,} of {count(cells, 'cell')}{IN_TRAINING} {be} infinite and {be} read as missing"
    return [(reason, "correct the table if these values are known")] if number else []


def read_numbers(column: Column, notation: Notation) -> tuple[Floats, list[Problem]]:
    """Read float64[n], NaN if missing or not finite, and the problems."""
    values, _, problems = read_limits(column, notation)
    return values, problems


def read_limits(column: Column, notation: Notation) -> tuple[Floats, npt.NDArray[np.int8], list[Problem]]:
    """Read numbers like `read_numbers`; also return int8[n]: −1 for upper limits ("<5"), +1 for lower ones, else 0."""
    data, problems = column.data, list[Problem]()
    if column.is_integer or column.is_float or pa.types.is_boolean(data.type):
        values, told = _typed(column, notation, problems)
        limits = np.zeros(len(values), np.int8)
    else:
        readings = read_texts(column.strings, notation)
        values, limits, told = readings.values, readings.limits, readings.told
    values[np.isin(values, spelt_codes(notation.missing)) & (limits == 0)] = np.nan
    problems += [Problem(r, column.name, said.reason, said.cure, _shown(column, r)) for r, said in told.items()]
    for row in np.flatnonzero(np.isinf(values)):
        problems.append(Problem(int(row), column.name, INFINITE, "", str(values[row])))
    values[~np.isfinite(values)] = np.nan
    return values, limits, sorted(problems, key=Problem.place)


def numbers(column: Column) -> tuple[Floats, list[Problem]]:
    """Read the numbers of a column in the notation inferred from its own cells."""
    return read_numbers(column, infer_notation(column))


def in_words(found: Survey, name: str) -> list[str]:
    """Describe how a column writes its numbers, and how other cells are read."""
    counts, notation = found.counts, found.notation
    parts = [_marks(found)]
    parts += [f"currency {notation.currency}"] if counts.currencies else []
    parts += [f"unit {notation.units[0]!r}"] if notation.units else []
    signed = count(counts.percents.total(), "cell")
    parts += {
        "all": [f"{signed} with %, read without the sign"],
        "fraction": [f"fractions; {signed} with % are divided by 100"],
    }.get(notation.percent, [])
    parts += [f"{_some(counts.brackets)} read as negative because of the brackets"] if counts.brackets else []
    parts += (
        [f"{_some(counts.suffixes)} multiplied by the suffix"] if notation.suffixes and not notation.letters else []
    )
    parts += [f"{_some(counts.usual)} read as missing"] if counts.usual else []
    cures = {reason: f"{reason} ({cure})" for reason, cure in [*_gaps(found, name), *_limited(found, name)]}
    return [*filter(None, parts), *cures.values()]


def notes(found: Survey, name: str) -> list[tuple[str, str]]:
    """Return notes on the column as a whole, pairs of a reason and how to fix it; its rows are the training rows."""
    counts, notation, said = found.counts, found.notation, list[tuple[str, str]]()
    if found.guessed:
        said.append(_guessed(found, name))
    if notation.mixed:
        points, commas = (count(counts.decimals[mark], "cell") for mark in ".,")
        marks = f"{points} with a decimal point and {commas} with a decimal comma{IN_TRAINING}"
        cure = f"{_decimal('.', name)} reads points as decimal points, {set_value('table.decimal', ',')} commas"
        said.append((f"{marks}; ambiguous cells, such as 1,234, are read as missing", cure))
    said += [*_gaps(found, name, IN_TRAINING), *_limited(found, name, IN_TRAINING)]
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


def _typed(column: Column, notation: Notation, problems: list[Problem]) -> tuple[Floats, dict[int, Reading]]:
    data = column.data
    if column.spelling is not None and not notation.is_plain:
        found = read_texts(column.spelling, notation)
        return found.values, found.told
    values = np.array(data.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
    if column.is_integer:
        cure = f"{as_modality(column.name, 'category')} if it is an identifier"
        whole = pc.fill_null(data, 0).to_numpy()
        for row in np.flatnonzero((whole > LARGEST_EXACT) | (whole < -LARGEST_EXACT)):
            reason = "the whole number exceeds 2^53: its last digits are lost"
            problems.append(Problem(int(row), column.name, reason, cure, str(data[int(row)])))
    return values, check_signs(values, notation)


def _shown(column: Column, row: int) -> str:
    return shorten(column.strings[row].as_py())


def _marks(found: Survey) -> str:
    """Describe the decimal and thousands marks unless they are the usual ones."""
    notation, parts = found.notation, list[str]()
    if notation.decimal == ",":
        parts.append("decimal comma")
    if notation.thousands and (found.counts.groups or found.counts.doubtful):
        parts.append(f"thousands separated by {' or '.join(NAMES[mark] for mark in notation.thousands)}")
    return ", ".join(parts)


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


def of_column_alone(name: str) -> str:
    """Return the option of the column that equals a setting of the table; empty for a target, which has no options."""
    return f" (or {setting_of(name, 'decimal')})"


def _gaps(found: Survey, name: str, where: str = "") -> list[tuple[str, str]]:
    words = found.counts.gaps + (found.counts.words if stands_for_gaps(found.counts) else Counter())
    return [(f"{_some(words, where)} read as missing", KEEPS.format(as_modality(name, "category")))] if words else []


def _limited(found: Survey, name: str, where: str = "") -> list[tuple[str, str]]:
    some = _some(found.counts.limits, where)
    if not found.counts.limits:
        return []
    if found.notation.limits == "missing":
        return [(f"{some} read as missing, as limits are by setting", "--set table.censored=limit reads the limits")]
    kept = f"{some} read as the limit; {name}.censored marks them"
    return [(kept, "--set table.censored=missing reads them as missing")]


def _some(counted: Counter[str], where: str = "") -> str:
    """Return a subject such as `12 cells such as 'n.b.', 'k.A.' in the training rows are`."""
    examples: Sequence[str] = [repr(text) for text, _ in counted.most_common(SHOWN)]
    such = "such as " if len(counted) > len(examples) or counted.total() > len(counted) > 1 else ""
    verb = "is" if counted.total() == 1 else "are"
    return f"{count(counted.total(), 'cell')} {such}{', '.join(examples)}{where} {verb}"
