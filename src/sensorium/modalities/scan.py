"""Medical images: DICOM files and series, and NIfTI volumes, resampled to one grid. Patient names are never stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import FiniteFloat, NonNegativeFloat, NonNegativeInt, PositiveFloat

from sensorium.config import Side, set_option
from sensorium.findings import Guess, Problem, count
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._dicom_attributes import representation
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._fields import SIZE, MaxPixels
from sensorium.modalities._files import Source, decode_cells, decode_sample, looks_like_files
from sensorium.modalities._scan_files import (
    LOOKED_AT,
    SUFFIXES,
    claim_series_of_slices,
    is_scan,
    read_header,
    reader_of,
    require_readers,
    sizes_differ,
)
from sensorium.modalities._scans import NO_DISTANCE, guarded, quiet, sample
from sensorium.modalities._scans import Scan as Decoded
from sensorium.modalities._sides import SMALLEST_DEPTH, reduced_side
from sensorium.table import Column

LARGEST, SMALLEST = 64, 16  # default side
LARGEST_GRID = 2**28  # voxels
DEEPEST = 32  # default number of slices, at most
WINDOWS = {"lung": (-600, 1500), "bone": (400, 1800), "brain": (40, 80), "soft_tissue": (50, 400)}  # centre, width
TAILS = (0.5, 99.5)  # percentiles that become black and white
BEYOND = ("the scan is larger than the grid at this spacing and is cropped to its middle",
          "set a larger size, depth or spacing of the scan modality")  # fmt: skip
DECLARE = "write it into the file, or remove the option spacing of the scan modality"

Notes: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Scan(Modality):
    """Medical image with two or three dimensions.

    Encodes to float16[n, depth, size, size], 0 (dark) to 1 (bright). Colours become grey. CT is in Hounsfield units
    before the window clips it. If there are several orientations, time points or echoes, one volume is used, and the
    others are reported. No data about the patient is stored or shown. If the sizes of the scans differ, they are a
    column of their own, `NAME.size`.

    Attributes:
        size: number of rows and columns.
        depth: number of slices; 1 if the training scans are single images.
        spacing: voxel spacing in mm; 0 if scans are stretched to the grid, otherwise they are cropped or padded.
        bounds: float32[2], values that become black and white; empty if each scan has its own.
        max_voxels: larger scans are rejected.
        deep, looked: `looked` training scans were sampled; `deep` of them have several slices, of which only the middle
            one is used because most scans have one.
    """

    encoder: ClassVar[str] = "scan_cnn"
    cacheable: ClassVar[bool] = True
    sizes: ClassVar[frozenset[str]] = frozenset({"size", "depth"})

    size: Side
    depth: Side
    spacing: NonNegativeFloat
    bounds: npt.NDArray[np.float32]
    max_voxels: MaxPixels
    deep: NonNegativeInt = 0
    looked: NonNegativeInt = 0

    def check(self) -> None:
        if self.bounds.shape not in ((0,), (2,)):
            raise ValueError(f"the bounds have the shape {self.bounds.shape}")
        if self.size**2 * self.depth > LARGEST_GRID:
            raise ValueError(f"the grid {self.depth} × {self.size} × {self.size} is too large")

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        guess = looks_like_files(column, SUFFIXES, is_scan, "DICOM or NIfTI")
        return guess or claim_series_of_slices(column)

    @classmethod
    def views(cls, column: Column) -> Mapping[str, str]:
        return {SIZE: "scan_size"} if sizes_differ(column) else {}

    @classmethod
    def view(cls, name: str) -> str | None:
        """Return the modality of `scan.size`, or that of a DICOM attribute, `scan.KVP`, named by its keyword.

        Raises:
            SchemaError: there is no such attribute; the error names similar ones.
        """
        if name == SIZE:
            return "scan_size"
        representation(name)
        return "scan_tag"

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        size: Side | None = None,
        depth: Side | None = None,
        spacing: PositiveFloat | None = None,
        window: Literal["auto", "lung", "bone", "brain", "soft_tissue"] | tuple[FiniteFloat, PositiveFloat] = "auto",
        max_voxels: MaxPixels = 2**27,
    ) -> Self:
        """Learn the grid and the range of values.

        Args:
            column: training rows.
            size: rows and columns; by default the median shorter side of the training scans, between 16 and 64;
                smaller for large tables, at least 32.
            depth: slices; by default 1 if most training scans are single images, else their median, at most 32;
                fewer for large tables, at least 8.
            spacing: voxel spacing in mm; by default each scan is stretched to the grid.
            window: displayed range of values: centre and width, or the name of a CT window. `auto` uses the window in
                the file for single images, the 0.5th to 99.5th percentile of the training scans for CT volumes, else of
                each.
            max_voxels: reject scans with more voxels.
        """
        require_readers()
        with quiet():
            headers = decode_sample(column, lambda source: guarded(lambda: read_header(source)), folders=True)
            shapes = np.array([header.shape for header in headers] or [(1, LARGEST, LARGEST)])
            size = size or int(np.clip(np.median(shapes[:, 1:].min(1)), SMALLEST, LARGEST))
            chosen, depth = depth, depth or int(min(DEEPEST, np.median(shapes[:, 0])))
            deep = int((shapes[:, 0] > 1).sum()) if depth == 1 and not chosen else 0
            ct = depth > 1 and 2 * sum(header.ct for header in headers) > len(headers)
            if window == "auto":
                bounds = _common_bounds(column, max_voxels) if ct else np.zeros(0, np.float32)
            else:
                middle, width = WINDOWS[window] if isinstance(window, str) else window
                bounds = np.array([middle - width / 2, middle + width / 2], np.float32)
        return cls(size, depth, spacing or 0.0, bounds, max_voxels, deep, len(headers))

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        require_readers()
        values = np.zeros((len(column), self.depth, self.size, self.size), np.float16)
        notes: list[Problem] = []

        def store(row: int, decoded: tuple[npt.NDArray[np.float16], Notes]) -> None:
            values[row] = decoded[0]
            notes.extend(Problem(row, column.name, finding, cure) for finding, cure in decoded[1])

        with quiet():
            present, problems = decode_cells(column, self.decode, work, store, folders=True)
        return Encoded(values, present, sorted([*problems, *notes], key=Problem.place))

    def decode(self, source: Source) -> tuple[npt.NDArray[np.float16], Notes]:
        """Decode one file or folder to float16[depth, size, size], with notes on what was skipped or is absent.

        Raises:
            Unreadable: the scan is truncated, damaged, too large, or not a scan.
        """
        return guarded(lambda: self._decode(source))

    def _decode(self, source: Source) -> tuple[npt.NDArray[np.float16], Notes]:
        scan = reader_of(source).read_scan(source, self.max_voxels)
        shown = self._shown(scan)
        if self.depth == 1:
            shown = shown[len(shown) // 2][None]
        grid, notes = (self.depth, self.size, self.size), scan.notes
        if self.spacing:
            steps = tuple(self.spacing / mm for mm in scan.spacing)
            cut = [have > side * step + 1 for have, side, step in zip(shown.shape, grid, steps, strict=True)]
            notes = (*notes, BEYOND) if any(cut[self.depth == 1 :]) else notes
            of_slices = self.depth > 1
            notes = (*notes, *((text, DECLARE) for text in scan.assumed if of_slices or text != NO_DISTANCE))
        else:
            steps = tuple(have / side for have, side in zip(shown.shape, grid, strict=True))
        return sample(shown, grid, (1.0, *steps[1:]) if self.depth == 1 else steps).astype(np.float16), notes

    def _shown(self, scan: Decoded) -> npt.NDArray[np.float32]:
        """Scale values to 0–1."""
        if len(self.bounds):
            low, high = map(float, self.bounds)
        elif scan.window and len(scan.voxels) == 1:
            low, high = scan.window
        else:
            low, high = map(float, np.percentile(scan.voxels, TAILS))
        shown = np.clip((scan.voxels - low) / max(high - low, 1e-6), 0, 1)
        return np.asarray(1 - shown if scan.inverted else shown, np.float32)

    def findings(self, column: str) -> list[Problem]:
        if not self.deep:
            return []
        verb = "has" if self.deep == 1 else "have"
        found = f"{self.deep:,} of {count(self.looked, 'scan')} {verb} several slices, but only the middle one is used"
        return [Problem(None, column, found, f"{set_option(column, 'depth', 8)} reads 8 slices of each scan")]

    @property
    def pixels(self) -> int:
        return self.depth * self.size**2

    def reduced(self, share: float) -> Self:
        if self.depth == 1:
            return replace(self, size=reduced_side(self.size, share**0.5))
        scale = share ** (1 / 3)
        depth = reduced_side(self.depth, scale, SMALLEST_DEPTH)
        return replace(self, size=reduced_side(self.size, scale), depth=depth)

    def encoder_spec(self) -> EncoderSpec:
        return {"depth": self.depth, "size": self.size}

    def describe(self) -> str:
        shape = f"{self.size} × {self.size}" if self.depth == 1 else f"{self.depth} × {self.size} × {self.size}"
        return f"{shape}, values {self.bounds[0]:.5g} to {self.bounds[1]:.5g}" if len(self.bounds) else shape


def _common_bounds(column: Column, max_voxels: int) -> npt.NDArray[np.float32]:
    """Return percentiles of a few scans, since volumes take seconds each to decode; empty if none can be read."""

    def percentiles(source: Source) -> npt.NDArray[np.float64]:
        return np.percentile(reader_of(source).read_scan(source, max_voxels).voxels, TAILS)

    found = decode_sample(column, lambda source: guarded(lambda: percentiles(source)), most=LOOKED_AT, folders=True)
    return np.median(found, 0).astype(np.float32) if found else np.zeros(0, np.float32)
