"""Pictures of more than 8 bits: one scale for a column, learnt from its training rows, and said."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as Pillow

import sensorium
from sensorium.errors import ConfigError
from sensorium.modalities.image import Image
from sensorium.modalities.images import Images
from sensorium.table import open_table

RAMP = np.tile(np.linspace(0, 1, 32), (32, 1))  # black on the left, white on the right
WANTED = np.rint(RAMP * 255)


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


def png(values):
    """A 16-bit PNG of one to four channels, as libpng writes it."""
    values = values.reshape(*values.shape[:2], -1)
    high, wide, channels = values.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 16, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(values, order="<", *, packed=False, nodata=None):
    """A TIFF file of any type of numbers; Pillow writes few of them."""
    values = np.asarray(values)
    channels, bits = values.shape[2] if values.ndim == 3 else 1, values.dtype.itemsize * 8
    sample = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    data = zlib.compress(data) if packed else data
    text = b"" if nodata is None else nodata.encode() + b"\0"
    tags = [(256, 4, 1, values.shape[1]), (257, 4, 1, values.shape[0]), (258, 3, channels, bits)]
    tags += [(259, 3, 1, 8 if packed else 1), (262, 3, 1, 2 if channels == 3 else 1), (273, 4, 1, "data")]
    tags += [(277, 3, 1, channels), (278, 4, 1, values.shape[0]), (279, 4, 1, len(data)), (339, 3, channels, sample)]
    tags += [(42_113, 2, len(text), text)] if text else []
    start = 8 + 2 + 12 * len(tags) + 4
    table, behind = b"", b""
    for number, kind, count, value in tags:
        many = text if kind == 2 else struct.pack(f"{order}{count}H", *[value] * count) if kind == 3 else b""
        if value == "data":
            field = struct.pack(order + "I", start)
        elif len(many) > 4:
            field = struct.pack(order + "I", start + len(data) + len(behind))
            behind += many
        else:
            field = many.ljust(4, b"\0") if many else struct.pack(order + "I", value)
        table += struct.pack(order + "HHI", number, kind, count) + field
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(tags))
    return head + table + struct.pack(order + "I", 0) + data + behind


def stack(values, channels, alpha=None):
    return np.stack([values] * channels + ([np.full_like(values, alpha)] if alpha else []), -1)


def ints(top, kind=np.uint16, low=0):
    return np.rint(low + RAMP * (top - low)).astype(kind)


def floats(low, high):
    return (low + RAMP * (high - low)).astype(np.float32)


FORMS = {
    **{f"{bits} bits in a 16-bit PNG": png(ints(2**bits - 1)) for bits in (8, 9, 10, 11, 12, 13, 14, 15, 16)},
    **{f"{bits} bits in 16-bit {order}": tiff(ints(2**bits - 1), order) for bits in (10, 12, 16) for order in "<>"},
    **{f"{bits} bits in 16-bit RGB": png(stack(ints(2**bits - 1), 3)) for bits in (8, 10, 12, 16)},
    "12 bits in 16-bit RGBA": png(stack(ints(4095), 3, 65_535)),
    "12 bits in 16-bit grey and alpha": png(stack(ints(4095), 1, 65_535)),
    **{f"12 bits in RGB TIFF {order}": tiff(stack(ints(4095), 3), order) for order in "<>"},
    **{f"12 bits in packed RGB TIFF {order}": tiff(stack(ints(4095), 3), order, packed=True) for order in "<>"},
    "12 bits in packed TIFF": tiff(ints(4095), packed=True),
    "signed 16 bits": tiff(ints(3000, np.int16, -1000)),
    "all of signed 16 bits": tiff(ints(32_767, np.int16, -32_768)),
    "signed 8 bits": tiff(ints(127, np.int8, -128)),
    **{f"32 bits up to {top}": tiff(ints(top, np.int32)) for top in (255, 256, 4095, 65_535, 1_000_000)},
    "unsigned 32 bits": tiff(ints(4_294_967_295, np.uint32)),
    "signed 32 bits": tiff(ints(70_000, np.int32, -70_000), ">"),
    **{f"floats {low} to {top}": tiff(floats(low, top)) for low, top in ((0, 1), (0, 1.02), (0, 255), (0, 256))},
    **{f"floats {low} to {top}": tiff(floats(low, top)) for low, top in ((-1, 1), (0, 65_535), (0, 100), (-80, 0))},
    "floats up to 1e-3": tiff(floats(0, 1e-3)),
    "counts of a thermal camera": tiff(ints(31_000, np.uint16, 29_000)),
    "PGM of 10 bits": b"P5 32 32 1023\n" + ints(1023).astype(">u2").tobytes(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_ramp_is_the_same_ramp_however_it_is_stored(form):
    cells = column([FORMS[form], FORMS[form]])
    learnt = Image.learn(cells, size=32, channels=1)
    found = learnt.encode(cells)
    assert found.problems == []
    assert np.abs(found.values[0, :, :, 0] - WANTED).max() <= 1
    alone = Image(32, 1, "stretch", 255, 10**8).decode(io.BytesIO(FORMS[form]))  # which learnt nothing
    assert np.abs(alone[:, :, 0] - WANTED).max() <= 1


@pytest.mark.parametrize("make", [lambda top: png(ints(top)), lambda top: tiff(floats(0, top / 4000))])
def test_files_of_a_column_share_one_scale(make):
    cells = column([make(top) for top in (4000, 2000, 1000, 500)])
    found = Image.learn(cells, size=32, channels=1).encode(cells).values.astype(int)
    tops = found.max((1, 2, 3))
    assert tops == pytest.approx(tops[0] / np.array([1, 2, 4, 8]), abs=1.5)


def test_one_file_is_read_as_it_is_among_others():
    files = [png(ints(top)) for top in (4000, 2000, 100)]
    learnt = Image.learn(column(files), size=16, channels=1)
    together = learnt.encode(column(files)).values
    assert (np.concatenate([learnt.encode(column([file])).values for file in files]) == together).all()
    assert Image.learn(column(files), size=16, channels=1) == learnt


def test_the_scale_is_said_where_it_was_guessed():
    twelve = Image.learn(column([png(ints(4080)), png(ints(3000))]))
    assert "0–4,095" in twelve.describe()
    assert len(twelve.findings("xray")) == 1
    said = twelve.findings("xray")[0]
    assert (said.row, said.column) == (None, "xray")
    assert "0 to 4,080" in said.reason and "0–4,095" in said.reason
    assert "modalities.xray.levels" in said.cure
    for plain in (png(ints(65_535)), png(stack(ints(60_000), 3)), tiff(floats(0, 1)), tiff(ints(255, np.int32))):
        assert Image.learn(column([plain])).findings("c") == []


def test_files_beyond_the_scale_are_clipped_and_told():
    learnt = Image.learn(column([png(ints(4000))]), size=32)
    found = learnt.encode(column([png(ints(4095)), png(ints(60_000)), tiff(floats(0, 1)), png(ints(20))]))
    assert found.present.all()
    assert [problem.row for problem in found.problems] == [1, 2, 3]
    beyond, other, faint = (problem.reason for problem in found.problems)
    assert "0–4,095" in beyond and "clipped" in beyond
    assert "unlike the training images" in other
    assert "almost nothing" in faint
    assert all("modalities.c.levels" in problem.cure for problem in found.problems)


def test_levels_can_be_set():
    cells = column([png(ints(1000)), tiff(floats(0, 1000))])
    learnt = Image.learn(cells, size=32, channels=1, levels=(0, 2000))
    found = learnt.encode(cells)
    assert found.values.max((1, 2, 3)).tolist() == [128, 128]
    assert (found.problems, learnt.findings("c")) == ([], [])
    with pytest.raises(ConfigError, match="levels"):
        Image.learn(cells, levels=(5, 5))


def test_eight_bits_beside_more_are_left_as_they_are():
    stream = io.BytesIO()
    Pillow.fromarray((WANTED / 2).astype(np.uint8)).save(stream, "PNG")
    cells = column([png(ints(4095)), stream.getvalue()])
    found = Image.learn(cells, size=32, channels=1).encode(cells)
    assert found.values.max((1, 2, 3)).tolist() == [255, 127]
    assert found.problems == []


def test_a_dead_pixel_does_not_make_the_others_black():
    values = np.kron(ints(4095), np.ones((4, 4), np.uint16))
    values[5, 5] = 65_535
    cells = column([png(values)] * 3)
    learnt = Image.learn(cells, size=32, channels=1, fit="crop")
    assert learnt.encode(cells).values[0, 20].max() >= 250
    assert "clipped" in learnt.findings("c")[0].reason


@pytest.mark.parametrize("gap", [np.nan, np.inf, -3.4e38, "nodata"])
def test_pixels_without_a_value_show_the_ground_and_do_not_spoil_the_scale(gap):
    values = floats(0, 1)
    values[8:16, 8:16] = -9999 if gap == "nodata" else gap
    cells = column([tiff(values, nodata="-9999" if gap == "nodata" else None)])
    learnt = Image.learn(cells, size=32, channels=1, background=7)
    found = learnt.encode(cells).values[0, :, :, 0]
    assert (found[8:16, 8:16] == 7).all()
    assert np.abs(found[:8] - WANTED[:8]).max() <= 1
    assert "without a value" in learnt.findings("c")[0].reason
    assert "background" in learnt.findings("c")[0].cure


def test_a_lone_value_far_below_all_others_does_not_spoil_the_scale():
    values = floats(100, 500)
    values[:10] = -32_768
    found = Image.learn(column([tiff(values)]), size=32, channels=1)
    assert np.ptp(found.encode(column([tiff(values)])).values[0, 20]) > 180
    assert "clipped" in found.findings("c")[0].reason


def test_files_of_two_scales_in_one_column_are_told():
    learnt = Image.learn(column([tiff(floats(0, 255)), tiff(floats(0, 1))] * 5))
    assert any("nearly black" in problem.reason for problem in learnt.findings("c"))


def test_further_frames_are_told_and_previews_are_not():
    frames = [Pillow.new("L", (16, 16), level) for level in (10, 200)]
    stream = io.BytesIO()
    frames[0].save(stream, "TIFF", save_all=True, append_images=frames[1:])
    told = Image.learn(column([stream.getvalue()] * 2)).findings("scan")
    assert ["2 of 2 images have several frames" in problem.reason for problem in told] == [True]
    preview = io.BytesIO()
    frames[0].save(preview, "TIFF", save_all=True, append_images=[Pillow.new("L", (4, 4))])
    assert Image.learn(column([preview.getvalue()])).findings("scan") == []


def test_a_model_of_before_reads_each_file_by_its_own_range():
    state = {"size": 32, "channels": 1, "fit": "stretch", "ground": 255, "max_pixels": 10**8}
    old = Image.restore(state, {})
    assert old.decode(io.BytesIO(png(ints(4080)))).max() == 15
    assert old.decode(io.BytesIO(png(ints(65_535)))).max() == 255
    now = Image.learn(column([png(ints(4080))]), size=32)
    assert Image.restore(*now.state()) == now
    several = Images.restore({**state, "most": 2}, {})
    assert several._picture == old
    assert several.encode(column([[png(ints(4080))]])).values.values.max() == 15


def test_lists_of_pictures_share_one_scale():
    cells = column([[png(ints(4000)), png(ints(2000))], [png(ints(1000))]])
    learnt = Images.learn(cells, size=32)
    assert learnt.encode(cells).values.values.max((1, 2, 3)).tolist() == pytest.approx([249, 125, 62], abs=1)
    assert "0–4,095" in learnt.findings("views")[0].reason
    far = learnt.encode(column([[png(ints(60_000))], None]))
    assert [problem.row for problem in far.problems] == [0]


def test_inspect_and_fit_say_the_scale(tmp_path):
    for row in range(24):
        (tmp_path / f"{row}.png").write_bytes(png(ints(4080 - 40 * row)))
    table = {"picture": [f"{row}.png" for row in range(24)], "label": ["a", "b"] * 12}
    (tmp_path / "t.csv").write_text(
        "picture,label\n" + "".join(f"{p},{t}\n" for p, t in zip(*table.values(), strict=True))
    )
    found = sensorium.inspect(tmp_path / "t.csv", "label")
    assert "0–4,095" in {plan.name: plan.caution for plan in found.columns}["picture"]
    model = sensorium.fit(tmp_path / "t.csv", "label", epochs=1, progress=False, out=tmp_path / "run")
    assert sum("0–4,095" in problem.reason for problem in model.fit_problems) == 1
    loaded = sensorium.load(tmp_path / "run")
    assert "0–4,095" in str(loaded.describe())
    assert loaded.predict(tmp_path / "t.csv").tolist() == model.predict(tmp_path / "t.csv").tolist()


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".jp2", ".j2k", ".dib", ".tga", ".pnm", ".avif"])
def test_suffixes_of_pictures(suffix, tmp_path):
    kinds = {".jfif": "JPEG", ".jpe": "JPEG", ".jp2": "JPEG2000", ".j2k": "JPEG2000", ".pnm": "PPM", ".tga": "TGA"}
    for row in range(12):
        Pillow.new("RGB", (8, 8), (20 * row, 0, 0)).save(tmp_path / f"{row}{suffix}", kinds.get(suffix))
    there = open_table({"c": [f"{row}{suffix}" for row in range(12)], "r": list(range(12))}, folder=tmp_path).column(
        "c"
    )
    assert Image.looks_like(there).confidence > 0.9
    found = Image.learn(there).encode(there)
    assert found.present.all()
    assert np.abs(found.values.mean((1, 2))[:, 0] - 20 * np.arange(12)).max() <= 6


def heic(brand=b"heic"):
    return b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" + brand + bytes(40)


def test_without_its_decoder_heic_is_an_image_column_with_a_cure(monkeypatch):
    monkeypatch.setattr("sensorium.modalities._pictures.can_read_heic", lambda: False)
    monkeypatch.setattr("sensorium.modalities.image.can_read_heic", lambda: False)
    there = column([heic(), heic(b"heix")])
    guess = Image.looks_like(there)
    assert "pillow-heif" in guess.caution
    problems = Image.learn(there).encode(there).problems
    assert len(problems) == 2
    assert "pillow-heif" in problems[0].reason and "pip install pillow-heif" in problems[0].cure
    names = open_table({"c": [f"{row}.HEIC" for row in range(9)], "r": list(range(9))}).column("c")
    assert "pillow-heif" in Image.looks_like(names).caution
