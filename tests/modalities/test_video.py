"""Videos of any frame rate, length and turn; their sound is a column of its own; damaged ones are told."""

import io
import json
import re
from fractions import Fraction

import av
import numpy as np
import pytest

import sensorium
from sensorium.modalities.audio import Audio
from sensorium.modalities.video import Video
from sensorium.prepare.store import Store
from sensorium.table import open_table

RATE = 10  # frames a second


def shades(count, size=32):
    """Frames that tell their number, up to twelve, by their grey: 20, 40, 60 …"""
    return [np.full((size, size, 3), 20 * (place % 12 + 1), np.uint8) for place in range(count)]


def tone(seconds, rate=8000, pitch=440.0):
    return (0.5 * np.sin(2 * np.pi * pitch * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


def film(frames, *, sound=None, kind="mp4", codec="mpeg4", pts=None, key_every=12):
    """An encoded video, bytes; `pts` in tenths of a second."""
    stream = io.BytesIO()
    with av.open(stream, "w", format=kind) as container:
        pictures = container.add_stream(codec, rate=RATE, options={"g": str(key_every)})
        pictures.height, pictures.width = frames[0].shape[:2]
        pictures.pix_fmt = "yuv420p"
        pictures.bit_rate = 4_000_000
        voice = (
            container.add_stream("aac" if kind in ("mp4", "mov") else "libopus", rate=48_000)
            if sound is not None
            else None
        )
        for place, pixels in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(pixels, "rgb24")
            picture.pts = place if pts is None else pts[place]
            picture.time_base = Fraction(1, RATE)
            container.mux(pictures.encode(picture))
        container.mux(pictures.encode(None))
        if voice:
            wave = av.AudioFrame.from_ndarray(np.repeat(sound, 6)[None], "flt", "mono")
            wave.rate = 48_000
            container.mux(voice.encode(wave))
            container.mux(voice.encode(None))
    return stream.getvalue()


def column(cells, folder=None):
    return open_table({"c": cells, "row": list(range(len(cells)))}, folder=folder).column("c")


def greys(cell):
    """The mean grey of each picture, as the number of the frame."""
    return np.round(cell.reshape(len(cell), -1).mean(1) / 20).astype(int).tolist()


def encode(cells, folder=None, **options):
    there = column(cells, folder)
    learnt = Video.learn(there, **{"size": 16, **options})
    return learnt.encode(there)


@pytest.mark.parametrize(
    ("kind", "codec"), [("mp4", "mpeg4"), ("mov", "mpeg4"), ("avi", "mpeg4"), ("matroska", "mpeg4"), ("webm", "libvpx")]
)
def test_pictures_are_taken_evenly_whatever_the_container(kind, codec):
    found = encode([film(shades(12), kind=kind, codec=codec)], frames=4)
    assert found.present.all()
    assert found.values[0].shape == (4, 16, 16, 3)
    assert greys(found.values[0]) == [2, 5, 8, 11]  # the middle of each quarter of twelve


def test_a_rate_takes_pictures_from_the_start():
    assert greys(encode([film(shades(12))], fps=5.0, frames=4).values[0]) == [1, 3, 5, 7]


def test_a_short_video_gives_each_of_its_pictures_once():
    found = encode([film(shades(3)), film(shades(12)), None], frames=8)
    assert greys(found.values[0]) == [1, 2, 3]
    assert np.diff(found.values.offsets).tolist() == [3, 8, 0]
    assert found.present.tolist() == [True, True, False]


def test_what_is_on_show_counts_where_the_frame_rate_varies():
    # The second picture stands for 0.8 of the whole second.
    varying = film(shades(3), kind="matroska", pts=[0, 1, 9])
    assert greys(encode([varying], frames=3).values[0]) == [2, 2, 2]
    assert greys(encode([varying], fps=5.0, frames=5).values[0]) == [1, 2, 2, 2, 2]


def test_jumping_ahead_finds_the_same_pictures_as_decoding_all():
    long = shades(120)
    assert greys(encode([film(long, key_every=5)], frames=6).values[0]) == greys(
        encode([film(long, key_every=1000)], frames=6).values[0]
    )


def turned(film_bytes):
    """The same file with a matrix in its track header that turns it a quarter, as a phone writes it."""
    at = film_bytes.index(b"tkhd") + 4 + 40
    matrix = b"".join(n.to_bytes(4, "big", signed=True) for n in (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30))
    return film_bytes[:at] + matrix + film_bytes[at + 36 :]


def test_a_phone_s_video_is_turned_upright():
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:, :16] = 240  # the left half is bright
    plain, upright = (
        encode([cell], frames=1).values[0][0] for cell in (film([pixels] * 3), turned(film([pixels] * 3)))
    )
    assert plain[:, :8].mean() > 200 > 60 > plain[:, 8:].mean()
    assert upright[:8].mean() > 200 > 60 > upright[8:].mean()  # a quarter clockwise: what was left is above


def test_the_sound_track_is_a_view_of_the_same_cells():
    there = column([film(shades(10), sound=tone(1.0)), film(shades(10)), None])
    assert Video.views(there) == {"sound": "audio"}
    assert Video.views(column([film(shades(3))])) == {}
    table = open_table({"clip": there.data, "row": [0, 1, 2]}).with_views({"clip.sound": "clip"})
    sound = table.column("clip.sound")
    learnt = Audio.learn(sound)
    found = learnt.encode(sound)
    assert found.present.tolist() == [True, False, False]
    assert found.problems == []  # silence is no fault
    assert 95 <= len(found.values[0]) <= 105  # a second in steps of 10 ms
    strict = learnt.encode(table.column("clip"))  # asked for as the sound itself, it is one
    assert [problem.reason for problem in strict.problems] == ["the video has no audio track: read as missing"]


def test_a_view_kept_in_the_store_does_not_hide_the_faults_of_the_column_itself(tmp_path):
    table = open_table({"clip": [film(shades(10), sound=tone(1.0)), film(shades(10))], "row": [0, 1]}).with_views(
        {"clip.sound": "clip"}
    )
    learnt, store = Audio.learn(table.column("clip")), Store(tmp_path, 10**9)
    assert store.encode(learnt, table.column("clip.sound")).problems == []
    assert len(store.encode(learnt, table.column("clip")).problems) == 1


def test_the_pitch_of_a_sound_track_is_that_of_the_same_sound_alone():
    there = column([film(shades(10), sound=tone(1.0, pitch=1000.0))])
    learnt = Audio.learn(there, sample_rate=16_000)
    power = (learnt.encode(there).values[0] * learnt.deviation + learnt.mean).mean(0)
    peak = learnt._filters[:, power.argmax()].argmax() * 16_000 / len(learnt._window)
    assert abs(peak - 1000) < 80


FAULTS = {
    "no bytes": (b"", "0 bytes"),
    "no video": (b"hello, this is no video at all", "not a supported video format"),
    "a playlist": (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "not a supported video format"),
    "cut MP4": (film(shades(12))[:900], "video is damaged or truncated"),
    "cut AVI": (
        film(shades(60), kind="avi")[: len(film(shades(60), kind="avi")) // 3],
        "video is truncated|damaged or truncated",
    ),
    "head alone": (film(shades(12), kind="matroska")[:200], "video is damaged or truncated|no video track"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_damaged_files_are_missing_with_a_reason(fault):
    content, reason = FAULTS[fault]
    found = encode([film(shades(5)), content, film(shades(5))])
    assert found.present.tolist() == [True, False, True]
    assert len(found.problems) == 1
    assert found.problems[0].row == 1
    assert re.search(reason, found.problems[0].reason)


@pytest.mark.parametrize("kind", ["mp4", "matroska", "avi"])
def test_cut_anywhere_a_file_is_read_or_refused_and_never_worse(kind):
    whole = film(shades(12), kind=kind)
    cells = [whole[:size] for size in np.linspace(1, len(whole) - 1, 40).astype(int)]
    found = encode([whole, *cells])
    assert found.present[0]
    assert len(found.problems) == (~found.present).sum()


def test_animated_pictures_are_videos_and_still_ones_are_not(tmp_path):
    from PIL import Image

    frames = [Image.fromarray(frame) for frame in shades(4)]
    for name in ("a", "b"):
        frames[0].save(tmp_path / f"{name}.gif", save_all=True, append_images=frames[1:], duration=100)
        frames[0].save(tmp_path / f"still_{name}.gif")
    moving = column(["a.gif", "b.gif"], tmp_path)
    assert Video.looks_like(moving).confidence > 0.99
    assert Video.looks_like(column(["still_a.gif", "still_b.gif"], tmp_path)) is None
    assert greys(Video.learn(moving, frames=4).encode(moving).values[0]) == [1, 2, 3, 4]


@pytest.fixture
def spoken(tmp_path):
    """Ten labels a modality could not tell alone: brightness tells one bit, pitch the other."""
    random = np.random.default_rng(0)
    rows = []
    for row in range(80):
        bright, high = int(random.integers(2)), int(random.integers(2))
        frames = [np.clip(random.normal(60 + 120 * bright, 20, (16, 16, 3)), 0, 255).astype(np.uint8) for _ in range(4)]
        sound = None if row % 10 == 9 else tone(0.3, pitch=500.0 + 1500 * high)
        (tmp_path / f"{row}.mp4").write_bytes(film(frames, sound=sound))
        rows.append({"clip": f"{row}.mp4", "scene": f"{'day' if bright else 'night'}-{'bird' if high else 'frog'}"})
    table = tmp_path / "clips.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return table


@pytest.mark.slow
def test_one_column_of_videos_is_fused_from_picture_and_sound(spoken, tmp_path):
    model = sensorium.fit(spoken, "scene", epochs=12, out=tmp_path / "run", progress=False)
    assert model.columns == {"clip": "video", "clip.sound": "audio"}
    assert sensorium.load(tmp_path / "run").predict(spoken).tolist() == model.predict(spoken).tolist()
    assert (model.predict(spoken) == open_table(spoken).column("scene").data.to_numpy(False)).mean() > 0.8
    problems = (tmp_path / "run" / "problems.jsonl").read_text()
    assert "sound" not in problems


@pytest.mark.slow
def test_the_sound_can_be_left_out_and_told_what_to_be(spoken):
    plans = sensorium.inspect(spoken, "scene", config={"exclude": ["clip.sound"]}).columns
    assert {plan.name: plan.modality for plan in plans}["clip.sound"] is None
    model = sensorium.fit(
        spoken,
        "scene",
        epochs=1,
        progress=False,
        config={"modalities": {"clip.sound": {"mels": 20}, "clip": {"frames": 2}}},
    )
    assert "20 mel bands" in str(model.describe())
    assert "2 frames" in str(model.describe())
    with pytest.raises(sensorium.errors.SchemaError, match=r"no column 'clip\.sond'") as caught:
        sensorium.fit(spoken, "scene", exclude=["clip.sond"], progress=False)
    assert "clip.sound" in caught.value.cure
