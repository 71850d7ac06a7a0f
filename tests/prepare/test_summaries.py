"""Summaries of cells of any shape as numbers; nothing is learned from other rows."""

import numpy as np
import pytest

from sensorium.findings import Problems
from sensorium.modalities import Encoded, Ragged
from sensorium.prepare import Prepared
from sensorium.prepare.summaries import summarize
from sensorium.prepare.summaries._images import DIRECTIONS, SHADES, SIDE, summarize_images
from sensorium.prepare.summaries.series import FEW, summarize_series, summarize_waveforms
from sensorium.prepare.summaries.terms import count_terms, rows_with, select_terms, words_per_row

PAIR = 2**32


@pytest.mark.unit
def test_words_and_pairs_of_words_are_counted_within_their_cell():
    cells = Ragged(np.array([5, 6, 5, 6, 7, 1, 6], np.int32), np.array([0, 4, 4, 7]))
    counts, keys = count_terms(cells)
    found = {int(key): counts[:, [place]].toarray().ravel().tolist() for place, key in enumerate(keys)}
    assert found[5] == [2, 0, 0] and found[6] == [2, 0, 1] and found[7] == [0, 0, 1]
    assert found[6 * PAIR + 6] == [2, 0, 0] and found[7 * PAIR + 5] == [1, 0, 0]  # 5 6 twice, 6 5 once
    assert len(found) == 5  # nothing of the unknown word, and no pair across it or across cells
    assert words_per_row(counts, keys).tolist() == [4, 0, 2]
    assert rows_with(counts)[np.searchsorted(keys, 6)] == 2


@pytest.mark.unit
def test_terms_are_selected_by_their_keys():
    counts, keys = count_terms(Ragged(np.array([2, 5, 2, 5, 3], np.int32), np.array([0, 3, 5])))
    found = select_terms(counts, keys, np.array([3, 4, 5])).toarray()
    assert found.tolist() == [[0, 0, 1], [1, 0, 1]]
    assert select_terms(counts, keys, np.zeros(0, np.int64)).shape == (2, 0)


@pytest.mark.unit
@pytest.mark.parametrize("channels", [1, 2, FEW + 1])
def test_a_series_is_summarized_alone_or_among_others(channels):
    random = np.random.default_rng(0)
    steps = random.normal(size=(100, channels)).astype(np.float32)
    together = summarize_series(Ragged(steps, np.array([0, 30, 30, 60, 61, 100])))
    assert np.isfinite(together).all() and (together[1] == 0).all()
    for row, (start, end) in {0: (0, 30), 2: (30, 60), 3: (60, 61), 4: (61, 100)}.items():
        alone = summarize_series(Ragged(steps[start:end], np.array([0, end - start])))[0]
        assert together[row] == pytest.approx(alone, abs=1e-5)
        assert together[row, :channels] == pytest.approx(steps[start:end].mean(0), abs=1e-6)
        assert together[row, channels : 2 * channels] == pytest.approx(steps[start:end].std(0), abs=1e-6)
        assert together[row, -1] == pytest.approx(np.log1p(end - start))


@pytest.mark.unit
def test_a_spectrum_tells_slow_waves_from_fast_ones():
    time = np.arange(256)
    waves = np.stack([np.sin(2 * np.pi * time * turns / 256) for turns in (2, 100)]).astype(np.float32)
    slow, fast = summarize_waveforms(Ragged(waves.ravel(), np.array([0, 256, 512])))
    bands = slice(-1 - 12 - 64, -1 - 12)
    assert slow[bands].argmax() < 20 and fast[bands].argmax() > 40


