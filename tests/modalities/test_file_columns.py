"""A column of paths is read, or says what would make it readable; it never becomes words without a word."""

import pytest
from PIL import Image as Pillow

import sensorium
from sensorium.table import open_table

ROWS = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("files")
    (made / "img").mkdir()
    for row in range(ROWS):
        picture = Pillow.new("RGB", (8, 8), (row * 8, 0, 0))
        for name in (f"{row}.png", f"img/{row}.png", f"img/{row} x.png", f"img/{row}.PNG", f"img/{row}"):
            picture.save(made / name, "PNG")
    return made


def plan(make, folder):
    cells = [make(row) for row in range(ROWS)]
    table = open_table({"v": cells, "z": [row * 0.37 for row in range(ROWS)]}, folder=folder)
    return sensorium.inspect(table).columns[0]


READ = {
    "plain": lambda row: f"{row}.png",
    "blank after": lambda row: f"{row}.png ",
    "quotes": lambda row: f'"img/{row}.png"',
    "backslashes": lambda row: f"img\\{row}.png",
    "percent": lambda row: f"img/{row}%20x.png",
    "capitals": lambda row: f"img/{row}.PNG",
    "query": lambda row: f"img/{row}.png?x=1",
    "file": lambda row: f"file:img/{row}.png",
    "no suffix": lambda row: f"img/{row}",
}


@pytest.mark.parametrize("case", READ)
def test_pictures_are_read_however_their_paths_are_spelt(case, folder):
    found = plan(READ[case], folder)
    assert (found.modality, found.caution, found.undecodable) == ("image", "", 0)


@pytest.mark.parametrize("word", ["None", "NA", "nan", "null", "-", "N/A", "NaN"])
def test_words_for_missing_cells_among_paths_are_missing(word, folder):
    found = plan(lambda row: f"{row}.png" if row % 3 else word, folder)
    assert (found.modality, found.caution, found.undecodable) == ("image", "", 8)
    assert f"8 of 24 cells ({word!r}) are read as missing" in found.reason


NOT_THERE = {
    "elsewhere": (lambda row: f"/other/machine/{row}.png", "table.allow_outside=true"),
    "above": (lambda row: f"..\\{row}.png", "table.allow_outside=true"),
    "home": (lambda row: f"~/{row}.png", "table.allow_outside=true"),
    "address": (lambda row: f"https://example.org/{row}.png?w=100", "table.allow_outside=true"),
    "bucket": (lambda row: f"s3://bucket/{row}.jpg", "table.allow_outside=true"),
    "Windows": (lambda row: f"C:\\data\\img\\{row}.png", "'img/0.png' exists"),
    "gone": (lambda row: f"gone/x{row}.png", "paths are relative to"),
}


@pytest.mark.parametrize("case", NOT_THERE)
def test_files_that_are_not_there_come_with_one_piece_of_advice(case, folder):
    make, advice = NOT_THERE[case]
    found = plan(make, folder)
    assert found.modality == "image"
    assert advice in found.caution
    assert ("allow_outside" in found.caution) != ("relative to" in found.caution)


UNREAD = ["mat", "h5", "svs", "docx", "zip", "nii.zip", "xyz", "txt", "raw", "csv.gz", "zzz", "pages"]


@pytest.mark.parametrize("suffix", UNREAD)
def test_files_of_other_kinds_become_no_words_without_a_caution(suffix, folder):
    for make in (lambda row: f"./{row}.{suffix}", lambda row: f"a\\b\\{row % 4}.{suffix}"):
        found = plan(make, folder)
        assert found.modality in ("text", "category")
        assert f"look like paths of files (.{suffix})" in found.caution
        assert "convert" in found.caution or "unpack" in found.caution or "read the text" in found.caution


def test_files_of_several_kinds_are_told(folder):
    found = plan(lambda row: f"{row}.png" if row % 3 else f"{row}.h5", folder)
    assert found.modality == "image" and ".h5" in found.caution
    found = plan(lambda row: f"{row}.{('mat', 'h5', 'docx')[row % 3]}", folder)
    assert found.modality == "text" and "several kinds" in found.caution


LISTS = {
    "JSON": lambda row: f'["{row}.png", "img/{row}.png"]',
    "Python": lambda row: f"['{row}.png', 'img/{row}.png']",
    "pipes": lambda row: f"{row}.png|img/{row}.png" if row % 3 else f"{row}.png",
    "commas": lambda row: f"{row}.png, img/{row}.png",
    "lists": lambda row: [f"{row}.png ", f"img\\{row}.png"],
}


@pytest.mark.parametrize("case", LISTS)
def test_lists_of_paths_are_read(case, folder):
    found = plan(LISTS[case], folder)
    assert (found.modality, found.caution, found.undecodable) == ("images", "", 0)


def test_lists_of_paths_that_nothing_reads_are_told(folder):
    assert "(.h5)" in plan(lambda row: [f"{row}.h5", f"x{row}.h5"], folder).caution
    assert "(.h5)" in plan(lambda row: f"{row}.h5|x{row}.h5", folder).caution


OTHERS = {
    "servers": lambda row: f"site{row}.com",
    "mail": lambda row: f"me{row}@there.org",
    "versions": lambda row: f"1.{row}.2",
    "sentences": lambda row: f"I saw it. {row} times",
    "products": lambda row: ("Node.js", "Vue.js", "ASP.NET")[row % 3],
    "fractions": lambda row: f"{row}/2.5",
    "units": lambda row: f"{row} km/h.",
    "networks": lambda row: f"10.0.0.{row}/24",
    "pages": lambda row: f"https://example.org/item/{row}",
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_path_is_not_called_one(case, folder):
    assert "paths" not in plan(OTHERS[case], folder).caution


def test_paths_among_other_words_are_pointed_out():
    cells = [f"img/{i}.png" if i % 5 < 3 else f"seen at night {i}" for i in range(60)]
    found = sensorium.inspect({"v": cells, "y": ["a", "b"] * 30}, target="y").columns[0]
    assert "36 of 60 sampled cells are paths of files" in found.caution
    plain = [f"see report {i}.pdf" if i % 9 == 0 else f"node.js and {i} more words" for i in range(60)]
    assert "paths" not in sensorium.inspect({"v": plain, "y": ["a", "b"] * 30}, target="y").columns[0].caution
