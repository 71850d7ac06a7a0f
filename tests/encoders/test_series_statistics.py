"""Statistics of series are those of NumPy; gaps and padding count nowhere."""

import numpy as np
import pytest
import torch

from sensorium.batch import Cells
from sensorium.encoders._series_statistics import FLOOR, QUANTILES
from sensorium.encoders.series_statistics import SeriesStatistics
from sensorium.prepare.summaries.series import LAGS, SMALLEST, series_statistics

pytestmark = pytest.mark.unit
STEPS = 90


def cells(rows):
    """Cells of series [(t, c), …] with gaps where a value is NaN."""
    longest = max(map(len, rows))
    values = np.zeros((len(rows), longest, 2 * rows[0].shape[1]), np.float32)
    mask = np.zeros((len(rows), longest), bool)
    for place, row in enumerate(rows):
        values[place, : len(row)] = np.concatenate([np.nan_to_num(row), np.isfinite(row)], 1)
        mask[place, : len(row)] = True
    return Cells(torch.from_numpy(values), torch.ones(len(rows)).bool(), torch.from_numpy(mask))


@pytest.fixture
def rows():
    random = np.random.default_rng(0)
    found = [random.normal(size=(length, 2)).cumsum(0) for length in (STEPS, 41, 3, 1)]
    found[1][5:9] = np.nan
    return found


@pytest.fixture
def encoder():
    return SeriesStatistics(2, STEPS)


def test_moments_ends_quantiles_and_lags_are_those_of_numpy(rows, encoder):
    found = encoder.features(cells(rows)).reshape(len(rows), 2, -1).numpy()
    for place, row in enumerate(rows[:3]):
        for channel in range(2):
            own, wave = found[place, channel], row[:, channel]
            known = wave[np.isfinite(wave)]
            assert own[:2] == pytest.approx([known.mean(), known.std()], rel=1e-4)
            assert own[4:6] == pytest.approx([known[0], known[-1]], rel=1e-5)
            assert own[7:9] == pytest.approx([np.log(len(known)), 1 - len(known) / len(wave)], abs=1e-6)
            assert own[9 : 9 + len(QUANTILES)] == pytest.approx(
                [np.sort(known)[round(share * (len(known) - 1))] for share in QUANTILES], rel=1e-5
            )
            standard = (wave - known.mean()) / known.std()
            lags = [
                np.nan_to_num(np.nanmean(standard[lag:] * standard[:-lag])) if lag < len(wave) else 0.0 for lag in LAGS
            ]
            start = 9 + len(QUANTILES) + 5
            assert own[start : start + len(LAGS)] == pytest.approx(lags, abs=1e-4)


def test_the_slope_is_that_of_a_straight_line(encoder):
    line = np.stack([np.arange(50.0), -3 * np.arange(50.0)], 1)
    found = encoder.features(cells([line])).reshape(2, -1)
    assert found[:, 6].tolist() == pytest.approx([50, -150], rel=1e-4)


def test_padding_and_other_rows_change_nothing(rows, encoder):
    together = encoder.features(cells(rows))
    for row, expected in zip(rows, together, strict=True):
        assert torch.allclose(encoder.features(cells([row]))[0], expected, atol=1e-5)


def test_every_statistic_is_finite_for_gaps_single_steps_and_flat_series(encoder):
    gap, flat = np.full((4, 2), np.nan), np.full((STEPS, 2), 7.0)
    found = encoder.features(cells([gap, flat, flat[:1]]))
    assert torch.isfinite(found).all()


def test_a_frequency_shows_in_its_band(encoder):
    steps = np.arange(STEPS)[:, None]
    slow, fast = (np.sin(2 * np.pi * steps / period).repeat(2, 1) for period in (45, 3))
    found = encoder.backbone(*_arguments([slow, fast])).reshape(2, 2, -1)
    start = 9 + len(QUANTILES) + 5 + len(LAGS)
    bands = found[:, 0, start : start + len(encoder.backbone.edges) - 1].argmax(-1)
    assert bands[0] < bands[1]


def test_statistics_are_standardised_with_the_training_rows(rows, encoder):
    random = np.random.default_rng(1)
    training = [random.normal(3, 2, (60, 2)) for _ in range(64)]
    encoder.learn_features([cells(training[:32]), cells(training[32:])])
    found = encoder.features(cells(training))
    varies = found.std(0) > 1e-3
    assert found[:, varies].mean(0).abs().max() < 1e-3
    assert (found[:, varies].std(0, correction=0) - 1).abs().max() < 1e-3


def _arguments(rows):
    own = cells(rows)
    return own.values, own.mask


def test_statistics_of_complete_series_are_those_of_the_summaries_of_classical_models():
    length, random = 101, np.random.default_rng(2)  # every quantile of 101 steps is a step
    rows = [random.normal(3, 2, (length, 2)).cumsum(0) / 10 for _ in range(4)]
    ours, theirs = both_statistics(rows)
    same = {"mean", "deviation", "first", "last", "mean_change", "largest_change"}
    for name in same | {"window_deviations", "window_maxima", "window_minima"}:
        assert ours[name] == pytest.approx(theirs[name], rel=1e-4, abs=1e-5), name
    extremes = [theirs["minimum"], theirs["quantiles"], theirs["maximum"]]
    assert ours["quantiles"] == pytest.approx(np.concatenate(extremes, -1), rel=1e-5)
    skewness, kurtosis = theirs["skewness"], theirs["kurtosis"]
    assert ours["skewness"] == pytest.approx(np.sign(skewness) * np.log1p(np.abs(skewness)), abs=1e-4)
    assert ours["kurtosis"] == pytest.approx(np.log1p(kurtosis), abs=1e-4)
    per_step = theirs["slope"] * theirs["deviation"] * 2 / (length - 1)
    assert ours["slope"] == pytest.approx(per_step * length, rel=1e-3)
    pairs = length - np.array(LAGS)
    assert ours["autocorrelations"] == pytest.approx(theirs["autocorrelations"] * length / pairs, abs=1e-4)


def test_crossings_of_zero_are_those_of_the_mean_of_centred_series():
    rows = [row - row.mean(0) for row in np.random.default_rng(3).normal(size=(4, 90, 2))]
    ours, theirs = both_statistics(rows)
    assert ours["crossings"] * 89 == pytest.approx(theirs["crossings"] * 90, abs=1e-3)


def test_frequency_bands_are_those_of_the_summaries_of_classical_models():
    rows = list(np.random.default_rng(4).normal(size=(3, 128, 1)).cumsum(1))  # not padded to a power of 2
    ours, theirs = both_statistics(rows)
    low, high = theirs["bands"].shape[-1], ours["bands"].shape[-1]
    edges = np.round(np.geomspace(1, 65, low + 1)).astype(int)  # several bands of the summaries may be the same
    power = (np.exp(theirs["bands"]) - SMALLEST)[..., np.diff(edges) > 0]
    assert power.shape[-1] == high
    assert (np.exp(ours["bands"]) - FLOOR) / 128 == pytest.approx(power, rel=1e-3, abs=1e-5)


def both_statistics(rows):
    """Name → statistics [rows, channels, k] of the encoder, and of the NumPy summaries."""
    encoder = SeriesStatistics(rows[0].shape[1], len(rows[0]))
    ours = {name: own.numpy() for name, own in encoder.backbone.named(*_arguments(rows)).items()}
    found = series_statistics(np.stack(rows).astype(np.float32))
    theirs = {name: own[:, None] if own.ndim == 2 else own for name, own in found.items()}
    return ours, {name: own.transpose(0, 2, 1) for name, own in theirs.items()}
