"""Sounds of any rate, length and number of channels; damaged ones are missing with a reason."""

import io
import math

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import sensorium
from sensorium.errors import ConfigError
from sensorium.findings import Problems
from sensorium.modalities import Work
from sensorium.modalities._mel import mel_filters
from sensorium.modalities.audio import Audio
from sensorium.table import open_table
from sensorium.testing import make_table


def column(cells, folder=None):
    return open_table({"c": cells, "row": list(range(len(cells)))}, folder=folder).column("c")


def file(wave, rate=8000, kind="WAV", subtype=None):
    stream = io.BytesIO()
    soundfile.write(stream, wave, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def tone(rate=8000, seconds=0.5, pitch=440.0):
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(int(rate * seconds)) / rate)


def plain(rate=8000, mels=40, seconds=10.0):
    """An Audio that learnt nothing: its cells are log-mel power as it is."""
    return Audio(rate, mels, seconds, np.zeros(mels, np.float32), np.ones(mels, np.float32))


def slow_log_mel(wave, rate, mels):
    """The definition, term by term."""
    size, hop = round(0.025 * rate), round(0.010 * rate)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / (size - 1))
    frequencies = np.arange(size // 2 + 1)
    basis = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(size)) / size)
    frames = [wave[start : start + size] for start in range(0, len(wave) - size + 1, hop)]
    power = np.array([np.abs(basis @ (frame * window)) ** 2 for frame in frames])
    return np.log(power @ mel_filters(size, rate, mels) + 1e-6)


def test_log_mel_equals_its_definition():
    wave = np.random.default_rng(0).normal(0, 0.1, 4000)
    found = plain().encode(column([file(wave, subtype="DOUBLE")])).values[0]
    assert found == pytest.approx(slow_log_mel(wave, 8000, 40), abs=1e-3)


def test_mel_bands_are_centred_where_the_mel_scale_says():
    filters = mel_filters(512, 16_000, 40)
    mel = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 42)[1:-1]
    centres = 700 * (10 ** (mel / 2595) - 1)
    peaks = filters.argmax(0) * 16_000 / 512
    assert np.abs(peaks - centres).max() <= 16_000 / 512
    assert filters.sum(0) == pytest.approx(np.ones(40), rel=1e-5)


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_rate_and_channels_do_not_change_what_is_heard(rate, channels):
    wave = np.repeat(tone(rate)[:, None], channels, 1)
    found = plain().encode(column([file(wave, rate)])).values[0]
    reference = plain().encode(column([file(tone(8000))])).values[0]
    assert abs(len(found) - len(reference)) <= 1
    steps = slice(3, 40)  # away from the ends, where a resampler rings
    assert found[steps].argmax(1).tolist() == reference[steps].argmax(1).tolist()
    assert found[steps].max(1) == pytest.approx(reference[steps].max(1), abs=0.05)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
def test_usual_formats_are_read(kind):
    assert plain().encode(column([file(tone(), kind=kind)])).present.all()


def test_a_clip_shorter_than_a_window_gives_one_frame():
    assert len(plain().encode(column([file(tone(seconds=0.002))])).values[0]) == 1


def test_a_long_clip_is_cut():
    assert len(plain(seconds=0.5).encode(column([file(tone(seconds=3))])).values[0]) == 48


def test_silence_is_finite():
    silence = file(np.zeros(4000))
    found = Audio.learn(column([silence])).encode(column([silence]))
    assert np.isfinite(found.values[0]).all()


