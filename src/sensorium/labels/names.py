"""Match cells with the names seen in training, for labels and categories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.labels.values import Name, Value, bare, is_plain, text_of, truth_of, value_of
from sensorium.table import Column

UNSEEN, SEVERAL = -1, -2  # places of a cell that is none of the names, of one whose value several of them have


@dataclass(frozen=True)
class Names:
    """Closed set of names, such as labels or categories.

    Numbers and booleans compare by value. Text compares as text without surrounding blanks. Text that is not a name
    matches a name of equal value if there is exactly one and one of the two is written as programs write the value:
    "1.0" matches the name 1, "1.1" the name "1.10"; "10E9" does not match the name "1E10". If the names are yes and no
    in any spelling, other spellings of yes and no match them.

    Attributes:
        names: the names as the user wrote them.
        fold_case: whether text that is not a name compares in lower case.
    """

    names: Sequence[Name]
    fold_case: bool = False

    def find(self, column: Column) -> npt.NDArray[np.int64]:
        """Return int64[n]: the index of each cell's name, `UNSEEN` (also for missing cells) or `SEVERAL`."""
        texts = column.strings
        found = np.array(pc.fill_null(pc.index_in(texts, self._array), UNSEEN), dtype=np.int64)
        typed = column.spelling is None and (column.is_number or column.is_boolean)
        if typed and self._shared.any():
            found[(found >= 0) & self._shared[found]] = SEVERAL
        odd = np.flatnonzero(column.present & (found == UNSEEN))
        if len(odd):
            cells = (column.data if typed else texts).take(pa.array(odd)).to_pylist()
            place_of = self._place_of_value if typed else self._place_of_text
            places = {cell: place_of(cell) for cell in set(cells)}
            found[odd] = [places[cell] for cell in cells]
        return found

    def twins(self) -> list[list[Name]]:
        """Return the names that share a value with another name."""
        return [[self.names[place] for place in places] for places in self._values.values() if len(places) > 1]

    @cached_property
    def _array(self) -> pa.Array:
        return pa.array([text_of(name) for name in self.names], pa.string())

    @cached_property
    def _values(self) -> dict[Value, list[int]]:
        found: dict[Value, list[int]] = defaultdict(list)
        for place, name in enumerate(self.names):
            value = self._value_of(name)
            if value is not None:
                found[value].append(place)
        return found

    @cached_property
    def _shared(self) -> npt.NDArray[np.bool_]:
        """Return bool[names]: whether another name has the same value."""
        shared = np.zeros(len(self.names), bool)
        for places in self._values.values():
            shared[places] = len(places) > 1
        return shared

    @cached_property
    def _stripped(self) -> dict[str, list[int]]:
        return _places(bare(text_of(name)) for name in self.names)

    @cached_property
    def _folded(self) -> dict[str, list[int]]:
        return _places(bare(text_of(name)).casefold() for name in self.names)

    @cached_property
    def _is_truth(self) -> bool:
        """Return whether the names are yes and no, in any spelling."""
        return len(self.names) == 2 and {truth_of(name) for name in self.names} == {0, 1}

    def _place_of_value(self, cell: Value) -> int:
        return _only(self._values.get(cell + 0, ()))

    def _place_of_text(self, cell: str) -> int:
        text = bare(cell)
        if text in self._stripped:
            return _only(self._stripped[text])
        if self.fold_case and text.casefold() in self._folded:
            return _only(self._folded[text.casefold()])
        value = self._value_of(text)
        if value is None:
            return UNSEEN
        place = _only(self._values.get(value, ()))
        alike = place < 0 or is_plain(text, value) or is_plain(self.names[place], value)
        return place if alike else UNSEEN

    def _value_of(self, name: object) -> Value | None:
        truth = truth_of(name) if self._is_truth else None
        return value_of(name) if truth is None else truth


def _places(texts: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        found[text].append(place)
    return found


def _only(places: Sequence[int]) -> int:
    return places[0] if len(places) == 1 else SEVERAL if places else UNSEEN
