"""Every error that Sensorium raises on purpose: what was found, where, the rule it breaks, how to mend it.

SensoriumError              anything a user can mend
├── ConfigError             a setting or an option is wrong
│   └── UnknownNameError    no such modality, encoder, fusion, task, metric, source
├── TableError              the source can't be read as a table
├── SchemaError             the columns, the target or the split don't fit the job
├── DataError               the cells can't be learnt from
├── StoreError              prepared columns can't be kept on disk
├── TrainingError           training can't go on
├── CallbackError           a callback of the caller raised an exception
├── ArtifactError           a model file is damaged, altered or of another kind
├── BusyError               another process writes to the same place
├── OutOfMemoryError        the memory of the machine or of the device does not suffice
└── MissingExtraError       an optional dependency isn't installed
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Self

from sensorium.errors.printable import one_line, printable

NEAR = 0.8  # likeness of two names of which one may be meant by the other
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


class SensoriumError(ValueError):
    """Anything a user can mend.

    Args:
        finding: what was found, in one sentence.
        place: where: a file, a row, a column, a setting.
        rule: what was expected.
        cure: what to do about it.

    Attributes:
        finding, place, rule, cure: as given.
        faults: where several were found together, each by itself; else empty.

    Example:
        >>> import sensorium
        >>> try:
        ...     sensorium.fit({"x": [1, 2], "y": ["a", "b"]}, "z")
        ... except sensorium.SensoriumError as error:
        ...     error.to_json()["finding"]
        "the table has no column 'z'"
    """

    def __init__(self, finding: str, *, place: str = "", rule: str = "", cure: str = "") -> None:
        self.finding, self.place, self.rule, self.cure = finding, place, rule, cure
        self.faults: tuple[SensoriumError, ...] = ()
        super().__init__(self._text())

    def to_json(self) -> dict[str, Any]:
        """`{"error", "kind", "finding", "place", "rule", "cure", "faults"}`; `error` is the whole message."""
        return {
            "error": str(self),
            "kind": type(self).__name__,
            "finding": self.finding,
            "place": self.place,
            "rule": self.rule,
            "cure": self.cure,
            "faults": [fault.to_json() for fault in self.faults],
        }

    def _text(self) -> str:
        parts = (("where", self.place), ("rule", self.rule), ("cure", self.cure))
        lines = [f"  {label}: {one_line(text)}" for label, text in parts if text]  # a path may hold a line break
        return printable("\n".join([self.finding, *lines]))

    @classmethod
    def together(cls, faults: Sequence[SensoriumError]) -> Self:
        """One error that tells several faults at once."""
        lines = "\n".join(f"{number}. {fault}" for number, fault in enumerate(faults, 1))
        found = cls(f"{len(faults)} faults:\n{lines}")
        found.faults = tuple(faults)
        return found


class ConfigError(SensoriumError):
    """A setting or an option is wrong.

    Example:
        >>> try:
        ...     sensorium.fit("films.csv", "genre", widht=64)
        ... except sensorium.ConfigError as error:
        ...     print(error.place)
        widht
    """


class UnknownNameError(ConfigError):
    """No such modality, encoder, fusion, task, metric or source.

    Example:
        >>> try:
        ...     sensorium.fit("films.csv", "genre", fusion="gatd")
        ... except sensorium.UnknownNameError as error:
        ...     print("gated" in error.cure)
        True
    """


class TableError(SensoriumError):
    """The source can't be read as a table.

    Example:
        >>> try:
        ...     sensorium.inspect("flims.csv")
        ... except sensorium.TableError as error:
        ...     print(error.place)
        flims.csv
    """


class SchemaError(SensoriumError):
    """The columns, the target or the split don't fit the job.

    Example:
        >>> try:
        ...     sensorium.inspect("films.csv", "gerne")
        ... except sensorium.SchemaError as error:
        ...     print("genre" in error.cure)
        True
    """


class DataError(SensoriumError):
    """The cells can't be learnt from.

    Example:
        >>> try:
        ...     model.predict({"price": [3.5, 4.0]})
        ... except sensorium.DataError as error:
        ...     print(error.rule)
        one or more of plot, length, studio
    """


class StoreError(SensoriumError):
    """Prepared columns can't be kept on disk.

    Example:
        >>> issubclass(sensorium.StoreError, sensorium.SensoriumError)
        True
    """


class TrainingError(SensoriumError):
    """Training can't go on.

    Example:
        >>> try:
        ...     sensorium.fit("films.csv", "genre", epochs=1, learning_rate=1e30, progress=False)
        ... except sensorium.TrainingError as error:
        ...     print(type(error).__name__)
        TrainingError
    """


class CallbackError(SensoriumError):
    """A callback of the caller raised an exception, which is its `__cause__`."""


class ArtifactError(SensoriumError):
    """A model file is damaged, altered or of another kind.

    Example:
        >>> try:
        ...     sensorium.load("films.csv")
        ... except sensorium.ArtifactError as error:
        ...     print(error.place)
        films.csv
    """


class BusyError(SensoriumError):
    """Another process writes to the same place.

    Example:
        >>> from pathlib import Path
        >>> from sensorium.files import alone_in
        >>> with alone_in(Path("run")):  # as another process would that trains into the same folder
        ...     try:
        ...         sensorium.fit("films.csv", "genre", out="run", progress=False)
        ...     except sensorium.BusyError as error:
        ...         print(error.place)
        run
    """


class OutOfMemoryError(SensoriumError, MemoryError):
    """The memory of the machine or of the device does not suffice.

    Example:
        >>> issubclass(sensorium.OutOfMemoryError, MemoryError)
        True
    """


class MissingExtraError(SensoriumError, ImportError):
    """An optional dependency isn't installed.

    Example:
        >>> issubclass(sensorium.MissingExtraError, ImportError)
        True
    """


def raise_together(faults: Sequence[SensoriumError]) -> None:
    """Raise nothing, the one fault, or all of them told together (as the kind of the first)."""
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise type(faults[0]).together(faults)


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known names, or lists them all."""
    known = sorted(known)
    close = same_names(wrong, known) or difflib.get_close_matches(wrong, known, n=3)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"one of: {', '.join(known)}" if known else "there are none"


def same_names(name: str, known: Iterable[str]) -> list[str]:
    """Names that differ only in case, accents, blanks, underscores or other signs, at most three."""
    folded = _folds(name)
    return [other for other in known if folded & _folds(other)][:3]


def near_name(name: str, known: Sequence[str]) -> str | None:
    """The name that is meant, as far as spelling can tell."""
    folded = {fold: other for other in known for fold in _folds(other)}
    close = [hit for fold in _folds(name) for hit in difflib.get_close_matches(fold, folded, n=1, cutoff=NEAR)]
    return next(iter(same_names(name, known)), None) or (folded[close[0]] if close else None)


def _folds(name: str) -> set[str]:
    """The letters and digits of a name, without accents, and with umlauts as two letters."""
    spelt = [unicodedata.normalize("NFKD", text) for text in (name, name.casefold().translate(UMLAUTS))]
    return {"".join(sign for sign in text.casefold() if sign.isalnum()) for text in spelt} - {""}
