"""The contract that every modality keeps.

A modality is a frozen dataclass whose fields are all that it learnt (see `learned.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.files.state import HasState
from sensorium.findings import Guess, Problem
from sensorium.modalities._overview import Overview
from sensorium.table import Column

Array: TypeAlias = npt.NDArray[Any]
EncoderSpec: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Ragged:
    """Arrays of unequal length, end to end.

    Attributes:
        values: [total, ...]; cell i is `values[offsets[i]:offsets[i + 1]]`.
        offsets: int64[n + 1].
    """

    values: Array
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Array:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @classmethod
    def of(cls, cells: list[Array], empty: Array) -> Ragged:
        """Join cells; `empty` gives dtype and trailing shape where there are none."""
        offsets = np.cumsum([0, *(len(cell) for cell in cells)], dtype=np.int64)
        return cls(np.concatenate(cells) if cells else empty, offsets)

    @classmethod
    def join(cls, parts: list[Ragged], empty: Array) -> Ragged:
        """The cells of all parts, in order."""
        lengths = np.concatenate([np.zeros(1, np.int64), *(np.diff(part.offsets) for part in parts)])
        return cls(np.concatenate([empty, *(part.values for part in parts)]), np.cumsum(lengths))


@dataclass(frozen=True)
class Encoded:
    """A column as arrays.

    Attributes:
        values: [n, ...], or Ragged with n cells; a missing cell is zeros (or of length 0) and never to be read.
        present: bool[n].
        problems: cells read as missing or not exactly, `row` counted within the column that was given.
    """

    values: Array | Ragged
    present: npt.NDArray[np.bool_]
    problems: list[Problem]


def _ignore(rows: int) -> None:
    pass


@dataclass(frozen=True)
class Work:
    """How much of the machine a column may use, and whom to tell of progress."""

    workers: int = 1
    advance: Callable[[int], None] = _ignore


class Modality(HasState, ABC):
    """A kind of column.

    Class attributes:
        encoder: registered name of the encoder to take by default, the smallest that does well.
        tower: columns of one tower are encoded together; None gives each column a tower of its own.
        kept: encoding takes long enough (decoding files) to be kept on disk for the next run.
        alone: it uses all cores by itself: not to be encoded in several processes.
        quick: learning takes little time for every row: `inspect` learns from all of them, not from a sample.
        near: how near copies of a cell are told, beside exact ones; empty where they are not looked for.
        decoders: packages that some of its files can be read with only where they are installed.

    Example:
        A modality that reads the number of words of a text:

        >>> from dataclasses import dataclass
        >>> from sensorium.findings import Guess
        >>> from sensorium.modalities import Encoded, Modality, Work
        >>> from sensorium.table import open_table
        >>> @dataclass(frozen=True)
        ... class WordCount(Modality):
        ...     encoder = "tabular"
        ...     longest: int
        ...
        ...     @classmethod
        ...     def looks_like(cls, column):
        ...         return Guess(0.5, "it holds text") if column.is_string else None
        ...
        ...     @classmethod
        ...     def learn(cls, column):
        ...         return cls(max(len(text.split()) for text in column.values.to_pylist()))
        ...
        ...     def encode(self, column, work=Work()):
        ...         counts = [len((text or "").split()) / self.longest for text in column.data.to_pylist()]
        ...         return Encoded(np.array(counts, np.float32)[:, None], column.present, [])
        ...
        ...     def encoder_spec(self):
        ...         return {"floats": 1}
        ...
        ...     def describe(self):
        ...         return f"up to {self.longest} words"
        >>> column = open_table({"plot": ["a heist in space", None, "two friends"]}).column("plot")
        >>> encoded = WordCount.learn(column).encode(column)
        >>> encoded.values[:, 0].tolist(), encoded.present.tolist()
        ([1.0, 0.0, 0.5], [True, False, True])
    """

    encoder: ClassVar[str]
    tower: ClassVar[str | None] = None
    cacheable: ClassVar[bool] = False
    uses_all_cores: ClassVar[bool] = False
    quick: ClassVar[bool] = False
    near_duplicates: ClassVar[Literal["", "picture", "text"]] = ""
    decoders: ClassVar[tuple[str, ...]] = ()

    @classmethod
    @abstractmethod
    def looks_like(cls, column: Column) -> Guess | None:
        """Is the column of this kind: how sure, and why? None where it can't be."""

    @classmethod
    def views(cls, column: Column) -> Mapping[str, str]:
        """Name → modality of what else is in the cells; `{"sound": "audio"}` gives the column `clip.sound`."""
        return {}

    @classmethod
    def view(cls, name: str) -> str | None:
        """The modality of a view that is there only where it is asked for by name; None where there is none."""
        return None

    @classmethod
    @abstractmethod
    def learn(cls, column: Column) -> Self:
        """Learn from the *training* rows of a column; keyword-only parameters of an implementation are the options."""

    @abstractmethod
    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        """Cells → arrays: the one path for training, evaluation, prediction and serving."""

    @abstractmethod
    def encoder_spec(self) -> EncoderSpec:
        """What an encoder needs to know to be built: vocabulary, channels, size …"""

    @abstractmethod
    def describe(self) -> str:
        """What was learnt, in a few words for a person."""

    def findings(self, column: str) -> list[Problem]:
        """What was guessed, dropped, converted or cut for the column as a whole, with the setting that changes it.

        From what was learnt alone, so that a loaded model says it too; each with `row=None`.
        """
        return []

    def unknown(self) -> int | None:
        """Of cells that are encoded as codes: the code of what training did not see; None where there is none."""
        return None

    def overview(self, column: Column) -> Overview:
        """What a person should see of the column; nothing by default."""
        return Overview()
