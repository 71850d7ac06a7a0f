"""Pictures of any mode, size and orientation; damaged ones are missing with a reason."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from sensorium.config import TableConfig
from sensorium.modalities.image import Image
from sensorium.table import open_table

pytestmark = pytest.mark.unit


def column(cells, folder=None):
    return open_table({"c": cells, "row": list(range(len(cells)))}, folder=folder).column("c")


def encode(picture, **options):
    """One picture in memory, through a file's bytes."""
    return Image.learn(column([picture, None]), **options).encode(column([picture, None]))


def png(picture, **options):
    stream = io.BytesIO()
    picture.save(stream, "PNG", **options)
    return stream.getvalue()


def quadrants():
    """Red, green / blue, white: no two orientations look the same."""
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:16, :16], pixels[:16, 16:], pixels[16:, :16], pixels[16:, 16:] = (
        (250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 250)
    )  # fmt: skip
    return Pillow.fromarray(pixels)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F"])
def test_every_mode_gives_the_same_grey(mode, tmp_path):
    level = 255 if mode == "1" else 200
    plain = Pillow.new("L", (20, 20), level)
    if mode == "I;16":
        picture = Pillow.fromarray(np.full((20, 20), level * 257, np.uint16))
    elif mode == "F":
        picture = Pillow.fromarray(np.full((20, 20), level / 255, np.float32))
    else:
        picture = plain.quantize(4) if mode == "P" else plain.convert("RGB").convert(mode)
    picture.save(tmp_path / "p.tif")
    encoded = Image.learn(column(["p.tif"], tmp_path), size=16, channels=3).encode(column(["p.tif"], tmp_path))
    assert encoded.present.all()
    assert np.abs(encoded.values.astype(int) - level).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation):
    transposes = [None, *(Pillow.Transpose(i) for i in (0, 3, 1, 5, 4, 6, 2))]
    undo = {None: None, 0: 0, 1: 1, 2: 4, 3: 3, 4: 2, 5: 5, 6: 6}
    how = transposes[orientation - 1]
    turned = quadrants() if how is None else quadrants().transpose(Pillow.Transpose(undo[how.value]))
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    upright, found = (encode(png(p, exif=e), size=32).values[0] for p, e in ((quadrants(), None), (turned, exif)))
    assert (found == upright).all()


def test_transparent_pixels_show_the_ground():
    picture = Pillow.new("RGBA", (16, 16), (255, 0, 0, 0))
    assert (encode(png(picture)).values[0] == 255).all()
    assert (encode(png(picture), background=0).values[0] == 0).all()


def see_through(mode):
    """The left half red, the right half transparent; as a picture of some mode and how it is saved."""
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[:, :, 0], pixels[:, :8, 3] = 250, 255
    picture = Pillow.fromarray(pixels)
    if mode == "RGBA":
        return picture, {}
    if mode == "LA":
        return picture.convert("LA"), {}
    colours = np.where(pixels[:, :, 3:] > 0, [250, 0, 0], [0, 250, 0]).astype(np.uint8)
    if mode == "RGB with one transparent colour":
        return Pillow.fromarray(colours), {"transparency": (0, 250, 0)}
    palette = Pillow.fromarray((colours[:, :, 1] > 0).astype(np.uint8), "L")
    palette.putpalette([250, 0, 0, 0, 250, 0])
    return palette, {"transparency": 1}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "RGB with one transparent colour", "P with one transparent colour"])
@pytest.mark.parametrize("ground", [255, 128])
def test_every_kind_of_transparency_shows_the_ground(mode, ground):
    picture, saved = see_through(mode)
    found = encode(png(picture, **saved), size=16, channels=3, background=ground).values[0].astype(int)
    left = (found[:, :8] == found[0, 0]).all() and found[0, 0, 0] > 60 and (found[0, 0] != ground).any()
    assert left, "what is opaque keeps its colour"
    assert (found[:, 8:] == ground).all()


STORED = {  # EXIF 2.32, tag 0x0112: which side of what one sees is the first row, which the first column
    2: lambda seen: seen[:, ::-1],  # top, right
    3: lambda seen: seen[::-1, ::-1],  # bottom, right
    4: lambda seen: seen[::-1],  # bottom, left
    5: lambda seen: seen.transpose(1, 0, 2),  # left, top
    6: lambda seen: seen.transpose(1, 0, 2)[::-1],  # right, top
    7: lambda seen: seen.transpose(1, 0, 2)[::-1, ::-1],  # right, bottom
    8: lambda seen: seen.transpose(1, 0, 2)[:, ::-1],  # left, bottom
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_orientation_of_a_photograph_is_undone(orientation, channels):
    """JPEG is decoded at a fraction of its size, which must not lose the tag."""
    seen = np.asarray(quadrants().resize((640, 320), Pillow.Resampling.NEAREST))
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    files = []
    for pixels, options in ((seen, {}), (STORED[orientation](seen), {"exif": exif})):
        stream = io.BytesIO()
        Pillow.fromarray(np.ascontiguousarray(pixels)).save(stream, "JPEG", quality=95, **options)
        files.append(stream.getvalue())
    found = Image.learn(column(files), size=32, channels=channels).encode(column(files)).values.astype(int)
    assert np.abs(found[0, 4:12, 4:12] - found[1, 4:12, 4:12]).max() <= 6
    assert np.abs(found[0] - found[1]).mean() <= 6


def test_paths_out_of_the_folder_are_followed_when_allowed(tmp_path):
    (tmp_path / "data").mkdir()
    quadrants().save(tmp_path / "q.png")
    cells = {"c": ["../q.png", str(tmp_path / "q.png")]}
    opened = open_table(cells, TableConfig(allow_outside=True), folder=tmp_path / "data").column("c")
    assert Image.learn(opened).encode(opened).present.all()


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (3000, 7), (64, 64)])
def test_any_size_becomes_one_size(size):
    assert encode(png(Pillow.new("RGB", size, (9, 9, 9))), size=24).values.shape == (2, 24, 24, 3)


