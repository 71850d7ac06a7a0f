"""The contract of a modality.

A modality is a frozen dataclass whose fields hold everything that it learned (see `files/state.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, TypeAlias

from sensorium.files.state import HasState
from sensorium.findings import Guess, Problem
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._encoder_advice import EncoderAdvice
from sensorium.modalities._overview import Overview
from sensorium.table import Column

EncoderSpec: TypeAlias = Mapping[str, Any]


class Modality(HasState, ABC):
    """Base class of all modalities.

    Class attributes:
        encoder: registered name of the default encoder, the smallest that performs well; `advise_encoder` names
            another one where the length of the cells or the number of rows calls for it.
        tower: columns with the same tower name are encoded together; None gives each column its own tower.
        cacheable: encoding is slow (it decodes files), so its result is cached on disk for the next run.
        uses_all_cores: encoding already uses all cores and must not run in several processes.
        quick: learning is fast, so `inspect` learns from all rows instead of a sample.
        near_duplicates: how to find near duplicates of a cell; empty to search for exact duplicates only.
        decoders: optional packages that some of its files need.
        sizes: options that hold the size of a cell and may be reduced for large tables.

    Example:
        A modality that counts the words of a text:

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
        ...         return Guess(0.5, "the column holds text") if column.is_string else None
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
    sizes: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    @abstractmethod
    def looks_like(cls, column: Column) -> Guess | None:
        """Return the confidence that the column has this modality, and the reason; None if it cannot have it."""

    @classmethod
    def views(cls, column: Column) -> Mapping[str, str]:
        """Return name → modality of the column's views; `{"sound": "audio"}` adds the column `clip.sound`."""
        return {}

    @classmethod
    def view(cls, name: str) -> str | None:
        """Return the modality of a view that exists only if it is requested by name; None if there is no such view."""
        return None

    @classmethod
    @abstractmethod
    def learn(cls, column: Column) -> Self:
        """Learn from the *training* rows of a column. Keyword-only parameters of an implementation are its options."""

    @abstractmethod
    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        """Encode cells as arrays: the same code for training, evaluation, prediction and serving."""

    @abstractmethod
    def encoder_spec(self) -> EncoderSpec:
        """Return the specification that encoders are built from: vocabulary, channels, size …"""

    def advise_encoder(self, column: Column, rows: int) -> EncoderAdvice | None:
        """Return an encoder that suits the column better than `encoder`, and why; None by default.

        Args:
            column: training rows, or a sample of them.
            rows: number of training rows.
        """
        return None

    def describe(self) -> str:
        """Describe what was learned, in a few words; by default, the name of the class."""
        return type(self).__name__

    def findings(self, column: str) -> list[Problem]:
        """Return problems of the whole column: what was guessed, dropped, converted or cut, with its setting.

        They depend on the learned state alone, so a loaded model reports them too. Each problem has `row=None`.
        """
        return []

    @property
    def reads_files(self) -> bool:
        """Return whether its cells usually are paths of files; by default, whether it is `cacheable`."""
        return self.cacheable

    @property
    def pixels(self) -> int:
        """Return the number of pixels or voxels of a cell, at most; 0 if its size is never reduced."""
        return 0

    def reduced(self, share: float) -> Self:
        """Return the modality with at most this share of `pixels`, but not below the smallest useful size."""
        return self

    def unknown(self) -> int | None:
        """Return the code of values that training did not see, if cells are encoded as codes; else None."""
        return None

    def overview(self, column: Column) -> Overview:
        """Summarize the column for people; empty by default."""
        return Overview()
