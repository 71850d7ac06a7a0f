"""Videos that are mirrored, start late, have tracks of unequal length, and the ways in which a file can be cut."""

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from sensorium.modalities._containers import sound_track
from sensorium.modalities._tracks import has_sound
from sensorium.modalities.video import Video
from sensorium.table import open_table
from tiers import tiered

RATE = 10  # pictures a second


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


def film(kind, codec, count=20, *, sound=0, voice="aac", start=0, options=None, between=0, flags=None):
    """Greys of 20, 40 … 240, over and over; `sound` in seconds, `start` of the pictures in seconds."""
    stream = io.BytesIO()
    with av.open(stream, "w", format=kind, options=flags or {}) as container:
        pictures = container.add_stream(codec, rate=RATE, options=options or {})
        pictures.width, pictures.height, pictures.pix_fmt, pictures.bit_rate = 32, 32, "yuv420p", 2_000_000
        pictures.codec_context.max_b_frames = between
        heard = container.add_stream(voice, rate=48_000, layout="mono") if sound else None
        for place in range(count):
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 20 * (place % 12 + 1), np.uint8), "rgb24")
            picture.pts, picture.time_base = place + start * RATE, Fraction(1, RATE)
            container.mux(pictures.encode(picture))
        container.mux(pictures.encode(None))
        if heard:
            context = heard.codec_context
            fit = av.AudioResampler(context.format.name, "mono", 48_000, frame_size=context.frame_size or 1024)
            tone = np.sin(np.arange(sound * 48_000) / 20).astype(np.float32)
            wave = av.AudioFrame.from_ndarray(tone[None], "flt", "mono")
            wave.sample_rate = 48_000
            for part in [*fit.resample(wave), *fit.resample(None)]:
                container.mux(heard.encode(part))
            container.mux(heard.encode(None))
    return stream.getvalue()


def seen(content, frames=4):
    """Which frames are taken, by their greys; the reason where there are none."""
    found = Video(frames, None, 16, 3, "stretch").encode(column([content]))
    if not found.present[0]:
        return found.problems[0].reason
    return np.round(found.values[0].reshape(len(found.values[0]), -1).mean(1) / 20).astype(int).tolist()


