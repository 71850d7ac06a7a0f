"""Files of sound whose header does not say how long they are, or says it wrongly, and those that only PyAV reads."""

import io
import struct

import av
import numpy as np
import pytest
import soundfile

from sensorium.modalities.audio import Audio
from sensorium.modalities.video import Video
from sensorium.table import open_table

SECONDS = 4
LAME_DELAY = 2400  # samples that coders add at both ends, at most


def column(cells, folder=None):
    return open_table({"c": cells, "row": list(range(len(cells)))}, folder=folder).column("c")


def reader(rate=16_000, seconds=60.0):
    return Audio(rate, 0, seconds, np.zeros(0, np.float32), np.ones(0, np.float32), "waveform")


def sound(rate=16_000, *, loud_first=True, channels=1):
    """Noise and silence: frames of very unequal size where the bit rate may vary."""
    noise = np.random.default_rng(0).normal(0, 0.2, rate * SECONDS // 2)
    parts = [noise, np.zeros(rate * SECONDS // 2)]
    wave = np.concatenate(parts if loud_first else parts[::-1]).astype(np.float32)
    return np.repeat(wave[:, None], channels, 1) if channels > 1 else wave


def file(wave, rate=16_000, kind="WAV", subtype=None, **options):
    stream = io.BytesIO()
    soundfile.write(stream, wave, rate, format=kind, subtype=subtype, **options)
    return stream.getvalue()


def mp3(wave, rate=16_000, *, mode="VARIABLE", header=True):
    content = file(wave, rate, "MP3", bitrate_mode=mode, compression_level=0.5)
    if header:
        return content
    with av.open(io.BytesIO(content), format="mp3") as container:
        return b"".join(bytes(packet) for packet in container.demux(audio=0) if packet.size)


def heard(content, **options):
    """The waveform of one file; the reason where there is none."""
    found = reader(**options).encode(column([content]))
    return found.values[0] if found.present[0] else found.problems[0].reason


def assert_alike(found, wave, tolerance):
    """Compare samples; `pytest.approx` takes half a second for each sound."""
    assert not isinstance(found, str), found
    assert found.shape == wave.shape
    assert np.abs(found - wave).max() <= tolerance


def assert_whole(content, times=1, rate=16_000):
    wave = heard(content, rate=rate)
    assert not isinstance(wave, str), wave
    assert 0 <= len(wave) - times * SECONDS * rate <= times * LAME_DELAY
    frames = Audio.learn(column([content])).seconds
    assert frames == pytest.approx(min(10, len(wave) / rate), abs=0.16)
    return wave


@pytest.mark.parametrize("loud_first", [True, False])
@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT", "AVERAGE"])
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16_000, 1), (44_100, 2), (48_000, 1)])
def test_an_mp3_without_a_header_is_read_to_its_end(loud_first, mode, rate, channels):
    wave = assert_whole(
        mp3(sound(rate, loud_first=loud_first, channels=channels), rate, mode=mode, header=False), 1, rate
    )
    half = len(wave) // 2
    loud, quiet = (wave[:half], wave[half:]) if loud_first else (wave[half:], wave[:half])
    assert loud.std() > 10 * quiet.std()


