"""Check the contract of modalities."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from sensorium.modalities import Encoded, Modality, Ragged
from sensorium.registry import encoders, modalities
from sensorium.table import Column
from sensorium.testing.tables import make_column

ROWS = (100, 1_000_000)  # training rows of tables for which a modality may advise different encoders


def check_modality(name: str, column: Column | None = None) -> None:
    """Run every check.

    Args:
        name: registered name.
        column: cells of that modality, some missing; generated for built-in modalities.

    Raises:
        AssertionError: a check fails; the message says which.

    Example:
        >>> from sensorium.testing import check_modality
        >>> check_modality('number')
    """
    with tempfile.TemporaryDirectory() as folder:
        column = column or make_column(name, Path(folder))
        kind = modalities.load(name)
        guess = kind.looks_like(column)
        assert guess and guess.reason, f"{name} does not claim its own column, or gives no reason"
        assert 0 < guess.confidence <= 1, f"confidence {guess.confidence} is not between 0 and 1"
        _check_accepts(name, kind.encoder)
        unknown = set(kind.views(column).values()) - set(modalities.entries)
        assert not unknown, f"{name} has views of unknown modalities: {', '.join(sorted(unknown))}"
        learnt = kind.learn(column)
        encoded = learnt.encode(column)
        _check_form(encoded, column)
        _check_cell_by_cell(learnt, encoded, column)
        _check_state(learnt, encoded, column)
        _check_all_missing(learnt, column)
        _check_overview(learnt, column)
        for advice in filter(None, (learnt.advise_encoder(column, rows) for rows in ROWS)):
            _check_accepts(name, advice.name)
            assert advice.reason, f"{name} advises {advice.name} without a reason"
        assert learnt.describe() and learnt.encoder_spec() is not None, f"{name}: the description is empty"


def _check_accepts(name: str, encoder: str) -> None:
    assert name in encoders.entry(encoder).literal("ACCEPTS", ()), f"encoder {encoder!r} does not accept {name}"


def _check_form(encoded: Encoded, column: Column) -> None:
    assert len(encoded.values) == len(encoded.present) == len(column), "one cell a row"
    assert encoded.present.dtype == np.bool_, "`present` is bool"
    assert not (encoded.present & ~column.present).any(), "a missing cell is marked as present"
    assert encoded.present.any(), "no cell of the column could be read"
    told = {problem.row for problem in encoded.problems}
    silent = set(np.flatnonzero(column.present & ~encoded.present)) - told
    assert not silent, f"rows {sorted(silent)} became missing without a reason"
    values = encoded.values.values if isinstance(encoded.values, Ragged) else encoded.values
    assert np.isfinite(values).all(), "values are not all finite"


def _check_cell_by_cell(learnt: Modality, encoded: Encoded, column: Column) -> None:
    for row in range(len(column)):
        alone = learnt.encode(column.take(np.array([row])))
        assert alone.present[0] == encoded.present[row], (
            f"row {row} is present alone but not among others, or the reverse"
        )
        same = np.array_equal(alone.values[0], encoded.values[row])
        assert same or not alone.present[0], f"row {row} is encoded differently alone and among others"


def _check_state(learnt: Modality, encoded: Encoded, column: Column) -> None:
    import json

    fields, arrays = learnt.state()
    again = type(learnt).restore(json.loads(json.dumps(fields)), {name: array.copy() for name, array in arrays.items()})
    assert _same(again.encode(column), encoded), "a modality restored from its state encodes cells differently"


def _check_all_missing(learnt: Modality, column: Column) -> None:
    nothing = learnt.encode(Column(column.name, pa.nulls(3, column.data.type), column.files))
    assert not nothing.present.any() and len(nothing.values) == 3, (
        "a column of missing cells has cells marked as present"
    )


def _check_overview(learnt: Modality, column: Column) -> None:
    """Check the overview of the column: finite numbers, and images and curves of rows with a value."""
    for cells in (column, column.slice(0, 0), Column(column.name, pa.nulls(3, column.data.type), column.files)):
        view = learnt.overview(cells)
        assert all(np.isfinite(values).all() for values in view.figures.values()), (
            "a figure of the overview is not finite"
        )
        there = set(np.flatnonzero(cells.present).tolist())
        assert {*view.pictures, *view.curves} <= there, "the overview has an image or a curve of a row without a value"
        assert all(picture.dtype == np.uint8 and picture.ndim == 3 for picture in view.pictures.values())
        assert all(curve.shape[1:] == (2,) and np.abs(curve).max() <= 1 for curve in view.curves.values())


def _same(one: Encoded, other: Encoded) -> bool:
    rows = range(len(one.present))
    return bool((one.present == other.present).all()) and all(
        np.array_equal(one.values[r], other.values[r]) for r in rows
    )