KINDS = {
    "mp4": ("mpeg4", "aac"),
    "mov": ("libx264", "aac"),
    "matroska": ("libx264", "aac"),
    "webm": ("libvpx", "libopus"),
    "avi": ("mpeg4", "libmp3lame"),
    "flv": ("libx264", "aac"),
    "mpegts": ("libx264", "aac"),
    "3gp": ("mpeg4", "aac"),
    "asf": ("mpeg4", "libmp3lame"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "count", "sound"),
    tiered(
        [*((kind, 20, 10) for kind in KINDS), ("mp4", 100, 2), ("avi", 100, 2)],
        [(kind, 100, 2) for kind in KINDS if kind not in ("mp4", "avi")],
    ),
)
def test_tracks_of_unequal_length_are_whole(kind, count, sound):
    codec, voice = KINDS[kind]
    content = film(kind, codec, count, sound=sound, voice=voice)
    found = seen(content)
    wanted = [3, 8, 1, 6] if count == 20 else [1, 2, 3, 4]
    assert all(abs(a - b) in (0, 1, 11) for a, b in zip(found, wanted, strict=True)), found
    assert len(sound_track(io.BytesIO(content), 16_000, 30.0)) / 16_000 == pytest.approx(sound, abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_that_start_late_are_whole(kind):
    codec, voice = KINDS[kind]
    content = film(kind, codec, sound=2, voice=voice, start=5)
    # AVI has no late start: the first picture is on show until the second one comes.
    assert seen(content) == ([1, 1, 1, 12] if kind == "avi" else [3, 8, 1, 6])
    assert len(sound_track(io.BytesIO(content), 16_000, 30.0)) / 16_000 == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("kind", ["mp4", "avi", "mpegts", "matroska"])
@pytest.mark.parametrize("between", [0, 2])
def test_jumps_find_the_pictures_whatever_order_they_are_stored_in(kind, between):
    codec = KINDS[kind][0]
    for every in (1, 5, 100):
        assert seen(film(kind, codec, options={"g": str(every)}, between=between)) == [3, 8, 1, 6]


@pytest.mark.parametrize("kind", ["mp4", "matroska", "avi", "mpegts", "3gp", "asf"])
def test_a_single_picture_is_a_video(kind):
    assert seen(film(kind, KINDS[kind][0], 1)) == [1]


@pytest.mark.parametrize("flags", ["frag_keyframe+empty_moov+default_base_moof", "frag_keyframe+empty_moov"])
def test_fragmented_mp4_is_read_whole_and_refused_where_it_is_cut(flags):
    whole = film("mp4", "libx264", 100, sound=10, flags={"movflags": flags}, options={"g": "10"})
    assert seen(whole) == [1, 2, 3, 4]
    for share in (0.4, 0.5, 0.8):
        assert "truncated" in seen(whole[: int(share * len(whole))])


def test_a_live_recording_without_lengths_is_read():
    whole = film("webm", "libvpx", 100, sound=12, voice="libopus", flags={"live": "1"})
    assert seen(whole) == [1, 2, 3, 4]
    assert len(sound_track(io.BytesIO(whole), 16_000, 30.0)) / 16_000 == pytest.approx(12, abs=0.1)


@pytest.mark.parametrize("kind", ["matroska", "webm", "avi", "flv", "asf"])
@pytest.mark.parametrize("sound", [0, 10])
def test_half_a_file_is_refused(kind, sound):
    codec, voice = KINDS[kind]
    whole = film(kind, codec, 100, sound=sound, voice=voice)
    assert re_cut(seen(whole[: len(whole) // 2]))


def re_cut(reason):
    return isinstance(reason, str) and ("truncated" in reason or "cut" in reason)


def pattern():
    """Four corners that differ in colour: red, green / blue, white."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24, :32], pixels[:24, 32:], pixels[24:, :32], pixels[24:, 32:] = (
        (230, 0, 0), (0, 230, 0), (0, 0, 230), (230, 230, 230)
    )  # fmt: skip
    return pixels


@pytest.fixture(scope="module")
def plain():
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as container:
        pictures = container.add_stream("libx264", rate=RATE, options={"crf": "1"})
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(pattern(), "rgb24")))
        container.mux(pictures.encode(None))
    return stream.getvalue()


def lying(content, a, b, c, d):
    """With a display matrix (ISO/IEC 14496-12, 8.3.2), in numbers of 16.16 bits."""
    changed, at = bytearray(content), content.index(b"tkhd") + 4 + 40
    changed[at : at + 36] = struct.pack(">9i", *(int(65_536 * n) for n in (a, b, 0, c, d, 0, 0, 0)), 1 << 30)
    return bytes(changed)


LIES = {  # matrix → what is seen, from what is stored: (x, y) is seen at (a x + c y, b x + d y)
    (1, 0, 0, 1): lambda p: p,
    (-1, 0, 0, -1): lambda p: p[::-1, ::-1],
    (0, 1, -1, 0): lambda p: np.rot90(p, -1),
    (0, -1, 1, 0): lambda p: np.rot90(p),
    (-1, 0, 0, 1): lambda p: p[:, ::-1],
    (1, 0, 0, -1): lambda p: p[::-1],
    (0, 1, 1, 0): lambda p: p.swapaxes(0, 1),
    (0, -1, -1, 0): lambda p: p.swapaxes(0, 1)[::-1, ::-1],
    (0.996, 0.087, -0.087, 0.996): lambda p: p,  # turned by 5 degrees
    (2, 0, 0, 2): lambda p: p,
    (0, 0, 0, 0): lambda p: p,  # no turn at all
}


@pytest.mark.parametrize("matrix", LIES)
def test_every_way_to_lie_is_set_upright(plain, matrix):
    found = Video(1, None, 32, 3, "stretch").decode(io.BytesIO(lying(plain, *matrix)))[0]
    wanted = np.asarray(Pillow.fromarray(np.ascontiguousarray(LIES[matrix](pattern()))).resize((32, 32)))
    inside = (slice(3, 13), slice(19, 29))
    for rows in inside:
        for columns in inside:
            assert np.abs(found[rows, columns].astype(int) - wanted[rows, columns]).max() < 40


@pytest.mark.parametrize(("length", "from_", "wanted"), [(500, 5120, [6, 8, 9, 11]), (1000, 10_240, [12, 2, 5, 7])])
def test_what_an_edit_list_leaves_out_is_not_seen(length, from_, wanted):
    """A phone trims a clip by its edit list; all pictures stay in the file."""
    changed = bytearray(film("mp4", "mpeg4"))
    at = changed.index(b"elst") + 12
    changed[at : at + 8] = struct.pack(">Ii", length, from_)
    found = seen(bytes(changed))
    assert all(abs(a - b) in (0, 1, 11) for a, b in zip(found, wanted, strict=True)), found


def test_the_cover_of_a_record_is_no_video():
    cover = io.BytesIO()
    Pillow.new("RGB", (64, 64), "red").save(cover, "JPEG")
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as container:
        picture = container.add_stream("mjpeg", rate=1)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuvj420p"
        picture.disposition = av.stream.Disposition.attached_pic
        voice = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), "fltp", "mono")
        frame.sample_rate = 48_000
        fit = av.AudioResampler("fltp", "mono", 48_000, frame_size=1024)
        container.mux(picture.encode(av.VideoFrame.from_image(Pillow.open(cover)).reformat(format="yuvj420p")))
        for part in fit.resample(frame):
            container.mux(voice.encode(part))
        container.mux(voice.encode(None))
    content = stream.getvalue()
    assert has_sound(io.BytesIO(content))
    assert seen(content) == "the file has no video track: read as missing"


@pytest.mark.parametrize("suffix", [".ts", ".mts", ".flv", ".3gp", ".wmv", ".m2ts"])
def test_suffixes_of_videos(suffix, tmp_path):
    kind = {".flv": "flv", ".3gp": "3gp", ".wmv": "asf"}.get(suffix, "mpegts")
    for row in range(5):
        (tmp_path / f"{row}{suffix}").write_bytes(film(kind, KINDS[kind][0]))
    names = {"c": [f"{row}{suffix}" for row in range(5)], "r": list(range(5))}
    assert Video.looks_like(open_table(names, folder=tmp_path).column("c")).confidence > 0.9
    for row in range(5):
        (tmp_path / f"{row}.ts").write_text("export const a = 1;\n" * 50)
    names["c"] = [f"{row}.ts" for row in range(5)]
    assert Video.looks_like(open_table(names, folder=tmp_path).column("c")) is None


@pytest.mark.parametrize("kind", ["webm", "avi", "mpegts", "mp4"])
def test_bytes_are_known_as_videos(kind):
    content = film(kind, KINDS[kind][0])
    assert Video.looks_like(column([content, content])).confidence > 0.9
