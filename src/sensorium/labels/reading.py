"""Read the cells of a target as labels: missing labels, spellings of the same label, contents of lists."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import Config, TableConfig, set_missing, set_value
from sensorium.files.state import from_saved
from sensorium.findings import Problem, count
from sensorium.labels.case import ONE_LABEL, case_twins, twins_in_words
from sensorium.labels.lists import Lists, lists_of
from sensorium.labels.names import bare
from sensorium.table import Column, is_gap, narrow, spelt_codes, without_codes

# Words that programs write for a missing value, and that are rarely meant as a label.
MARKS = frozenset((
    "nan", "-nan", "<na>", "#n/a", "#na", "#n/a!", "n/a", "n.a.", "null", "(null)", "\\n", "nat",
    "#value!", "#div/0!", "#ref!", "#name?", "#num!", "#null!", "1.#ind",
))  # fmt: skip
SIGNS = frozenset(("-", "--", "---", "–", "—", "?", "??", ".", "..", "*"))
INFINITE = frozenset(("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"))  # missing among numbers only
DOUBTFUL = frozenset(("na", "none", "nil", "missing"))  # as labels, these are worth a look
SPELLS_NUMBER = re.compile(r"[^\w]*\d(?:[\d\W_]*\d)?(?:[eE][+-]?\d+)?[^\w]{0,3}[kKmMbB]?[^\w]{0,3}")
CODE = re.compile(r"[A-Z]{2,3}")  # such as a country's
MOSTLY = 0.9  # share of the other labels that are numbers, or codes
PLAIN = r"^[+-]?[0-9]+(\.[0-9]*)?$"
MANY = 10_000  # different cells beyond which plain numbers are not looked at one by one
SHOWN = 5  # examples that a message names


@dataclass(frozen=True)
class LabelReading:
    """Notation of the labels of a target, learned from the target and applied cell by cell.

    Attributes:
        missing: words that stand for a missing label, in lower case.
        spelt: spelling → usual spelling of the same label, if they differ by surrounding blanks (or by case).
        numeric: whether the other cells are numbers.
        fold_case: whether labels that differ only in case are merged.
        lists: content of the lists.
        told: findings, each with the setting that changes it.
        parts: for several targets, the reading of each.
    """

    missing: list[str] = field(default_factory=list)
    spelt: dict[str, str] = field(default_factory=dict)
    numeric: bool = False
    fold_case: bool = False
    lists: Lists = field(default_factory=Lists)
    told: list[list[str]] = field(default_factory=list)
    parts: dict[str, LabelReading] = field(default_factory=dict)

    def apply(self, column: Column) -> Column:
        """Return the labels of a column's cells."""
        if self.parts and column.parts:
            return _joined(column, {name: self.parts[name].apply(part) for name, part in column.parts.items()})
        column = _finite(self.lists.apply(column))
        if self.missing and (column.is_integer or column.is_float):
            return without_codes(column, self.missing)
        if not (column.is_string and (self.missing or self.spelt)):
            return column
        data = self._changed(column.data)
        return _narrowed(column, data) if self.numeric else replace(column, data=data)

    @property
    def reason(self) -> str:
        """Describe how the cells are read; empty if they are unchanged."""
        return self.lists.reason

    def findings(self, column: str) -> list[Problem]:
        return [Problem(None, column, reason, cure) for reason, cure in self.told]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Self:
        """Restore a reading from `to_json`; raise ValueError if it is not valid."""
        lists, parts = content.get("lists", {}), content.get("parts", {})
        if not (isinstance(lists, Mapping) and isinstance(parts, Mapping)):
            raise ValueError("a reading of lists or parts cannot have fields")
        found = {name: cls.of_json(part) for name, part in parts.items()}
        of_lists = from_saved(Lists, lists)
        if of_lists.names and len(of_lists.names) != of_lists.width:
            raise ValueError(f"{len(of_lists.names)} names for {of_lists.width} positions")
        return from_saved(cls, {**content, "lists": of_lists, "parts": found})

    def _changed(self, data: pa.Array) -> pa.Array:
        """Replace words for a missing label by null, and spellings by the usual ones."""
        words = pc.utf8_lower(pc.utf8_trim_whitespace(data))
        said = pc.is_in(words, pa.array(self.missing, pa.string()))
        data = pc.if_else(said, pa.scalar(None, pa.string()), data)
        if not self.spelt:
            return data
        places = pc.index_in(data, pa.array([*self.spelt], pa.string()))
        return pc.coalesce(pa.array([*self.spelt.values()], pa.string()).take(places), data)


