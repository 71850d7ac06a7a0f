"""What looks like a fault of a file, and is none."""

import zipfile

import pyarrow as pa
import pytest

from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.modalities.number import infer_notation, read_numbers
from sensorium.table import open_table, write_table


@pytest.mark.parametrize("text", ["a,b\n1,2,\n5,3,\n4,9,\n8,9,\n", "id,x,y\n101,5,a,\n103,7,b,\n104,9,c,\n105,9,c,\n"])
def test_a_separator_at_the_end_of_every_row_is_no_decimal_comma(text, tmp_path):
    (tmp_path / "t.csv").write_text(text)
    assert len(open_table(tmp_path / "t.csv")) == 4


def test_very_long_digits_are_an_error_of_the_table(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + f"{'9' * 5000},5,3\n" * 4)
    with pytest.raises(TableError):
        open_table(tmp_path / "t.csv")


def test_a_table_of_aligned_text_is_not_told_to_replace_itself(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("first  name\nann  lee\nbob  ray\ncid  fox\n")
    with pytest.raises(TableError) as caught:
        open_table(path)
    assert "t-separated.csv" in str(caught.value) and "table.separator=none" in str(caught.value)
    assert open_table(path, TableConfig(separator="none")).columns == ["first  name"]


def test_a_part_of_a_workbook_that_is_no_xml_is_no_sheet(tmp_path):
    path = tmp_path / "t.xlsx"
    write_table(pa.table({"x": [1, 2], "y": ["a", "b"]}), path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\x00\x01Dim sheetData As Range")
    assert len(open_table(path)) == 2


def read(cells):
    column = open_table({"x": cells}).column("x")
    return read_numbers(column, infer_notation(column))[0].tolist()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2.1M", "850K", "45B", "120B", "33.5B"], [2.1e6, 850e3, 45e9, 120e9, 33.5e9]),
        (["1.2T", "350B", "800K", "45B", "4M"], [float("nan"), 350e9, 800e3, 45e9, 4e6]),
        (["569.1 B", "760.4 K", "402.3 M", "88 B"], [569.1, 760.4e3, 402.3e6, 88]),
        (["100.00 CR", "-250.00 DR", "30.00 DR", "1,000.00 CR"], [100, -250, -30, 1000]),
    ],
)
def test_letters_mean_what_the_sizes_say(cells, expected):
    assert read(cells * 9)[: len(cells)] == pytest.approx(expected, nan_ok=True)