@pytest.mark.unit
def test_a_burst_within_a_series_shows_in_the_quartiles_of_its_windows():
    even = np.random.default_rng(0).standard_normal(320).astype(np.float32)
    burst = np.where(np.arange(320) // 32 == 4, 5, 1) * even
    found = summarize_waveforms(Ragged(np.concatenate([even, burst]), np.array([0, 320, 640])))[:, -13:-9]
    deviations = [[part.std() for part in np.split(values, 10)] for values in (even, burst)]
    assert found[:, [0, 3]] == pytest.approx(np.array([[min(own), max(own)] for own in deviations]), abs=1e-5)
    assert found[1, 3] > 2 * found[1, 2]


@pytest.mark.unit
@pytest.mark.parametrize("length", [1, 2, 31, 32, 33, 100])
def test_series_of_any_length_have_as_many_finite_statistics(length):
    values = np.random.default_rng(0).standard_normal((length, 2)).astype(np.float32)
    found = summarize_series(Ragged(values, np.array([0, length, length])))
    assert np.isfinite(found).all() and not found[1].any()


@pytest.mark.unit
def test_images_are_summarized_by_means_over_tiles_colours_and_edges():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 24, 24, 3), dtype=np.uint8)
    tiles = pictures.reshape(3, SIDE, 2, SIDE, 2, 3).mean((2, 4)) / 255
    found, size = summarize_images(pictures), SIDE * SIDE * 3
    assert found.shape == (3, size + 3 * SHADES + 4 * DIRECTIONS)
    assert found[:, :size] == pytest.approx(tiles.reshape(3, -1), abs=1e-5)
    shades = found[:, size : size + 3 * SHADES].reshape(3, 3, SHADES)
    assert shades.sum(2) == pytest.approx(np.ones((3, 3)), abs=1e-5)
    assert shades[0, 1, 0] == pytest.approx((pictures[0, :, :, 1] < 32).mean(), abs=1e-6)
    several = summarize_images(Ragged(pictures, np.array([0, 2, 3])))
    assert several[0] == pytest.approx(np.concatenate([found[:2].mean(0), found[:2].std(0)]), abs=1e-5)


@pytest.mark.unit
def test_edges_of_stripes_have_their_direction():
    rising = np.zeros((1, 16, 16, 1), np.uint8) + np.arange(0, 256, 16, dtype=np.uint8)[None, None, :, None]
    for picture, direction in ((rising, 0.0), (rising.transpose(0, 2, 1, 3), np.pi / 2)):
        quarters = summarize_images(picture)[0, -4 * DIRECTIONS :].reshape(4, DIRECTIONS)
        wanted = int((direction / (2 * np.pi) + 0.5) * DIRECTIONS)
        assert (quarters.argmax(1) == wanted).all() and (np.delete(quarters, wanted, 1) == 0).all()


@pytest.mark.unit
def test_scans_are_summarized_by_blocks_and_quantiles():
    voxels = np.arange(5 * 13 * 13, dtype=np.float16).reshape(1, 5, 13, 13)
    found = summarize_images(voxels)
    assert found.shape == (1, 5 * 12 * 12 + 10)
    assert found[0, -3:] == pytest.approx([0.75, 0.5, 0.25], abs=0.01)
    assert found[0, -7] == pytest.approx(np.median(voxels.astype(np.float32)), rel=1e-3)


@pytest.mark.unit
def test_rows_are_taken_in_any_order():
    tokens = Encoded(Ragged(np.arange(2, 8, dtype=np.int32)[::-1].copy(), np.array([0, 2, 2, 6])), np.ones(3, bool), [])
    numbers = Encoded(np.arange(6, dtype=np.float32).reshape(3, 2), np.array([True, False, True]), [])
    codes = Encoded(np.array([4, 5, 6]), np.ones(3, bool), [])
    table = Prepared({"text": tokens, "x": numbers, "kind": codes}, Problems())
    whole, rows = summarize(table), np.array([2, 0])
    for taken in (summarize(table, rows), whole.take(rows)):
        assert taken.rows == 2 and taken.columns["kind"].values.tolist() == [6, 4]
        assert taken.columns["x"].values.tolist() == [[4, 5], [0, 1]]
        assert words_per_row(taken.columns["text"].values, taken.columns["text"].keys).tolist() == [4, 2]
    assert {name: own.kind for name, own in whole.columns.items()} == {"text": "terms", "x": "numbers", "kind": "codes"}
    assert summarize(table, rows[:0]).rows == 0


@pytest.mark.unit
@pytest.mark.parametrize("cell", [np.zeros((12, 12, 3), np.uint8), np.zeros((3, 12, 12), np.float16)])
def test_cells_without_images_have_as_many_numbers_as_others(cell):
    some = summarize_images(Ragged(cell[None], np.array([0, 1, 1])))
    none = summarize_images(Ragged(cell[None][:0], np.zeros(3, np.int64)))
    assert none.shape == some.shape and not none.any()
    assert summarize_images(cell[None][:0]).shape == (0, some.shape[1] // 2)