def read_labels(column: Column, config: Config) -> tuple[Column, LabelReading]:
    """Read a target's labels, and return how they were read.

    Args:
        column: every row of the target.
        config: `table.missing` sets the words for a missing label; `table.labels` whether case counts;
            `table.lists` names the positions of a list.
    """
    if column.parts and not {"bytes", "path"} & set(column.parts):
        found = {name: read_labels(part, config) for name, part in column.parts.items()}
        reading = LabelReading(parts={name: own for name, (_, own) in found.items()})
        return reading.apply(column), reading
    lists = lists_of(column, config.table.lists.get(column.name, ()))
    if lists.kind:
        reading = LabelReading(lists=lists)
        return reading.apply(column), reading
    if column.is_integer or column.is_float:
        reading = LabelReading([word for word in config.table.missing if spelt_codes([word])])
        return reading.apply(column), replace(reading, told=_about_infinite(column))
    if not column.is_string or not len(column.values):
        return column, LabelReading(fold_case=config.table.labels == "fold_case")
    reading = _read_texts(_counts(column), config)
    return reading.apply(column), reading


def _read_texts(cells: Counter[str], config: Config) -> LabelReading:
    missing, numeric, told = _missing_words(cells, config)
    labels = Counter({text: n for text, n in cells.items() if text.strip().casefold() not in missing})
    fold = config.table.labels == "fold_case"
    spelt, blanks = _usual_spellings(labels, str.casefold if fold else str)
    if blanks:
        told.append(_about_blanks(blanks))
    twins = {} if fold else _case_twins(labels, spelt)
    if twins:
        told.append(_about_case(twins))
    return LabelReading(sorted(missing), spelt, numeric, fold, told=told)


def _missing_words(cells: Counter[str], config: Config) -> tuple[set[str], bool, list[list[str]]]:
    """Return the words for a missing label, whether the other labels are numbers, and the findings."""
    known = MARKS | SIGNS | INFINITE
    words = {text: n for text, n in cells.items() if is_gap(text) or text.strip().casefold() in known}
    others = [text.strip() for text in cells if text not in words]
    numeric = bool(words) and bool(others) and _mostly(others, SPELLS_NUMBER.fullmatch)
    said = config.table.missing != TableConfig.model_fields["missing"].default
    blank = {text for text in words if not text.strip()}
    read = {} if said else {t: n for t, n in words.items() if numeric or _says_missing(t.strip(), others)}
    kept = {t: n for t, n in words.items() if t not in read and (said or _is_doubtful(t.strip(), others))}
    told = [_about_missing(read, cells)] if (read := _without(read, blank)) else []
    told += [_about_kept(kept, cells)] if (kept := _without(kept, blank)) else []
    return {text.strip().casefold() for text in (*read, *blank)}, numeric, told


def _without(words: dict[str, int], others: set[str]) -> dict[str, int]:
    return {text: n for text, n in words.items() if text not in others}


def _says_missing(text: str, others: list[str]) -> bool:
    """Return whether a label that is not a number stands for a missing one: a program's marker, a sign, or "NA"."""
    word = text.casefold()
    if word in MARKS:
        return True
    if not others:
        return False
    if word == "na":
        return not _mostly(others, CODE.fullmatch)
    return word in SIGNS and all(len(other) > 1 or other.isdigit() for other in others)


def _is_doubtful(text: str, others: list[str]) -> bool:
    """Return whether a word may stand for a missing label, although it looks like the other labels."""
    word = text.casefold()
    return word in DOUBTFUL or (word in SIGNS and "+" not in others)


def _mostly(texts: list[str], is_so: Callable[[str], object]) -> bool:
    return sum(bool(is_so(text)) for text in texts) >= MOSTLY * len(texts)


def _usual_spellings(labels: Counter[str], fold: Callable[[str], str]) -> tuple[dict[str, str], Counter[str]]:
    """Return spelling → the most frequent spelling of the same label, and the spellings that differ by blanks only."""
    alike: dict[str, list[str]] = defaultdict(list)
    for text in sorted(labels):
        alike[fold(bare(text))].append(text)
    spelt, blanks = dict[str, str](), Counter[str]()
    rows = Counter[str]()
    for text, number in labels.items():
        rows[bare(text)] += number
    for texts in alike.values():
        usual = max(texts, key=lambda text: (rows[bare(text)], labels[text], text == bare(text)))
        spelt |= {text: usual for text in texts if text != usual}
        blanks |= Counter({t: labels[t] for t in texts if t != usual and bare(t) == bare(usual)})
    return spelt, blanks


