"""Tags: a cell is an unordered set of names from a vocabulary learned from the training rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, NonNegativeInt, PositiveInt

from sensorium.config import setting_of
from sensorium.findings import Guess, Problem, shorten
from sensorium.labels import bare
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Encoded, Ragged, Work
from sensorium.modalities._overview import Overview
from sensorium.modalities._separated import WORDS, find_separator, likely_separator, names_of
from sensorium.modalities._suffixes import path_caution, suffix_of
from sensorium.modalities.category import REPEATS
from sensorium.table import Column, spelt_names

NONE, UNKNOWN, FIRST = 1, 2, 3  # ids of the empty set, of an unknown tag, of the first known tag
LOOKED_AT = 1000  # cells by which tags are distinguished from text
MANY_CUT = 0.2  # share of unknown tags that is reported
ONCE = 0.95  # share of the cells without repetition: words of a text repeat, members of a set do not


@dataclass(frozen=True)
class Tags(Modality):
    """A set of names: a list of names, JSON text of such a list, or text with a separator.

    Encodes to Ragged int32[total]: the ids of the tags, increasing and unique. 0 is padding, 1 stands alone for the
    empty set (which is a value), 2 for unknown tags, tag i is i + 3.

    Attributes:
        tags: the names, the most frequent first.
        rare: names too rare to learn; read as unknown, which the encoder learns from them.
        separator: separator of the tags in text; None if cells are lists.
        cut, seen: number of rare tags in training cells, and of all tags.
    """

    encoder: ClassVar[str] = "tag_set"

    tags: list[str]
    rare: list[str]
    separator: Annotated[str, Field(min_length=1)] | None
    cut: NonNegativeInt = 0
    seen: NonNegativeInt = 0

    def check(self) -> None:
        if len({*self.tags, *self.rare}) < len(self.tags) + len(self.rare):
            raise ValueError("a name occurs twice")

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if not (column.is_string or (column.is_list and pa.types.is_string(column.data.type.value_type))):
            return None
        sample = column.sample(LOOKED_AT)
        spelt = (spelt_names(value) if isinstance(value, str) else value for value in sample)
        cells = list(takewhile(_is_list_of_names, spelt))
        if len(cells) < len(sample):
            return _guess_of_separated(sample) if column.is_string else None
        names = [name for cell in cells for name in cell if name is not None]
        if not names:
            return None
        words = float(np.mean([len(name.split()) for name in names]))
        reason = f"{'lists' if column.is_list else 'text with lists'} of names, {_numbers(cells)}"
        once = float(np.mean([len(set(cell)) == len(cell) for cell in cells]))
        if len(set(names)) > REPEATS * len(names) or words > WORDS or once < ONCE:
            return Guess(0.3, reason)
        if all(map(suffix_of, names)):  # file names: the modality that reads them claims them with more confidence
            return Guess(0.6, reason, path_caution(column))
        return Guess(0.98, reason)

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        separator: Annotated[str, Field(min_length=1)] | None = None,
        min_count: PositiveInt = 2,
        max_tags: PositiveInt = 10_000,
    ) -> Self:
        """Learn the vocabulary of tags.

        Args:
            column: training rows.
            separator: separator of the tags in text, such as ";" in "red;round;big"; by default the one of | ; , / that
                the training rows use, none if they are lists.
            min_count: tags in fewer cells are read as unknown (unless every tag is that rare).
            max_tags: number of tags kept, the most frequent ones.
        """
        separator = separator or _learn_separator(column)
        cells = [_listed(value, separator) for value in column.values.to_pylist()]
        counts = Counter(name for cell in cells for name in set(cell or ()))
        names = sorted(counts, key=lambda name: (-counts[name], name))
        kept = ([name for name in names if counts[name] >= min_count] or names)[:max_tags]
        cut, total = sum(counts[name] for name in names) - sum(counts[name] for name in kept), sum(counts.values())
        return cls(kept, sorted(counts.keys() - set(kept)), separator, cut, total)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return dict.fromkeys(self.rare, UNKNOWN) | {name: place for place, name in enumerate(self.tags, FIRST)}

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        empty = np.empty(0, np.int32)
        cells, present, problems = [empty] * len(column), np.zeros(len(column), bool), list[Problem]()
        for row, value in enumerate(column.data.to_pylist()):
            names = None if value is None else _listed(value, self.separator)
            if names is not None:
                ids = {self._ids.get(name, UNKNOWN) for name in names}
                cells[row], present[row] = np.array(sorted(ids) or [NONE], np.int32), True
                problems += self._unseen(names, row, column.name)
            elif value is not None:
                problems.append(_no_tags(value, row, column.name))
        work.advance(len(column))
        return Encoded(Ragged.of(cells, empty), present, problems)

    def _unseen(self, names: Iterable[str], row: int, column: str) -> list[Problem]:
        reason = "the tag was not seen in training: read as unknown"
        return [Problem(row, column, reason, "", shorten(n)) for n in dict.fromkeys(names) if n not in self._ids]

    def encoder_spec(self) -> EncoderSpec:
        return {"vocabulary": len(self.tags) + FIRST}

    def overview(self, column: Column) -> Overview:
        cells = [_listed(value, self.separator) for value in column.values.to_pylist()]
        return Overview({"tags per cell": np.array([len(set(cell)) for cell in cells if cell is not None], np.float64)})

    def unknown(self) -> int:
        return UNKNOWN

    def findings(self, column: str) -> list[Problem]:
        if self.cut < MANY_CUT * self.seen or not self.cut:
            return []
        reason = f"{self.cut / self.seen:.0%} of the tags in the cells are rare and read as unknown"
        cure = f"a lower {setting_of(column, 'min_count')} or a higher max_tags keeps more of them"
        return [Problem(None, column, reason, cure)]

    def describe(self) -> str:
        rare = f", {len(self.rare):,} rare ones read as unknown" if self.rare else ""
        return f"{len(self.tags):,} tags{rare}"


def _is_list_of_names(cell: Any) -> bool:
    return isinstance(cell, list) and all(isinstance(name, str | None) for name in cell)


def _guess_of_separated(texts: list[str]) -> Guess | None:
    separator = find_separator(texts)
    if not separator:
        return None
    cells = [names_of(text, separator) for text in texts]
    return Guess(0.98, f"names separated by {separator!r}, {_numbers(cells)}")


def _numbers(cells: Sequence[Sequence[str | None]]) -> str:
    names = [name for cell in cells for name in cell if name is not None]
    return f"{len(names) / len(cells):.1f} per cell, {len(set(names)):,} distinct ones among {len(names):,}"


def _learn_separator(column: Column) -> str | None:
    """Return the separator of the training rows; None if most cells are lists."""
    texts = column.sample(LOOKED_AT) if column.is_string else []
    lists = sum(isinstance(spelt_names(text), list) for text in texts)
    return likely_separator(texts) if 2 * lists < len(texts) else None


def _listed(value: Any, separator: str | None) -> list[str] | None:
    """Return the names in a cell, without empty ones; None if it is not a list of names."""
    if isinstance(value, str):
        spelt = spelt_names(value) if not separator or value.lstrip().startswith("[") else None
        value = names_of(value, separator) if separator and spelt is None else spelt
    if not isinstance(value, list) or any(isinstance(item, dict | list | bytes) for item in value):
        return None
    names = (bare(str(item)) for item in value if item is not None)
    return [name for name in names if name]


def _no_tags(value: Any, row: int, column: str) -> Problem:
    cure = f'a list, JSON text such as ["red", "round"], or modalities.{column}.separator for text such as red;round'
    return Problem(row, column, "the cell is not a list of tags: read as missing", cure, shorten(value))
