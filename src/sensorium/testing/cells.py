"""Generate cells in the form that encoders and augmentations receive."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from sensorium.batch import Cells
from sensorium.modalities import EncoderSpec
from sensorium.prepare import prepare_columns
from sensorium.prepare.loader import Loader
from sensorium.registry import modalities
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing.tables import make_table


def make_cells(
    kinds: Sequence[str], rows: int = 12, *, missing: float = 0.0, options: Mapping[str, Any] = MappingProxyType({})
) -> tuple[list[Cells], dict[str, EncoderSpec]]:
    """Make a batch with a column of each modality, and the encoder specifications of these modalities.

    Args:
        kinds: registered names of modalities.
        rows: number of rows.
        missing: probability that a cell is missing.
        options: options of each modality.
    """
    with tempfile.TemporaryDirectory() as folder:
        table = open_table(make_table(Path(folder), rows=rows, modalities=kinds, missing=missing))
        learnt = {kind: modalities.load(kind).learn(table.column(kind), **options) for kind in kinds}
        prepared = prepare_columns(table, learnt, Silent())
    batch = Loader(prepared, None, torch.device("cpu")).batch(torch.arange(rows))
    return [batch.cells[kind] for kind in kinds], {kind: modality.encoder_spec() for kind, modality in learnt.items()}