def _case_twins(labels: Counter[str], spelt: Mapping[str, str]) -> dict[str, int]:
    """Report labels that differ only in case from another one, with their rows."""
    usual = Counter[str]()
    for text, number in labels.items():
        usual[spelt.get(text, text)] += number
    return case_twins(usual)


def _about_blanks(blanks: Counter[str]) -> list[str]:
    example = blanks.most_common(1)[0][0]
    reason = f"{count(blanks.total(), 'label')} such as {example!r} differ from others only by blanks or invisible"
    return [f"{reason} characters, which are ignored", ""]


def _about_case(twins: Mapping[str, int]) -> list[str]:
    return [twins_in_words(twins, "labels", "row"), ONE_LABEL]


def _about_missing(words: Mapping[str, int], cells: Counter[str]) -> list[str]:
    reason = f"{_cells(words, cells)} {_be(words)} read as missing"
    kept = "it as a label" if len(words) == 1 else "them as labels"
    return [reason, f"{set_value('table.missing', '[]')} keeps {kept}"]


def _about_kept(words: Mapping[str, int], cells: Counter[str]) -> list[str]:
    reason = f"{_cells(words, cells)} may stand for a missing label and {_be(words)} kept as a class"
    setting = set_missing([text.strip() for text in words])
    return [reason, f"{setting} reads {'it' if len(words) == 1 else 'them'} as missing"]


def _cells(words: Mapping[str, int], cells: Counter[str]) -> str:
    shown = ", ".join(repr(text) for text in sorted(words, key=lambda text: -words[text])[:SHOWN])
    return f"{sum(words.values()):,} of {cells.total():,} labels ({shown})"


def _be(words: Mapping[str, int]) -> str:
    return "is" if sum(words.values()) == 1 else "are"


def _counts(column: Column) -> Counter[str]:
    """Return cells and how often they occur; for very many plain numbers, a few representatives."""
    values = column.values
    if column.distinct <= MANY:
        return _counted(values)
    plain = pc.match_substring_regex(values, PLAIN)
    numbers, cells = values.filter(plain), _counted(values.filter(pc.invert(plain)))
    if len(numbers) <= MANY or any(re.fullmatch(PLAIN, text.strip()) for text in cells):
        return _counted(values)
    some = numbers.slice(0, MANY).unique().to_pylist()
    return cells + Counter(dict.fromkeys(some, 1)) + Counter({some[0]: len(numbers) - len(some)})


def _counted(values: pa.Array) -> Counter[str]:
    counts = pc.value_counts(values)
    return Counter(dict(zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True)))


def _narrowed(column: Column, data: pa.Array) -> Column:
    """Return text of numbers as numbers, as in a table without the words for missing ones."""
    numbers = narrow(pa.chunked_array([data])).combine_chunks()
    numbers = numbers.chunk(0) if isinstance(numbers, pa.ChunkedArray) else numbers
    return replace(column, data=numbers, spelling=data if pa.types.is_floating(numbers.type) else None)


def _finite(column: Column) -> Column:
    """Return numbers with infinite ones replaced by missing."""
    if not column.is_float:
        return column
    return replace(column, data=pc.if_else(pc.is_inf(column.data), pa.scalar(None, column.data.type), column.data))


def _about_infinite(column: Column) -> list[list[str]]:
    number = int(pc.sum(pc.is_inf(column.data)).as_py() or 0) if column.is_float else 0
    be = "is" if number == 1 else "are"
    reason = f"{number:,} of {count(len(column.values), 'label')} {be} infinite and {be} read as missing"
    return [[reason, "correct the table to use these rows"]] if number else []


def _joined(column: Column, parts: Mapping[str, Column]) -> Column:
    """Build a column of objects from its changed fields; an object without a label in one of them is missing."""
    nothing = np.logical_and.reduce([~part.present for part in parts.values()])
    data = pa.StructArray.from_arrays([part.data for part in parts.values()], list(parts), mask=pa.array(nothing))
    spelt = {name: part.spelling for name, part in parts.items() if part.spelling is not None}
    spelling = pa.StructArray.from_arrays(list(spelt.values()), list(spelt)) if spelt else None
    return replace(column, data=data, spelling=spelling)
