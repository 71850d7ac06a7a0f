"""Errors that Sensorium raises on purpose: finding, place, rule and cure.

SensoriumError              base class: anything that a user can fix
├── ConfigError             a setting or an option is wrong
│   └── UnknownNameError    no such modality, encoder, fusion, task, metric or source
├── TableError              the source cannot be read as a table
├── SchemaError             the columns, the target or the split do not fit the job
├── DataError               nothing can be learned from the cells
├── StoreError              prepared columns cannot be stored on disk
├── TrainingError           training cannot start or continue
├── CallbackError           a callback of the caller raised an exception
├── ArtifactError           a model file is damaged, modified or of another kind
├── BusyError               another process writes to the same place
├── OutOfMemoryError        the machine or the device has too little memory
└── MissingExtraError       an optional dependency is not installed
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sensorium.errors._names import did_you_mean as did_you_mean
from sensorium.errors._names import list_names as list_names
from sensorium.errors._names import near_name as near_name
from sensorium.errors._names import same_names as same_names
from sensorium.errors.printable import one_line, printable


class SensoriumError(ValueError):
    """Base class of all errors that a user can fix.

    Args:
        finding: the problem, in one sentence.
        place: its location: a file, a row, a column, a setting.
        rule: the expected input.
        cure: how to fix it.

    Attributes:
        finding, place, rule, cure: as given.
        faults: the single errors, if this error reports several; else empty.

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
        """Return `{"error", "kind", "finding", "place", "rule", "cure", "faults"}`; `error` is the whole message."""
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
        """Return one error that reports several faults."""
        lines = "\n".join(f"{number}. {fault}" for number, fault in enumerate(faults, 1))
        found = cls(f"{len(faults)} faults:\n{lines}")
        found.faults = tuple(faults)
        return found


class ConfigError(SensoriumError):
    """Wrong setting or option.

    Example:
        >>> try:
        ...     sensorium.fit("films.csv", "genre", widht=64)
        ... except sensorium.ConfigError as error:
        ...     print(error.place)
        widht
    """


class UnknownNameError(ConfigError):
    """Unknown modality, encoder, fusion, task, metric or source.

    Example:
        >>> try:
        ...     sensorium.fit("films.csv", "genre", fusion="gatd")
        ... except sensorium.UnknownNameError as error:
        ...     print("gated" in error.cure)
        True
    """


class TableError(SensoriumError):
    """Source that cannot be read as a table.

    Example:
        >>> try:
        ...     sensorium.inspect("flims.csv")
        ... except sensorium.TableError as error:
        ...     print(error.place)
        flims.csv
    """


class SchemaError(SensoriumError):
    """Columns, target or split that do not fit the job.

    Example:
        >>> try:
        ...     sensorium.inspect("films.csv", "gerne")
        ... except sensorium.SchemaError as error:
        ...     print("genre" in error.cure)
        True
    """


class DataError(SensoriumError):
    """Cells from which nothing can be learned.

    Example:
        >>> try:
        ...     model.predict({"price": [3.5, 4.0]})
        ... except sensorium.DataError as error:
        ...     print(error.rule)
        at least one of plot, length, studio
    """


class StoreError(SensoriumError):
    """Prepared columns that cannot be stored on disk.

    Example:
        >>> issubclass(sensorium.StoreError, sensorium.SensoriumError)
        True
    """


class TrainingError(SensoriumError):
    """Training that cannot start or continue.

    Example:
        >>> try:
        ...     sensorium.fit("films.csv", "genre", epochs=1, learning_rate=1e30, progress=False)
        ... except sensorium.TrainingError as error:
        ...     print(type(error).__name__)
        TrainingError
    """


class CallbackError(SensoriumError):
    """A callback of the caller raised an exception, which is its `__cause__`.

    Example:
        >>> class Broken(sensorium.Callback):
        ...     def on_epoch_end(self, event):
        ...         raise ValueError("no disk")
        >>> try:
        ...     sensorium.fit("films.csv", "genre", epochs=1, callbacks=[Broken()], progress=False)
        ... except sensorium.CallbackError as error:
        ...     print(repr(error.__cause__))
        ValueError('no disk')
    """


class ArtifactError(SensoriumError):
    """Model file that is damaged, modified or of another kind.

    Example:
        >>> try:
        ...     sensorium.load("films.csv")
        ... except sensorium.ArtifactError as error:
        ...     print(error.place)
        films.csv
    """


class BusyError(SensoriumError):
    """Place that another process writes to.

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
    """Too little memory on the machine or the device.

    Example:
        >>> issubclass(sensorium.OutOfMemoryError, MemoryError)
        True
    """


class MissingExtraError(SensoriumError, ImportError):
    """Optional dependency that is not installed.

    Example:
        >>> issubclass(sensorium.MissingExtraError, ImportError)
        True
    """


def raise_together(faults: Sequence[SensoriumError]) -> None:
    """Raise the only fault, or all of them as one error (of the first one's class); do nothing if there are none."""
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise type(faults[0]).together(faults)