AROUND = {
    "ID3v2 with a cover": lambda c: b"ID3\x04\0\0\0\x03\x3c\x00" + b"\xff\xfb\x90" * 18_944 + c,
    "two ID3v2 tags": lambda c: 2 * (b"ID3\x03\0\0\0\0\0\x0a" + bytes(10)) + c,
    "zeros in front": lambda c: bytes(5000) + c,
    "ID3v1 behind": lambda c: c + b"TAG" + bytes(125),
    "APE behind": lambda c: c + b"APETAGEX" + bytes(5000),
    "junk between": lambda c: c[: len(c) // 2] + bytes(3000) + c[len(c) // 2 :],
}


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("around", AROUND)
def test_what_is_around_an_mp3_is_no_sound(around, header):
    plain = mp3(sound(), header=header)
    wave = heard(AROUND[around](plain))
    whole = heard(plain)
    assert abs(len(wave) - len(whole)) <= 2 * 1152  # junk may cost the frame that it cuts


def test_mp3_files_end_to_end_are_read_to_the_last_one():
    assert_whole(mp3(sound()) + mp3(sound(loud_first=False)), times=2)


@pytest.mark.parametrize("header", [True, False])
def test_a_cut_mp3_is_told(header):
    content = mp3(sound(loud_first=False), header=header)
    for share in (0.3, 0.9):
        cut = content[: int(share * len(content))]
        assert "truncated" in heard(cut)
        assert len(heard(cut, seconds=0.5)) == 8000  # the part that is asked for is there


def test_a_usual_mp3_is_read_as_by_libsndfile():
    content = mp3(sound())
    assert_alike(heard(content), soundfile.read(io.BytesIO(content), dtype="float32")[0], 1e-6)


def test_of_a_long_mp3_only_the_start_is_read():
    content = mp3(sound(), header=False)
    assert np.array_equal(heard(content, seconds=1.0), heard(content)[:16_000])


def sized(content, *places):
    """WAV with other bytes in its header."""
    changed = bytearray(content)
    for place, size in places:
        changed[place : place + 4] = struct.pack("<I", size)
    return bytes(changed)


PCM = file(sound(), subtype="PCM_16")
DATA = PCM.index(b"data") + 4
UNSIZED = {
    "WAV, no sizes": sized(PCM, (4, 0), (DATA, 0)),
    "WAV, no size of the file": sized(PCM, (4, 0)),
    "WAV, no size of the samples": sized(PCM, (DATA, 0)),
    "WAV, largest sizes": sized(PCM, (4, 0xFFFF_FFFF), (DATA, 0xFFFF_FFFF)),
    "WAV, one largest, one zero": sized(PCM, (4, 0xFFFF_FFFF), (DATA, 0)),
    "WAV, sizes of sox": sized(PCM, (4, 0x7FFF_F024), (DATA, 0x7FFF_F000)),
}


def unsized():
    """The same of other formats."""
    au, caf, rf64 = (bytearray(file(sound(), kind=kind, subtype="PCM_16")) for kind in ("AU", "CAF", "RF64"))
    flac = bytearray(file(sound(), kind="FLAC"))
    floats = bytearray(file(sound(), subtype="FLOAT"))
    at = floats.index(b"data") + 4
    floats[4:8] = floats[at : at + 4] = bytes(4)
    caf_at = caf.index(b"data") + 4
    ds64 = rf64.index(b"ds64") + 8
    rf64[ds64 : ds64 + 24] = bytes(24)
    flac[21], flac[22:26] = flac[21] & 0xF0, bytes(4)
    endless, none = bytearray(caf), bytearray(caf)
    endless[caf_at : caf_at + 8], none[caf_at : caf_at + 8] = b"\xff" * 8, bytes(8)
    zero_au = bytes(au[:8]) + bytes(4) + bytes(au[12:])
    endless_au = bytes(au[:8]) + b"\xff" * 4 + bytes(au[12:])
    return {
        "AU, zero": zero_au, "AU, not known": endless_au, "CAF, not known": bytes(endless), "CAF, zero": bytes(none),
        "RF64, zero": bytes(rf64), "FLAC, not known": bytes(flac), "WAV of floats, zero": bytes(floats),
    }  # fmt: skip


@pytest.mark.parametrize("how", [*UNSIZED, *unsized()])
def test_a_sound_written_to_a_pipe_is_read(how, tmp_path):
    content = {**UNSIZED, **unsized()}[how]
    assert_alike(heard(content), sound(), 1e-3)
    (tmp_path / "a.wav").write_bytes(content)
    there = column(["a.wav"], tmp_path)
    assert_alike(reader().encode(there).values[0], sound(), 1e-3)
    assert Audio.learn(there).seconds == pytest.approx(SECONDS)


def test_a_cut_flac_without_a_length_is_told():
    content = unsized()["FLAC, not known"]
    assert "truncated" in heard(content[: len(content) // 2])


def test_a_wav_without_samples_has_none_whatever_follows():
    empty = file(np.zeros(0, np.float32), subtype="PCM_16")
    assert "no samples" in heard(empty)
    assert "no samples" in heard(empty + b"LIST" + struct.pack("<I", 4) + b"INFO")


@pytest.mark.parametrize("kind", ["VORBIS", "OPUS"])
def test_chained_ogg_is_read_to_the_last_link(kind):
    one, two = (file(sound(loud_first=first), kind="OGG", subtype=kind) for first in (True, False))
    assert_whole(one + two, times=2)
    assert_whole(one)


@pytest.mark.parametrize("kind", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_cut_ogg_is_told(kind, share):
    content = file(sound(), kind="OGG", subtype=kind)
    assert "truncated" in heard(content[: int(share * len(content))])


def coded(kind, codec, rate=16_000, *, pictures=False):
    """Sound (and pictures) as FFmpeg writes them."""
    stream = io.BytesIO()
    with av.open(stream, "w", format=kind) as container:
        voice = container.add_stream(codec, rate=rate)
        voice.layout = "mono"
        film = container.add_stream("mpeg4", rate=5) if pictures else None
        if film:
            film.width, film.height, film.pix_fmt = 32, 32, "yuv420p"
            for place in range(5 * SECONDS):
                picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 9 * place, np.uint8), "rgb24")
                picture.pts = place
                container.mux(film.encode(picture))
            container.mux(film.encode(None))
        context = voice.codec_context
        fit = av.AudioResampler(context.format.name, "mono", rate, frame_size=context.frame_size or 1024)
        wave = av.AudioFrame.from_ndarray(sound(rate)[None], "flt", "mono")
        wave.sample_rate = rate
        for part in [*fit.resample(wave), *fit.resample(None)]:
            container.mux(voice.encode(part))
        container.mux(voice.encode(None))
    return stream.getvalue()


OTHERS = {
    ".aac": ("adts", "aac", 16_000),
    ".m4a": ("ipod", "aac", 16_000),
    ".m4b": ("ipod", "alac", 16_000),
    ".3ga": ("3gp", "aac", 16_000),
    ".weba": ("webm", "libopus", 48_000),
    ".mka": ("matroska", "aac", 16_000),
    ".mp2": ("mp2", "mp2", 16_000),
    ".ac3": ("ac3", "ac3", 48_000),
    ".wv": ("wv", "wavpack", 16_000),
    ".tta": ("tta", "tta", 16_000),
    ".caf": ("caf", "alac", 16_000),
    ".wma": ("asf", "libmp3lame", 16_000),
}


@pytest.mark.parametrize("suffix", OTHERS)
def test_formats_that_others_read(suffix, tmp_path):
    kind, codec, rate = OTHERS[suffix]
    content = coded(kind, codec, rate)
    wave = heard(content)
    assert not isinstance(wave, str), wave
    assert abs(len(wave) / 16_000 - SECONDS) < 0.2
    assert wave[:30_000].std() > 5 * wave[-24_000:].std()
    for row in range(12):
        (tmp_path / f"{row}{suffix}").write_bytes(content)
    there = column([f"{row}{suffix}" for row in range(12)], tmp_path)
    assert Audio.looks_like(there).confidence > 0.9
    assert Audio.learn(there).seconds == pytest.approx(SECONDS, abs=0.2)


@pytest.mark.parametrize("kind", ["AAC", "MP3", "M4A", "WebM"])
def test_bytes_are_known_as_sound(kind):
    made = {"AAC": ("adts", "aac"), "M4A": ("ipod", "aac"), "WebM": ("webm", "libopus")}
    content = mp3(sound()) if kind == "MP3" else coded(*made[kind], 48_000)
    cells = column([content, content])
    assert Audio.looks_like(cells).confidence > 0.9
    assert Video.looks_like(cells) is None


MAY_HOLD_PICTURES = [(".3gp", "3gp", "aac"), (".mp4", "mp4", "aac"), (".webm", "webm", "libopus")]


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "kind", "codec"), MAY_HOLD_PICTURES)
def test_files_that_may_hold_pictures_are_sound_where_they_hold_none(suffix, kind, codec, tmp_path):
    for row in range(6):
        (tmp_path / f"{row}{suffix}").write_bytes(coded(kind, codec, 48_000))
    there = column([f"{row}{suffix}" for row in range(6)], tmp_path)
    assert Video.looks_like(there) is None
    assert "and no video" in Audio.looks_like(there).reason
    if kind != "webm":
        for row in range(6):
            (tmp_path / f"{row}{suffix}").write_bytes(coded(kind, codec, 48_000, pictures=True))
        assert Audio.looks_like(there) is None
        assert Video.looks_like(there).confidence > 0.9


def test_names_of_files_that_are_not_there_go_by_their_suffix():
    assert Video.looks_like(column([f"{row}.3gp" for row in range(9)])).confidence > 0.8
    assert Audio.looks_like(column([f"{row}.3gp" for row in range(9)])) is None
    assert Audio.looks_like(column([f"{row}.amr" for row in range(9)])).confidence > 0.8
