"""Another domain than that of the training: adapting without labels, and a few labels, help by far.

SENSORIUM_DATA names the folder of the data sets; see benchmarks/domain_shift.py for the whole of it.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from pyarrow import csv

import sensorium

DATA = Path(os.environ.get("SENSORIUM_DATA") or Path(__file__).parents[3] / "shared" / "data")
TABLE = DATA / "av_digits" / "table.csv"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not TABLE.is_file(), reason=f"no {TABLE}; SENSORIUM_DATA names the folder of the data sets"),
]
CLEAN, DEGRADED = ["image", "audio", "digit", "split"], ["image_degraded", "audio_noisy", "digit", "split"]


def some(table, split, count):
    rows = np.flatnonzero(np.array(table["split"].to_pylist()) == split)
    return rows[:: max(1, len(rows) // count)][:count]


def test_a_clean_model_is_adapted_to_degraded_pictures_and_noisy_speech(monkeypatch):
    monkeypatch.chdir(TABLE.parent)  # cells name files relative to the table
    table = csv.read_csv("table.csv")
    clean, degraded = table.select(CLEAN), table.select(DEGRADED).rename_columns(CLEAN)
    settings = {"progress": False, "config": {"prepare": {"store": "none"}}}
    rows = np.concatenate([some(table, "train", 900), some(table, "val", 150)])
    model = sensorium.fit(clean.take(rows), "digit", epochs=6, **settings)
    test = degraded.take(some(table, "test", 300))
    unlabelled = degraded.take(some(table, "train", 600)).drop_columns(["digit"])
    few = degraded.take(np.concatenate([some(table, "train", 160), some(table, "val", 40)]))
    found = {
        "as it is": model,
        "adapted": model.adapt(unlabelled),
        "continued": sensorium.fit(few, start=model, epochs=15, **settings),
    }
    accuracy = {way: each.evaluate(test, "all").metrics["accuracy"] for way, each in found.items()}
    assert accuracy["adapted"] > accuracy["as it is"] + 0.15, accuracy
    assert accuracy["continued"] > accuracy["as it is"] + 0.15, accuracy
