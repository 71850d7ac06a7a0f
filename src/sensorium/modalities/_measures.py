"""Modalities that measure original files: size, duration or number of pages, before a file is resized or cut."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from pydantic import NonNegativeInt

from sensorium.findings import Guess, Problem, Unreadable
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._beyond import far_beyond
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._fields import check_scale
from sensorium.modalities._files import Source, decode_cells, decode_sample, looks_like_files, shown_cell
from sensorium.modalities._overview import Overview
from sensorium.modalities._scale import mean_and_deviation, standardise
from sensorium.modalities._scans import Note
from sensorium.table import Column, Floats

UNLIKELY = 0.05  # confidence of a guess: a column of files is read as what the files show, unless a view asks for this
SAME = 1e-6  # difference of logarithms up to which two sizes are the same


@dataclass(frozen=True)
class Measures(Modality):
    """Base class: measures of files, which are views of the column of files.

    Encodes to float32[n, k], the natural logarithms of k measures, standardized with the training rows. Measures that
    do not differ in the training rows, and those that are another one times a constant, are left out.

    Class attributes:
        names: name and unit of each measure.
        files: what the files are called in reasons.
        suffixes: their suffixes.
        folders: whether a cell may name a folder.

    Attributes:
        used: positions of the k measures in `names`.
        mean, deviation: float64[k], of the logarithms.
        lowest, highest: float64[k], range in the training rows; empty if no file could be read.
    """

    encoder: ClassVar[str] = "tabular"
    tower: ClassVar[str | None] = "tabular"
    cacheable: ClassVar[bool] = True
    names: ClassVar[tuple[str, ...]]
    files: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    folders: ClassVar[bool] = False

    used: list[NonNegativeInt]
    mean: Floats
    deviation: Floats
    lowest: Floats
    highest: Floats

    def check(self) -> None:
        width = len(self.used)
        if not width or len({*self.used}) < width or max(self.used) >= len(self.names):
            raise ValueError(f"the used measures are {self.used}")
        check_scale(self.mean, self.deviation, width)
        if self.lowest.shape != self.highest.shape or self.lowest.shape not in ((0,), (width,)):
            raise ValueError("the ranges do not match the measures")
        if bool((self.lowest > self.highest).any() or (self.lowest <= 0).any()):
            raise ValueError("a range is empty or not positive")

    @classmethod
    @abstractmethod
    def recognises(cls, head: bytes) -> bool:
        """Return whether bytes start like such a file."""

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        guess = looks_like_files(column, cls.suffixes, cls.recognises, cls.files)
        return guess and replace(guess, confidence=UNLIKELY)

    @classmethod
    @abstractmethod
    def measure(cls, source: Source) -> tuple[float, ...]:
        """Measure a file, without decoding it as a whole; one positive number per name.

        Raises:
            Unreadable: the file is damaged, or of another kind.
        """

    @classmethod
    def noted(cls, source: Source) -> tuple[tuple[float, ...], tuple[Note, ...]]:
        """Measure a file; also return what was assumed, each with its cure. Raises Unreadable as `measure`."""
        return cls.measure(source), ()

    @classmethod
    def learn(cls, column: Column) -> Self:
        """Learn which measures differ, and their scale.

        Args:
            column: training rows.
        """
        found = cls._sample(column)
        used = _different(np.log(found)) or [0]
        kept = found[:, used]
        mean, deviation = np.array([mean_and_deviation(each) for each in np.log(kept).T]).T.copy()
        ends = (kept.min(0), kept.max(0)) if len(kept) else (np.zeros(0), np.zeros(0))
        return cls(used, mean, deviation, *ends)

    @classmethod
    def _sample(cls, column: Column) -> Floats:
        """Return float64[files, names] of sampled files."""
        found = decode_sample(column, cls._checked, folders=cls.folders)
        return np.array(found, np.float64).reshape(-1, len(cls.names))

    @classmethod
    def _checked(cls, source: Source) -> tuple[float, ...]:
        return cls._noted(source)[0]

    @classmethod
    def _noted(cls, source: Source) -> tuple[tuple[float, ...], tuple[Note, ...]]:
        found, notes = cls.noted(source)
        if not all(np.isfinite(value) and value > 0 for value in found):
            raise Unreadable("the file declares no valid size")
        return found, notes

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        measured, notes = np.ones((len(column), len(self.names))), list[Problem]()

        def store(row: int, found: tuple[tuple[float, ...], tuple[Note, ...]]) -> None:
            measured[row] = found[0]
            notes.extend(Problem(row, column.name, reason, cure) for reason, cure in found[1])

        present, problems = decode_cells(column, self._noted, work, store, folders=self.folders)
        kept = measured[:, self.used]
        scaled = np.where(present[:, None], standardise(np.log(kept), self.mean, self.deviation), 0)
        problems += [*notes, *self._beyond(column, kept, np.flatnonzero(present))]
        return Encoded(scaled.astype(np.float32), present, sorted(problems, key=Problem.place))

    def _beyond(self, column: Column, kept: Floats, rows: np.ndarray) -> list[Problem]:
        """Return one problem per measure far outside the training range."""
        found = []
        for name, low, high, values in zip(self._names, self.lowest, self.highest, kept[rows].T, strict=False):
            reason = f"the {name} is far outside the training range ({low:.5g} to {high:.5g}): the prediction for this "
            for row in rows[far_beyond(values, (float(low), float(high)))]:
                cell = shown_cell(column.data[int(row)].as_py())
                found.append(Problem(int(row), column.name, f"{reason}row is not reliable", "check the file", cell))
        return found

    @property
    def _names(self) -> list[str]:
        return [self.names[place] for place in self.used]

    def encoder_spec(self) -> EncoderSpec:
        return {"floats": len(self.used)}

    def overview(self, column: Column) -> Overview:
        return Overview(dict(zip(self._names, self._sample(column).T[self.used], strict=True)))

    def describe(self) -> str:
        return ", ".join(self._names)


def _different(logarithms: Floats) -> list[int]:
    """Return the positions of measures that differ between files, without multiples of another one."""
    used, standard = list[int](), list[Floats]()
    for place, values in enumerate(logarithms.T):
        if len(values) < 2 or np.ptp(values) <= SAME:
            continue
        centred = values - values.mean()
        if all(np.abs(centred - other).max() > SAME for other in standard):
            used.append(place)
            standard.append(centred)
    return used
