"""The demo: the same data every time, the main job from end to end, and a word on whether fusing helped."""

import csv
import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image
from pyarrow import parquet

import sensorium
from sensorium.testing.demo import HIGH, LOW, make_parcels, read_truth

MODALITIES = {"picture": "image", "tone": "audio", "note": "text", "weight": "number"}


def digests(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def parcels(tmp_path_factory):
    return make_parcels(tmp_path_factory.mktemp("parcels"))


@pytest.fixture(scope="module")
def rows(parcels):
    with parcels.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.slow
def test_the_same_seed_makes_the_same_files(parcels, tmp_path):
    make_parcels(tmp_path)
    found = digests(tmp_path)
    assert len(found) == 1 + 2 * 1797
    assert found == digests(parcels.parent)


def test_its_columns_are_recognised_without_settings(parcels):
    found = sensorium.inspect(parcels, "gate")
    assert {c.name: c.modality for c in found.columns if c.modality} == MODALITIES
    assert found.target["task"] == "multiclass"
    assert found.split["how"] == "named by column 'split'"
    assert not [line for column in found.columns for line in column.unreadable]


def test_pictures_are_the_handwriting_of_scikit_learn(parcels, rows):
    """Where there is no blot, the picture shrunk again is the digit: dark where there is ink."""
    from sklearn.datasets import load_digits

    likeness = []
    for row, digit in zip(rows[:200], load_digits().images, strict=False):
        picture = Image.open(parcels.parent / row["picture"]).resize((8, 8), Image.Resampling.BOX)
        likeness.append(np.corrcoef(255.0 - np.asarray(picture).ravel(), digit.ravel())[0, 1])
    share = np.mean(np.array(likeness) > 0.8)
    assert 0.55 < share < 0.75  # 65% are not blotted


def test_tones_are_those_of_the_gates_key(parcels, rows):
    """Goertzel's question put to the sound: which two frequencies of the keypad are the loudest?"""
    right = []
    for row in rows[:200]:
        wave, rate = soundfile.read(parcels.parent / row["tone"])
        time = np.arange(len(wave)) / rate
        power = {pitch: abs(np.exp(-2j * np.pi * pitch * time) @ wave) for pitch in {*LOW, *HIGH}}
        heard = max(set(LOW), key=power.get), max(set(HIGH), key=power.get)
        right.append(heard == (LOW[int(row["gate"])], HIGH[int(row["gate"])]))
    assert 0.55 < np.mean(right) < 0.75  # 60% are not drowned, some of the others by luck


def test_the_truth_is_that_of_the_test_rows(parcels, rows):
    expected = {n: int(row["gate"]) for n, row in enumerate(rows) if row["split"] == "test"}
    assert read_truth(parcels) == expected
    assert 0.15 < len(expected) / len(rows) < 0.25


def demo(*arguments):
    command = [sys.executable, "-m", "sensorium", "demo", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_help_says_what_is_real_and_what_is_made():
    text = " ".join(demo("--help").stdout.split())
    assert "real handwritten digit" in text
    assert "synthetic tone, note and weight" in text


@pytest.mark.slow
def test_it_does_the_main_job_and_says_whether_fusing_helped(tmp_path):
    done = demo("--epochs", "1", "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert [r["name"] for r in found["results"] if r["kind"] == "single"] == list(MODALITIES)
    assert [r["name"] for r in found["results"] if r["fusion"]] == ["concat", "weighted_sum"]
    assert found["verdict"]
    assert parquet.read_table(tmp_path / "predictions.parquet").num_rows == 1797
    assert sensorium.load(tmp_path / "run").columns == MODALITIES
    for command in ("inspect", "fit", "evaluate", "predict", "compare"):
        assert f"$ sensorium {command} " in done.stderr