def test_damaged_files_are_missing_with_a_reason_and_spare_the_others(tmp_path):
    nan = tone()
    nan[100] = np.nan
    flac = file(np.random.default_rng(0).normal(0, 0.1, 8000), kind="FLAC")
    broken = {
        "none.wav": (file(np.zeros(0)), "no samples"),
        "nan.wav": (file(nan, subtype="FLOAT"), "not finite numbers"),
        "text.wav": (b"this is no sound at all", "its format is not supported"),
        "cut.flac": (flac[: len(flac) // 2], "audio"),
        "empty.wav": (b"", "empty (0 bytes)"),
    }
    for name, (content, _) in broken.items():
        (tmp_path / name).write_bytes(content)
    soundfile.write(tmp_path / "good.wav", tone(), 8000)
    names = [*broken, "good.wav", "gone.wav"]
    found = Audio.learn(column(names, tmp_path)).encode(column(names, tmp_path))
    assert found.present.tolist() == [name == "good.wav" for name in names]
    told = {problem.value: problem.reason for problem in found.problems}
    assert all(reason in told[name] for name, (_, reason) in broken.items())
    assert "the file does not exist" in told["gone.wav"]


def test_rate_bands_and_length_come_from_the_training_clips():
    low, high = (Audio.learn(column([file(tone(rate), rate)])) for rate in (8000, 44_100))
    assert (low.rate, low.mels) == (8000, 40)
    assert (high.rate, high.mels) == (16_000, 64)
    assert low.seconds == pytest.approx(0.5)


def triangles(size, rate, mels):
    """Mel filters from their definition, one weight at a time."""

    def hertz(mel):
        return 700 * (10 ** (mel / 2595) - 1)

    top, width = 2595 * math.log10(1 + rate / 1400), rate / size
    filters = np.zeros((size // 2 + 1, mels))
    for band in range(mels):
        left, centre, right = (hertz(top * (band + k) / (mels + 1)) for k in range(3))
        left, right = min(left, centre - width), max(right, centre + width)
        for place in range(size // 2 + 1):
            at = place * width
            filters[place, band] = max(0, min((at - left) / (centre - left), (right - at) / (right - centre)))
    return filters / filters.sum(0)


@pytest.mark.parametrize(("rate", "mels"), [(8000, 40), (16_000, 64), (11_025, 20)])
def test_log_mel_equals_an_explicit_transform_and_explicit_triangles(rate, mels):
    wave = np.random.default_rng(0).normal(0, 0.1, rate // 4)
    size, hop = round(0.025 * rate), round(0.010 * rate)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / (size - 1))
    transform = np.exp(-2j * np.pi * np.outer(np.arange(size // 2 + 1), np.arange(size)) / size)
    starts = range(0, len(wave) - size + 1, hop)
    power = np.array([np.abs(transform @ (wave[start : start + size] * window)) ** 2 for start in starts])
    found = plain(rate, mels).encode(column([file(wave, rate, subtype="DOUBLE")])).values[0]
    assert found == pytest.approx(np.log(power @ triangles(size, rate, mels) + 1e-6), abs=1e-3)


def test_channels_are_averaged():
    left, right = tone(pitch=400), tone(pitch=1500)
    both = plain().encode(
        column([file(wave, subtype="FLOAT") for wave in (np.stack([left, right], 1), (left + right) / 2)])
    )
    assert both.values[0] == pytest.approx(both.values[1], abs=0.01)
    opposite = plain().encode(column([file(np.stack([left, -left], 1), subtype="FLOAT")]))
    assert opposite.values[0].max() == pytest.approx(math.log(1e-6), abs=0.1)


def test_frames_are_standardised_band_by_band_by_the_training_clips():
    clips = [file(np.random.default_rng(seed).normal(0, 0.1, 4000)) for seed in range(4)]
    found = Audio.learn(column(clips)).encode(column(clips)).values.values
    assert found.mean(0) == pytest.approx(np.zeros(found.shape[1]), abs=1e-3)
    assert found.std(0) == pytest.approx(np.ones(found.shape[1]), abs=1e-3)


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU", "FLAC"])
@pytest.mark.parametrize("kept", [0.99, 0.5, 0.01])
def test_a_cut_file_is_missing_as_bytes_and_as_a_path(kind, kept, tmp_path):
    content = file(np.random.default_rng(0).normal(0, 0.1, 40_000), kind=kind)
    cut = content[: int(kept * len(content))]
    (tmp_path / "cut").write_bytes(cut)
    (tmp_path / "whole").write_bytes(content)
    for cells in ([cut, content], ["cut", "whole"]):
        found = plain().encode(column(cells, tmp_path))
        assert found.present.tolist() == [False, True]
        assert len(found.problems) == 1 and "audio is" in found.problems[0].reason


def test_a_recording_whose_length_was_not_known_when_it_began_is_read():
    """Programs that write to a pipe put the largest length into the header."""
    content = bytearray(file(tone()))
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    found = plain().encode(column([bytes(content), file(tone())]))
    assert found.present.all()
    assert (found.values[0] == found.values[1]).all()


def test_like_faults_of_many_files_are_told_as_one(tmp_path):
    names = [f"{row}.flac" for row in range(40)]
    for name in names:
        (tmp_path / name).write_text("this is no sound at all")
    problems = Problems(plain().encode(column(names, tmp_path), Work(workers=4)).problems)
    assert [p.row for p in problems] == list(range(40))
    assert [len(group) for group in problems.groups()] == [40]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.binary(min_size=1, max_size=200), st.integers(0, 5000))
def test_random_damage_never_crashes(noise, place):
    good = file(tone(seconds=0.1))
    for content in (noise, good[: place % len(good)] + noise, noise + good):
        cells = column([content, good])
        found = plain().encode(cells)
        assert found.present[1]
        assert bool(found.present[0]) == (not found.problems)
        assert np.isfinite(found.values.values).all()


def test_a_waveform_is_kept_as_it_is():
    short, long = tone(seconds=0.25), np.random.default_rng(0).normal(0, 0.1, 6000)
    cells = column([file(short, subtype="FLOAT"), None, file(long, subtype="FLOAT"), b"no sound"])
    learnt = Audio.learn(cells, form="waveform", seconds=0.5)
    found = learnt.encode(cells)
    assert found.present.tolist() == [True, False, True, False]
    assert found.values.values.dtype == np.float32 and found.values.values.ndim == 1
    assert found.values[0] == pytest.approx(short, abs=1e-6)
    assert found.values[2] == pytest.approx(long[:4000], abs=1e-6)
    assert learnt.encoder_spec() == {"form": "waveform", "rate": 8000}
    assert "waveform" in learnt.describe()


def test_a_waveform_comes_at_the_rate_that_is_asked_for():
    learnt = Audio.learn(column([file(tone(44_100), 44_100)]), form="waveform", sample_rate=16_000)
    wave = learnt.encode(column([file(tone(44_100), 44_100)])).values[0]
    assert abs(len(wave) - 8000) <= 2
    assert wave[500:7500] == pytest.approx(tone(16_000)[500:7500], abs=0.01)


def test_mel_bands_of_a_waveform_are_refused():
    with pytest.raises(ConfigError, match="no mel bands"):
        Audio.learn(column([file(tone())]), form="waveform", mels=12)


def test_an_encoder_of_spectrograms_refuses_waveforms(tmp_path):
    table = make_table(tmp_path, rows=20, modalities=["audio"])
    with pytest.raises(ConfigError, match="'audio_cnn' needs mels"):
        sensorium.fit(table, "label", config={"modalities": {"audio": {"form": "waveform"}}}, progress=False)


def test_a_module_of_the_users_own_may_take_waveforms(tmp_path):
    table = make_table(tmp_path, rows=30, modalities=["audio"])
    module = nn.Sequential(nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 4, 64, 32), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    settings = {"modalities": {"audio": {"form": "waveform"}}, "train": {"epochs": 1}}
    model = sensorium.fit(table, "label", config=settings, encoders={"audio": module}, progress=False)
    assert set(model.predict(table)) <= {"class_0", "class_1", "class_2"}


def test_clips_that_are_cut_are_told_once():
    long, short = file(tone(seconds=14)), file(tone(seconds=1))
    told = Audio.learn(column([long, short, short])).findings("call")
    assert [(p.row, p.column) for p in told] == [(None, "call")]
    assert "1 of 3 sampled audio clips are longer than 10 s" in told[0].reason
    assert "modalities.call.seconds" in told[0].cure
    assert Audio.learn(column([long, short]), seconds=14).findings("call") == []
    assert Audio.learn(column([short] * 3)).findings("call") == []
