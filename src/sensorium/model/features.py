"""Compute features of frozen encoders once, cache them like decoded files, and share them between models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from sensorium.encoders import FeatureEncoder, Static
from sensorium.findings import Problems
from sensorium.modalities import Encoded, EncoderSpec, Modality, Work
from sensorium.prepare import Prepared, code_of
from sensorium.prepare.loader import Loader
from sensorium.runtime.cpus import usable_cpus
from sensorium.table import Column

CHUNK, BATCH = 256, 32  # cells decoded at a time; of like length, given to the encoder at a time
CPU = torch.device("cpu")
MOST = 100_000  # training rows that a static encoder learns from, evenly spaced


@dataclass(frozen=True)
class Features(Modality):
    """Modality and frozen encoder as one step: cells → float32[n, f].

    Attributes:
        modality: converts cells to arrays.
        model: converts arrays to vectors.
        device: the device of the encoder.
    """

    encoder: ClassVar[str] = "vector_mlp"
    cacheable: ClassVar[bool] = True
    uses_all_cores: ClassVar[bool] = True

    modality: Modality
    model: FeatureEncoder
    device: torch.device

    @classmethod
    def looks_like(cls, column: Column) -> None:
        return None

    @classmethod
    def learn(cls, column: Column) -> Self:
        raise TypeError("features are not fitted on a column: they combine a modality and an encoder")

    @property
    def reads_files(self) -> bool:
        return self.modality.reads_files

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Return the key of the features in the cache."""
        fields, arrays = self.modality.state()
        code = [code_of(type(self.modality)), code_of(type(self.model))]
        return {
            "modality": type(self.modality).__qualname__,
            **fields,
            "model": self.model.identity(),
            "code": code,
        }, arrays

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        threads, starts = Work(usable_cpus()), range(0, max(1, len(column)), CHUNK)
        parts = [
            self._encode(self.modality.encode(column.slice(start, CHUNK), threads), work.advance) for start in starts
        ]
        problems = [
            problem.at(range(start, start + CHUNK))
            for start, part in zip(starts, parts, strict=True)
            for problem in part.problems
        ]
        values = np.concatenate([np.asarray(part.values) for part in parts])
        return Encoded(values, np.concatenate([part.present for part in parts]), problems)

    def _encode(self, cells: Encoded, advance: Callable[[int], None]) -> Encoded:
        """Compute features; cells count as done when their features are computed, which takes most of the time."""
        loader = Loader(Prepared({"": cells}, Problems()), None, self.device)
        rows = np.flatnonzero(cells.present)
        features = np.zeros((len(cells.present), self.model.features_width), np.float32)
        advance(len(features) - len(rows))
        with torch.inference_mode():
            for places, batch in loader.by_length(rows, BATCH) if len(rows) else ():
                features[rows[places.numpy()]] = self.model.features(batch.cells[""]).float().cpu().numpy()
                advance(len(places))
        return Encoded(features, cells.present, cells.problems)

    def encoder_spec(self) -> EncoderSpec:
        return {"width": self.model.features_width}

    def describe(self) -> str:
        return f"{self.modality.describe()}, as {self.model.features_width} features"


def learn_features(encoder: Static, modality: Modality, column: Column) -> None:
    """Fit the features of an encoder on the training rows of its column, on `MOST` of them at most."""
    column = column.take(np.arange(0, len(column), max(1, -(-len(column) // MOST))))
    cells = modality.encode(column, Work(usable_cpus()))
    rows = np.flatnonzero(cells.present)
    if len(rows):
        loader = Loader(Prepared({"": cells}, Problems()), None, CPU)
        encoder.learn_features(batch.cells[""] for _, batch in loader.by_length(rows, BATCH))
