"""Attributes of medical images, such as tube voltage or a patient's age, read from DICOM headers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.config import set_option
from sensorium.errors import ConfigError, SchemaError
from sensorium.findings import Guess, Problem, Unreadable
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._dicom_attributes import read_attribute, representation
from sensorium.modalities._dicom_open import is_dicom
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._fields import check_scale
from sensorium.modalities._files import Source, decode_cells, decode_sample, looks_like_files
from sensorium.modalities._scale import standardise
from sensorium.modalities._scans import guarded, quiet
from sensorium.modalities.category import Category
from sensorium.modalities.number import Number
from sensorium.table import Column

LEARN_FROM = 10_000  # headers
USUAL = "Modality"  # CT, MR, DX …: an attribute of every file
NUMBERS = ("AS", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV")
# Codes and numbers describe the acquisition; names, free text, dates and unique numbers identify people or places.
OPEN = (*NUMBERS, "CS")
OPEN_TEXTS = ("ConvolutionKernel", "Manufacturer", "ManufacturerModelName", "SequenceName")
WITHOUT_VALUE = ("AT", "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UN")

Values: TypeAlias = list[str | float]


@dataclass(frozen=True)
class ScanTag(Modality):
    """An attribute of DICOM files, requested as a view of their column (`scan.KVP`); ages are in years.

    Encodes to float32[n, k], k numbers standardized with the training rows, or to int64[n], 0 unknown and name i as i +
    1. Attributes that may identify a patient or a place are rejected unless requested; no report quotes a value.

    Attributes:
        attribute: its keyword in DICOM's dictionary.
        kind: `number` or `category`.
        personal: whether it may identify a patient.
        mean, deviation: float64[k].
        edges: float32, quantiles of a single number, as in number.
        levels, rare: as in category.
    """

    encoder: ClassVar[str] = "tabular"
    tower: ClassVar[str | None] = "tabular"
    cacheable: ClassVar[bool] = True

    attribute: str
    kind: Literal["number", "category"]
    personal: bool
    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]
    edges: npt.NDArray[np.float32]
    levels: list[str]
    rare: list[str]

    def check(self) -> None:
        width = self.mean.size
        check_scale(self.mean, self.deviation, width)
        if (self.kind == "number") != bool(width) or self.edges.ndim != 1 or (len(self.edges) > 0) != (width == 1):
            raise ValueError(f"a {self.kind} cannot have {width} means and {self.edges.size} edges")

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        guess = looks_like_files(column, (".dcm", ".dicom"), is_dicom, "DICOM")
        return guess and replace(guess, confidence=0.1)

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        attribute: str | None = None,
        kind: Literal["number", "category"] | None = None,
        personal: bool = False,
    ) -> Self:
        """Learn the scale of a number, or the names of a category.

        Args:
            column: training rows.
            attribute: keyword in DICOM's dictionary; by default the name of the view, else Modality.
            kind: by default as the dictionary declares it: numbers and ages are numbers.
            personal: allow names, numbers, dates, places and free text, which may identify a patient.

        Raises:
            SchemaError: there is no such attribute.
            ConfigError: the attribute may identify a patient, or has no value.
        """
        attribute = attribute or (column.name.rpartition(".")[2] if column.is_view else USUAL)
        written = representation(attribute)
        _refuse(attribute, written, column.name, personal=personal)
        kind = kind or ("number" if written in NUMBERS else "category")
        with quiet():
            cells = decode_sample(column, lambda source: _read(source, attribute), most=LEARN_FROM, folders=True)
        if kind == "category":
            names = Category.learn(replace(column, data=pa.array([_name(cell) for cell in cells], pa.string())))
            empty = np.zeros(0)
            return cls(attribute, kind, personal, empty, empty, empty.astype(np.float32), names.levels, names.rare)
        width, found = _of_one_width([numbers for cell in cells if (numbers := _numbers(cell)) is not None])
        parts = [Number.learn(replace(column, data=pa.array(part, pa.float64()))) for part in found.T]
        mean, deviation = (np.array([getattr(p, field) for p in parts]) for field in ("mean", "deviation"))
        edges = parts[0].edges if width == 1 else np.zeros(0, np.float32)
        return cls(attribute, kind, personal, mean, deviation, edges, [], [])

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        number = self.kind == "number"
        values = np.zeros((len(column), len(self.mean)) if number else len(column), np.float32 if number else np.int64)
        places = {name: place for place, name in enumerate(self.levels, 1)} | dict.fromkeys(self.rare, 0)
        unseen = list[Problem]()

        def store(row: int, cell: Values) -> None:
            if number:
                values[row] = standardise(self._checked(cell), self.mean, self.deviation)
                return
            values[row] = places.get(_name(cell), 0)
            if _name(cell) not in places:
                unseen.append(Problem(row, column.name, f"{self.attribute} was not seen in training: read as unknown"))

        with quiet():
            present, problems = decode_cells(
                column, lambda source: _read(source, self.attribute), work, store, folders=True
            )
        return Encoded(values, present, sorted([*problems, *unseen], key=Problem.place))

    def _checked(self, cell: Values) -> npt.NDArray[np.float64]:
        found = _numbers(cell)
        if found is None:
            raise Unreadable("the attribute is not a finite number")
        if len(found) != len(self.mean):
            raise Unreadable(f"the attribute has {len(found)} numbers instead of {len(self.mean)}")
        return found

    def encoder_spec(self) -> EncoderSpec:
        if self.kind == "category":
            return {"levels": len(self.levels) + 1}
        return {"floats": 1, "edges": self.edges} if len(self.mean) == 1 else {"floats": len(self.mean)}

    def describe(self) -> str:
        if self.kind == "category":
            return f"{self.attribute}, {len(self.levels)} levels"
        return f"{self.attribute}, mean {', '.join(f'{mean:.4g}' for mean in self.mean)}"


def _refuse(attribute: str, written: str, column: str, *, personal: bool) -> None:
    if written in WITHOUT_VALUE:
        raise SchemaError(f"the attribute {attribute!r} contains data or other attributes, not a value", place=column)
    if not (personal or written in OPEN or attribute in OPEN_TEXTS):
        raise ConfigError(
            f"the attribute {attribute!r} may identify a patient or a place",
            place=column,
            rule="names, identifiers, dates, places and free text are not used unless requested",
            cure=f"{set_option(column, 'personal', 'true')} to use it",
        )


def _read(source: Source, attribute: str) -> Values:
    return guarded(lambda: read_attribute(source, attribute))


def _numbers(cell: Values) -> npt.NDArray[np.float64] | None:
    """Return float64[k]; None if one of them is not a finite number."""
    try:
        found = np.array([float(part) for part in cell])
    except (TypeError, ValueError, OverflowError):
        return None
    return found if np.isfinite(found).all() else None


def _name(cell: Any) -> str:
    """Join several values to one name, separated as in DICOM."""
    return "\\".join(part if isinstance(part, str) else f"{part:.15g}" for part in cell)


def _of_one_width(cells: list[npt.NDArray[np.float64]]) -> tuple[int, npt.NDArray[np.float64]]:
    """Return how many numbers most cells have (one if there are no cells), and the cells with that many."""
    widths = [len(cell) for cell in cells]
    width = max(set(widths), key=lambda one: (widths.count(one), one), default=1)
    return width, np.array([cell for cell in cells if len(cell) == width]).reshape(-1, width)
