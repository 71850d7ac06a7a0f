"""Augmented sounds, texts, series and tables: each does what its name says, in the units that it says."""

import numpy as np
import pytest
import torch

from sensorium.augment import build_augmentation
from sensorium.batch import Cells
from sensorium.errors import ConfigError
from sensorium.modalities.audio import FLOOR

MELS = 8
MEAN, DEVIATION = np.linspace(-6, -3, MELS).astype(np.float32), np.linspace(0.5, 2, MELS).astype(np.float32)


def call(name, cells, encoder_spec=None, seed=0, **options):
    augmentation = build_augmentation(name, encoder_spec or {}, {"probability": 1.0, **options})
    return augmentation(cells, torch.Generator().manual_seed(seed)).values


def sounds(rows, frames=40):
    """Spectrograms of unequal length, and their power."""
    random = torch.Generator().manual_seed(0)
    power = torch.rand(rows, frames, MELS, generator=random) + 0.05
    lengths = torch.randint(frames // 2, frames + 1, (rows,), generator=random)
    mask = torch.arange(frames) < lengths[:, None]
    values = ((power + FLOOR).log() - torch.from_numpy(MEAN)) / torch.from_numpy(DEVIATION)
    return Cells(values * mask[..., None], torch.ones(rows, dtype=torch.bool), mask)


FACTS = {"mels": MELS, "mean": MEAN, "deviation": DEVIATION}


def power_of(values):
    return (values * torch.from_numpy(DEVIATION) + torch.from_numpy(MEAN)).exp() - FLOOR


def test_gain_changes_all_of_a_sound_by_one_number_of_decibels():
    cells = sounds(50)
    ratio = 10 * (power_of(call("gain", cells, FACTS, decibels=6.0)) / power_of(cells.values)).log10()
    for row, mask in zip(ratio, cells.mask, strict=True):
        assert float(row[mask].std()) < 0.01
    first = ratio[:, 0, 0]
    assert -6.01 < float(first.min()) < -4 < 4 < float(first.max()) < 6.01


def test_noise_has_the_power_that_its_ratio_says():
    cells = sounds(200)
    noise = power_of(call("white_noise", cells, FACTS, min_snr=3.0)) - power_of(cells.values)
    for values in (noise, cells.values):
        assert torch.isfinite(values).all()
    mask = cells.mask[..., None]
    mean = [(part * mask).sum((1, 2)) / (mask.sum((1, 2)) * MELS) for part in (power_of(cells.values), noise)]
    decibels = 10 * (mean[0] / mean[1]).log10()
    assert 2.5 < float(decibels.min()) < 6
    assert 27 < float(decibels.max()) < 34


def test_silence_stays_silence():
    silent = torch.full((2, 5, MELS), float(np.log(FLOOR)))
    cells = Cells(
        (silent - torch.from_numpy(MEAN)) / torch.from_numpy(DEVIATION), torch.ones(2) > 0, torch.ones(2, 5) > 0
    )
    for name in ("gain", "white_noise"):
        assert torch.allclose(call(name, cells, FACTS), cells.values, atol=1e-3)


def test_a_shifted_sound_is_the_old_one_beside_repeated_frames():
    cells = sounds(30)
    for old, new, mask in zip(cells.values, call("time_shift", cells, max_shift=0.3), cells.mask, strict=True):
        length = int(mask.sum())
        moves = [
            m for m in range(-15, 16) if torch.equal(new[:length], old[(torch.arange(length) - m).clamp(0, length - 1)])
        ]
        assert len(moves) == 1
        assert abs(moves[0]) <= 0.3 * length + 0.5


def test_a_waveform_is_shifted_and_has_no_bands_to_change():
    lengths, samples = torch.tensor([[6], [4]]), torch.arange(1.0, 7.0).repeat(2, 1)
    mask = torch.arange(6) < lengths
    cells = Cells(samples * mask, torch.ones(2, dtype=torch.bool), mask)
    waveform = {"form": "waveform", "rate": 8000}
    moved = [call("time_shift", cells, waveform, seed=seed, max_shift=0.5) for seed in range(8)]
    for values in moved:
        for row, old, length in zip(values, cells.values, lengths[:, 0], strict=True):
            places = torch.arange(length)
            shifts = [old[(places + by).clamp(0, length - 1)] for by in range(-3, 4)]
            assert any(torch.equal(row[:length], shifted) for shifted in shifts)
            assert not row[length:].any()
    assert len({tuple(values.flatten().tolist()) for values in moved}) > 2
    for name in ("gain", "white_noise", "spec_augment"):
        with pytest.raises(ConfigError, match="options do not produce"):
            call(name, cells, waveform)


def test_spec_augment_hides_whole_bands_and_whole_stretches_of_time():
    cells = sounds(100)
    changed = call("spec_augment", cells, FACTS, bands=0.5, time=0.25)
    for old, new, mask in zip(cells.values, changed, cells.mask, strict=True):
        hidden = (new != old)[mask]
        assert bool((new[mask][hidden] == 0).all())
        bands, frames = hidden.all(0), hidden.all(1)
        assert torch.equal(hidden, bands[None] | frames[:, None])
        assert int(bands.sum()) <= MELS / 2 + 1
        assert int(frames.sum()) <= len(hidden) / 4 + 1
        assert all(int(line.int().diff().clamp_min(0).sum()) <= 1 for line in (bands, frames))


def test_spec_augment_without_masks_changes_nothing():
    cells = sounds(5)
    assert torch.equal(call("spec_augment", cells, FACTS, band_masks=0, time_masks=0), cells.values)


def texts(rows, tokens=30):
    ids = torch.randint(2, 99, (rows, tokens), generator=torch.Generator().manual_seed(0), dtype=torch.int32)
    mask = torch.arange(tokens) < torch.arange(1, rows + 1)[:, None].clamp_max(tokens)
    return Cells(ids * mask, torch.ones(rows, dtype=torch.bool), mask)


def test_dropped_tokens_become_the_unknown_one():
    cells = texts(300)
    changed = call("token_dropout", cells, dropout=0.2)
    dropped = changed != cells.values
    assert bool((changed[dropped] == 1).all())
    assert not bool(dropped[~cells.mask].any())
    assert 0.18 < float(dropped.sum() / cells.mask.sum()) < 0.22


def test_unknown_is_the_id_that_the_text_modality_gives(tmp_path):
    from sensorium.augment.token_dropout import UNKNOWN
    from sensorium.registry import modalities
    from sensorium.table import open_table

    column = open_table({"t": ["good words", "good words", "words good"], "row": [1, 2, 3]}).column("t")
    learnt = modalities.load("text").learn(column, min_count=1)
    strange = open_table({"t": ["zzz"], "row": [1]}).column("t")
    assert learnt.encode(strange).values[0].tolist() == [UNKNOWN]


def series(rows, steps=50):
    random = torch.Generator().manual_seed(0)
    marks = (torch.rand(rows, steps, 2, generator=random) < 0.8).float()
    mask = torch.ones(rows, steps, dtype=torch.bool)
    mask[::2, steps // 2 :] = False
    values = torch.randn(rows, steps, 2, generator=random) * marks
    return Cells(torch.cat([values, marks], 2) * mask[..., None], torch.ones(rows, dtype=torch.bool), mask)


@pytest.mark.parametrize("name", ["jitter", "scaling"])
def test_gaps_and_marks_of_a_series_stay(name):
    cells = series(20)
    changed = call(name, cells, {"channels": 2})
    assert torch.equal(changed[..., 2:], cells.values[..., 2:])
    gaps = cells.values[..., 2:] == 0
    assert bool((changed[..., :2][gaps] == 0).all())
    assert not torch.equal(changed[..., :2], cells.values[..., :2])


def test_jitter_has_the_deviation_that_was_set():
    cells = series(200)
    change = (call("jitter", cells, {"channels": 2}, std=0.3) - cells.values)[..., :2][cells.values[..., 2:] == 1]
    assert abs(float(change.std()) - 0.3) < 0.01


def test_scaling_multiplies_a_channel_by_one_factor():
    cells = series(300)
    known = cells.values[..., 2:] == 1
    factor = call("scaling", cells, {"channels": 2}, std=0.2)[..., :2] / cells.values[..., :2]
    factors = torch.stack(
        [factor[row, :, channel][known[row, :, channel]].median() for row in range(300) for channel in (0, 1)]
    )
    assert abs(float(factors.mean()) - 1) < 0.03
    assert abs(float(factors.std()) - 0.2) < 0.02
    first = factor[0, :, 0][known[0, :, 0]]
    assert float(first.max() - first.min()) < 1e-4


def test_noise_on_numbers_has_the_deviation_that_was_set():
    cells = Cells(torch.zeros(5000, 1), torch.ones(5000, dtype=torch.bool))
    assert abs(float(call("noise", cells, std=0.5).std()) - 0.5) < 0.02


def test_a_swapped_cell_takes_the_value_of_a_row_that_has_one():
    present = torch.arange(1000) % 2 == 0
    cells = Cells(torch.where(present, torch.arange(1000), -1), present)
    changed = call("swap", cells, probability=0.3)
    swapped = changed != cells.values
    assert not bool(swapped[~present].any())
    assert bool((changed[swapped] % 2 == 0).all())
    assert bool((changed[swapped] >= 0).all())
    assert 0.25 < float(swapped[present].float().mean()) < 0.35
    assert len(changed[swapped].unique()) > 100


def test_a_column_missing_in_all_rows_of_a_batch_stays_missing():
    cells = Cells(torch.zeros(4, dtype=torch.int64), torch.zeros(4, dtype=torch.bool))
    assert torch.equal(call("swap", cells), cells.values)