@pytest.mark.parametrize(("fit", "corner"), [("stretch", 0), ("pad", 255), ("crop", 0)])
def test_a_picture_that_is_not_square_is_stretched_padded_or_cropped(fit, corner):
    found = encode(png(Pillow.new("L", (64, 16), 0)), fit=fit, size=16, channels=1).values[0, :, :, 0]
    assert found[0, 8] == corner
    assert found[8, 8] == 0


def test_of_several_frames_the_first_is_taken(tmp_path):
    frames = [Pillow.new("L", (16, 16), level) for level in (10, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    found = Image.learn(column(["a.gif"], tmp_path)).encode(column(["a.gif"], tmp_path))
    assert np.abs(found.values.astype(int) - 10).max() <= 1


def bomb(side):
    """A PNG of a few hundred bytes that unpacks to side² pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def broken_files():
    noise = Pillow.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    jpeg = io.BytesIO()
    noise.save(jpeg, "JPEG")
    return {
        "cut.png": (png(noise)[:2000], "image is damaged"),
        "cut.jpg": (jpeg.getvalue()[:1500], "image is damaged"),
        "empty.png": (b"", "empty (0 bytes)"),
        "text.png": (b"this is no picture", "not an image in a supported format"),
        "bomb.png": (bomb(60_000), "pixels"),
    }


def test_damaged_files_are_missing_with_a_reason_and_spare_the_others(tmp_path):
    broken = broken_files()
    for name, (content, _) in broken.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.png").mkdir()
    quadrants().save(tmp_path / "good.png")
    quadrants().save(tmp_path.parent / "outside.png")
    names = [*broken, "good.png", "gone.png", "folder.png", "../outside.png", None]
    found = Image.learn(column(names, tmp_path)).encode(column(names, tmp_path))
    assert found.present.tolist() == [name == "good.png" for name in names]
    told = {problem.value: problem for problem in found.problems}
    assert set(told) == {name for name in names if name not in ("good.png", None)}
    for name, (_, reason) in broken.items():
        assert reason in told[name].reason
        assert told[name].cure
    assert "the file does not exist" in told["gone.png"].reason
    assert "outside the table's folder" in told["../outside.png"].reason
    assert "allow_outside" in told["../outside.png"].cure


def test_pictures_over_the_limit_are_refused_before_they_are_unpacked():
    found = encode(bomb(600), max_pixels=1000)
    assert not found.present[0]
    assert "600 × 600 pixels, over the limit of 1,000" in found.problems[0].reason
    assert "max_pixels" in found.problems[0].cure


def test_bytes_are_pictures_too(tmp_path):
    content = png(quadrants())
    (tmp_path / "q.png").write_bytes(content)
    cells = [{"bytes": content, "path": None}, {"bytes": None, "path": "q.png"}]
    both = Image.learn(column(cells, tmp_path)).encode(column(cells, tmp_path))
    assert (both.values[0] == both.values[1]).all()
    assert (encode(content).values[0] == both.values[0]).all()


def test_size_and_channels_come_from_the_training_pictures():
    grey, colour = png(Pillow.new("L", (28, 20))), png(Pillow.new("RGB", (500, 400)))
    assert Image.learn(column([grey])).encoder_spec() == {"channels": 1, "size": 20}
    assert Image.learn(column([colour])).encoder_spec() == {"channels": 3, "size": 64}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.binary(min_size=1, max_size=300), st.integers(0, 700), st.integers(0, 700))
def test_random_damage_never_crashes(noise, place, cut):
    good = png(quadrants())
    for content in (noise, good[: place % len(good)] + noise + good[place % len(good) :], good[: cut % len(good)]):
        cells = column([content or b"x", good])
        found = Image.learn(cells).encode(cells)
        assert found.present[1]
        assert bool(found.present[0]) == (not found.problems)


@settings(max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    mode=st.sampled_from(["RGB", "L", "CMYK"]),
    kind=st.sampled_from([{}, {"quality": 30}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 2}]),
    size=st.sampled_from([1, 8, 31, 64, 224]),
    channels=st.sampled_from([1, 3]),
)
def test_a_jpeg_is_to_the_bit_what_pillow_decodes_at_its_draft_size(shape, mode, kind, size, channels):
    rough = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    stream = io.BytesIO()
    Pillow.fromarray(rough).resize(shape).convert(mode).save(stream, "JPEG", **kind)
    with Pillow.open(stream) as picture:
        picture.draft("RGB" if channels == 3 else "L", (size, size))
        wanted = picture.convert("RGB" if channels == 3 else "L").resize((size, size), Pillow.Resampling.BILINEAR)
        encoded = encode(stream.getvalue(), size=size, channels=channels).values[0]
    assert np.array_equal(encoded.squeeze(-1) if channels == 1 else encoded, np.asarray(wanted))
