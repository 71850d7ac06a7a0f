"""Any option at its limits, on the smallest cells: values stay finite, within their dtype, and where they were."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.augment import build_augmentation
from sensorium.batch import Cells
from sensorium.registry import augmentations

pytestmark = pytest.mark.unit

LIMITS = {
    "Probability": (0.0, 1.0),
    "Share": (1e-3, 1.0),
    "Decibels": (1e-3, 100.0),
    "PositiveFloat": (1e-6, 1e6),
    "NonNegativeInt": (0, 5),
}


def limits(option):
    if option.annotation.startswith("Literal"):
        return [value.strip("' ") for value in option.annotation[8:-1].split(",")]
    return list(LIMITS[option.annotation])


def steps(rows, longest, random):
    return torch.arange(longest) < torch.randint(0, longest + 1, (rows, 1), generator=random)


def cells_of(kind, rows, size, seed):
    """Cells of a modality, a picture's side or a sequence's steps given; some missing, or all."""
    random = torch.Generator().manual_seed(seed)
    present = torch.rand(rows, generator=random) < 0.7
    mask = steps(rows, size, random) if kind in ("audio", "series", "text") else None
    values = {
        "image": lambda: torch.randint(0, 256, (rows, size, size, 3), generator=random, dtype=torch.uint8),
        "scan": lambda: torch.rand(rows, 2, size, size, generator=random).half(),
        "audio": lambda: torch.randn(rows, size, 4, generator=random),
        "text": lambda: torch.randint(0, 9, (rows, size), generator=random, dtype=torch.int32),
        "series": lambda: torch.randn(rows, size, 4, generator=random),
        "number": lambda: torch.randn(rows, 1, generator=random),
        "vector": lambda: torch.randn(rows, size, generator=random),
        "date": lambda: torch.randn(rows, 5, generator=random),
        "boolean": lambda: torch.randn(rows, 1, generator=random).sign(),
        "category": lambda: torch.randint(0, 9, (rows,), generator=random),
    }
    return Cells(values[kind](), present, mask)


KINDS = ("image", "scan", "audio", "text", "series", "number", "vector", "date", "boolean", "category")
FACTS = {"mels": 4, "mean": np.zeros(4, np.float32), "deviation": np.full(4, 0.1, np.float32), "channels": 2}


@pytest.mark.parametrize("name", augmentations.names())
@settings(max_examples=25)
@given(data=st.data(), rows=st.integers(1, 5), size=st.integers(1, 6), seed=st.integers(0, 99))
def test_values_stay_finite_and_in_place(name, data, rows, size, seed):
    entry = augmentations.entry(name)
    options = {option.name: data.draw(st.sampled_from(limits(option)), option.name) for option in entry.options()}
    kind = data.draw(st.sampled_from([kind for kind in KINDS if kind in entry.literal("ACCEPTS")]))
    cells = cells_of(kind, rows, size, seed)
    changed = build_augmentation(name, FACTS, options)(cells, torch.Generator().manual_seed(seed)).values
    assert changed.shape == cells.values.shape
    assert changed.dtype == cells.values.dtype
    assert changed.isfinite().all()
    assert torch.equal(changed[~cells.present], cells.values[~cells.present])
    if kind == "scan":
        assert float(changed.min()) >= 0
        assert float(changed.max()) <= 1.001
    if kind == "text":
        assert set(changed.flatten().tolist()) <= set(range(9))
