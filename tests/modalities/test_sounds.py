"""Several sounds in one cell: one after the other, bad ones left out and told."""

import json

import numpy as np
import pytest
import soundfile

import sensorium
from sensorium.modalities.audio import Audio
from sensorium.modalities.sounds import PAUSE, Sounds
from sensorium.table import open_table

RATE = 8000


@pytest.fixture
def folder(tmp_path):
    """Tones of ten heights, 0.1 to 0.19 s long."""
    for place in range(10):
        time = np.arange(int(RATE * (0.1 + place / 100))) / RATE
        soundfile.write(tmp_path / f"{place}.wav", 0.5 * np.sin(2 * np.pi * (200 + 150 * place) * time), RATE)
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    return tmp_path


def column(cells, folder):
    return open_table({"c": cells, "row": list(range(len(cells)))}, folder=folder).column("c")


@pytest.mark.parametrize("spell", [list, json.dumps])
def test_a_cell_is_its_sounds_with_pauses_between(spell, folder):
    cells = column([spell(["1.wav", "2.wav"]), spell(["3.wav"]), None], folder)
    learnt = Sounds.learn(cells)
    found = learnt.encode(cells)
    one = Audio(learnt.rate, learnt.mels, learnt.seconds, learnt.mean, learnt.deviation)
    first, second, third = (one.encode(column([f"{n}.wav", None], folder)).values[0] for n in (1, 2, 3))
    assert found.present.tolist() == [True, True, False]
    assert np.array_equal(found.values[0], np.concatenate([first, np.zeros((PAUSE, learnt.mels)), second]))
    assert np.array_equal(found.values[1], third)
    assert (learnt.most, found.problems) == (2, [])


def test_a_sound_that_cannot_be_decoded_is_left_out_and_told(folder):
    cells = column([["1.wav", "bad.wav", "2.wav"], ["bad.wav"], ["gone.wav", "3.wav"], ["4.wav"]], folder)
    learnt = Sounds.learn(cells)
    found = learnt.encode(cells)
    assert found.present.tolist() == [True, False, True, True]
    assert [problem.row for problem in found.problems] == [0, 1, 2]
    assert all("skipped in its cell" in problem.reason for problem in found.problems)
    assert np.array_equal(found.values[0], learnt.encode(column([["1.wav", "2.wav"]], folder)).values[0])


def test_more_sounds_than_are_kept_are_cut_and_what_is_no_list_is_told(folder):
    cells = column(['["1.wav", "2.wav", "3.wav"]', "one of them"], folder)
    learnt = Sounds.learn(cells, max_sounds=2)
    found = learnt.encode(cells)
    assert np.array_equal(found.values[0], learnt.encode(column([["1.wav", "2.wav"]], folder)).values[0])
    assert [problem.reason for problem in found.problems] == ["the cell is not a list of audio clips: read as missing"]


def test_a_table_of_them_is_learnt_from(folder):
    random = np.random.default_rng(0)
    cells = [[f"{place}.wav" for place in random.integers(0, 5, 2) + 5 * (row % 2)] for row in range(60)]
    table = open_table({"calls": cells, "label": ["low", "high"] * 30}, folder=folder)
    model = sensorium.fit(table, "label", epochs=8, progress=False)
    assert model.columns == {"calls": "sounds"}
    assert model.test.metrics["accuracy"] == 1
