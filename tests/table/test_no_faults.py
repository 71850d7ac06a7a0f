"""Files that are taken for faulty with good reason only, and errors whose cure does no harm."""

import zipfile

import pyarrow as pa
import pytest

from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.table import open_table, write_table

pytestmark = pytest.mark.unit


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
