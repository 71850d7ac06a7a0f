"""Categories: one of a set of names learned from the training rows; a new name is read as "unknown" and counted."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import NonNegativeInt, PositiveInt

from sensorium.config import set_option, setting_of
from sensorium.findings import Guess, Problem, count, shorten
from sensorium.labels import SEVERAL, UNSEEN, Names, bare, case_twins, holds_check_marks, twins_in_words
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._words import word_caution
from sensorium.table import Column

MANY = 0.1  # share of distinct values above which names are unlikely to be categories
FEW = 50  # … unless there are no more than this many
REPEATS = 0.5  # names of categories occur twice or more on average
UNKNOWN = {
    UNSEEN: "the category was not seen in training: read as unknown",
    SEVERAL: "several categories have this value: read as unknown",
}
MANY_CUT = 0.2  # share of cells with a rare name that is reported
SENTENCE = 5  # mean number of words above which repeated strings are likely text


@dataclass(frozen=True)
class Category(Modality):
    """Name from a closed set.

    Encodes to int64[n]: 0 is unknown, level i is i + 1; an empty check box follows the levels.

    Attributes:
        levels: the names, the most frequent first.
        rare: names too rare to learn; read as unknown, which the encoder learns from them.
        trimmed: training cells that differed from another name only by surrounding blanks.
        cut, seen: training cells with a rare name, and all.
        full: whether more than `max_categories` other names exist.
        twins: names that differ from another one only in case → training cells.
        fold_case: whether such names are one category.
        checks: whether the cells are check marks, "x" or empty: empty is a value, too.
    """

    encoder: ClassVar[str] = "tabular"
    tower: ClassVar[str | None] = "tabular"
    quick: ClassVar[bool] = True

    levels: list[str]
    rare: list[str]
    trimmed: NonNegativeInt = 0
    cut: NonNegativeInt = 0
    seen: NonNegativeInt = 0
    full: bool = False
    checks: bool = False
    twins: Mapping[str, NonNegativeInt] = field(default_factory=dict)
    fold_case: bool = False

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if not (column.is_string or column.is_integer) or not len(column.values):
            return None
        share, words = column.distinct / len(column.values), _mean_words(column)
        reason = f"{column.distinct:,} distinct values in {len(column.values):,} cells"
        if column.is_integer:
            named = re.search(r"(?:^|[^a-z])(id|code|zip|sku)$|[a-z]Id$", column.name)
            if named and share <= REPEATS:
                return Guess(0.75, f"{reason}, and the column is named like a category")
            return Guess(0.5, reason)
        if share > REPEATS or (words >= SENTENCE and column.distinct > FEW):
            return Guess(0.3, reason)
        confidence = 0.85 if column.distinct <= max(FEW, MANY * len(column.values)) else 0.6
        return Guess(confidence, reason, column.once(word_caution))

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        min_count: PositiveInt = 2,
        max_categories: PositiveInt = 10_000,
        fold_case: bool = False,
    ) -> Self:
        """Learn the names.

        Args:
            column: training rows.
            min_count: names in fewer training cells are read as unknown (unless every name is that rare).
            max_categories: maximum number of categories; the most frequent ones are kept.
            fold_case: read names that differ only in case as one category.
        """
        counts = pc.value_counts(column.strings.drop_null()).to_pylist()
        counts, trimmed = _joined(counts, bare)
        twins = {} if fold_case else case_twins({item["values"]: item["counts"] for item in counts})
        counts = _joined(counts, _folded)[0] if fold_case else counts
        counts.sort(key=lambda item: (-item["counts"], item["values"]))
        frequent = [item["values"] for item in counts if item["counts"] >= min_count] or [c["values"] for c in counts]
        levels = frequent[:max_categories]
        kept = set(levels)
        rare = [item for item in counts if item["values"] not in kept]
        cut, seen = (sum(item["counts"] for item in items) for items in (rare, counts))
        checks = holds_check_marks(column)
        full, names = len(frequent) > max_categories, [item["values"] for item in rare]
        return cls(levels, names, trimmed, cut, seen, full, checks, twins, fold_case)

    @cached_property
    def _names(self) -> Names:
        return Names([*self.levels, *self.rare], self.fold_case)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        found = self._names.find(column)
        problems = list[Problem]()
        for code, reason in UNKNOWN.items():
            rows = np.flatnonzero(column.present & (found == code))
            names = column.strings.take(pa.array(rows)).to_pylist()
            problems += [Problem(int(r), column.name, reason, "", shorten(n)) for r, n in zip(rows, names, strict=True)]
        work.advance(len(column))
        level = np.where((found >= 0) & (found < len(self.levels)), found + 1, 0)
        present = column.present
        if self.checks:
            # If it were missing, it would be confused with a modality hidden in training, and carry little information.
            level, present = np.where(present, level, len(self.levels) + 1), np.ones(len(column), bool)
        return Encoded(level, present, sorted(problems, key=Problem.place))

    def findings(self, column: str) -> list[Problem]:
        return [*self._rare_names(column), *self._blanks(column), *self._cases(column)]

    def _rare_names(self, column: str) -> list[Problem]:
        if not self.full and (not self.cut or self.cut < MANY_CUT * self.seen):
            return []
        reason = f"{self.cut:,} of {count(self.seen, 'cell')} hold a rare category, which is read as unknown"
        raised = f"a larger {setting_of(column, 'max_categories')}" if self.full else set_option(column, "min_count", 1)
        setting = f"{raised} keeps more of them"
        return [Problem(None, column, reason, setting)]

    def _blanks(self, column: str) -> list[Problem]:
        verb = "differs" if self.trimmed == 1 else "differ"
        reason = f"{count(self.trimmed, 'cell')} {verb} from another category only by blanks or invisible characters"
        return [Problem(None, column, f"{reason}; the difference is ignored")] if self.trimmed else []

    def _cases(self, column: str) -> list[Problem]:
        cure = f"{set_option(column, 'fold_case', 'true')} merges them"
        return [Problem(None, column, twins_in_words(self.twins, "categories", "cell"), cure)] if self.twins else []

    def check(self) -> None:
        if self.checks and (len(self.levels) != 1 or self.rare):
            raise ValueError("columns of check marks have a single category")
        if len({*self.levels, *self.rare}) < len(self.levels) + len(self.rare):
            raise ValueError("a name occurs twice")

    def encoder_spec(self) -> EncoderSpec:
        return {"levels": len(self.levels) + 1 + self.checks}

    def unknown(self) -> int:
        return 0

    def describe(self) -> str:
        rare = f", {len(self.rare)} rare ones read as unknown" if self.rare else ""
        return f"{self.levels[0]!r} or empty" if self.checks else f"{len(self.levels)} levels{rare}"


def _folded(name: str) -> str:
    return bare(name).casefold()


def _joined(counts: list[dict[str, Any]], key: Callable[[str], str]) -> tuple[list[dict[str, Any]], int]:
    """Merge names with the same key, such as without blanks, into the most frequent one; return how many cells
    had another name.
    """
    if len({key(item["values"]) for item in counts}) == len(counts):
        return counts, 0
    alike: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in sorted(counts, key=lambda item: (-item["counts"], item["values"])):
        alike[key(item["values"])].append(item)
    joined = [{"values": same[0]["values"], "counts": sum(c["counts"] for c in same)} for same in alike.values()]
    return joined, sum(item["counts"] for same in alike.values() for item in same[1:])


def _mean_words(column: Column) -> float:
    sample = Counter(map(str, column.sample(500)))
    return sum(count * len(text.split()) for text, count in sample.items()) / (sample.total() or 1)
