"""Workbooks are tables: one sheet, its first row the header."""

import sys
from datetime import date, datetime

import openpyxl
import pytest

import sensorium
from sensorium.config import TableConfig
from sensorium.errors import MissingExtraError, TableError
from sensorium.table import open_table


def save(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


FILMS = [
    ["title", "year", "minutes", "seen", "rated", "room"],
    ["Solaris", 1972, 166.5, datetime(2020, 1, 2, 20, 15), True, 7],
    ["Stalker", 1979, None, datetime(2021, 1, 3), False, "7b"],
    [None, 1975, 106, None, None, None],
]


def test_cells_keep_their_kind(tmp_path):
    table = open_table(save(tmp_path / "films.xlsx", films=FILMS))
    assert table.columns == FILMS[0]
    found = {name: table.column(name).data.to_pylist() for name in table.columns}
    assert found["title"] == ["Solaris", "Stalker", None]
    assert found["year"] == [1972, 1979, 1975]
    assert found["minutes"] == [166.5, None, 106.0]
    assert found["seen"][0] == datetime(2020, 1, 2, 20, 15)
    assert found["rated"] == [True, False, None]
    assert found["room"] == ["7", "7b", None]


def test_a_date_beside_text_is_text(tmp_path):
    table = open_table(save(tmp_path / "t.xlsx", a=[["when", "n"], [date(2020, 1, 2), 1], ["later", 2]]))
    assert table.column("when").data.to_pylist() == ["2020-01-02", "later"]


def test_a_sheet_is_named(tmp_path):
    path = save(tmp_path / "t.xlsx", first=[["a"], [1]], second=[["b"], [2]])
    assert open_table(path, TableConfig(query="second")).columns == ["b"]
    with pytest.raises(TableError, match="2 sheets") as caught:
        open_table(path)
    assert "one of first, second" in caught.value.cure
    with pytest.raises(TableError, match="no sheet 'secnd'") as caught:
        open_table(path, TableConfig(query="secnd"))
    assert "second" in caught.value.cure


def test_a_model_is_fitted_from_a_workbook(tmp_path):
    rows = [[f"film {k} {'rain' if k % 2 else 'sun'}", k % 7, "wet" if k % 2 else "dry"] for k in range(60)]
    path = save(tmp_path / "t.xlsx", films=[["title", "stars", "mood"], *rows])
    model = sensorium.fit(path, "mood", epochs=1, progress=False)
    assert len(model.predict(path)) == 60


@pytest.mark.parametrize("content", [b"no workbook", b"PK\3\4" + b"\0" * 400])
def test_what_is_no_workbook_is_told(content, tmp_path):
    (tmp_path / "t.xlsx").write_bytes(content)
    with pytest.raises(TableError, match="cannot read"):
        open_table(tmp_path / "t.xlsx")


def test_an_empty_sheet_and_a_header_alone_are_told(tmp_path):
    with pytest.raises(TableError, match="empty"):
        open_table(save(tmp_path / "a.xlsx", films=[]))
    with pytest.raises(TableError, match="no rows"):
        open_table(save(tmp_path / "b.xlsx", films=[["a", "b"]]))


def test_without_the_extra_the_install_line_is_told(tmp_path, monkeypatch):
    path = save(tmp_path / "t.xlsx", films=FILMS)
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'sensorium\[excel\]'"):
        open_table(path)


def told(table):
    return [problem.reason for problem in table.problems]


def test_a_title_above_the_header_is_refused_and_its_cure_works(tmp_path):
    path = save(tmp_path / "t.xlsx", films=[["Films of 2020"], *FILMS])
    with pytest.raises(TableError, match="first row is not a header: 'Films of 2020'") as caught:
        open_table(path)
    assert "table.skip_rows=1" in caught.value.cure
    assert open_table(path, TableConfig(skip_rows=1)).columns == FILMS[0]
    assert open_table(save(tmp_path / "blank.xlsx", films=[[], [], *FILMS])).columns == FILMS[0]


def test_the_only_sheet_with_cells_is_read_and_told(tmp_path):
    table = open_table(save(tmp_path / "t.xlsx", Sheet1=[], films=FILMS, Sheet3=[]))
    assert table.columns == FILMS[0]
    assert told(table) == ["the sheet 'films' is read; the workbook's other 2 sheets have no cells"]
    assert told(open_table(save(tmp_path / "one.xlsx", films=FILMS))) == []


def test_columns_without_a_name_are_told(tmp_path):
    rows = [["a", None, None, "d"], [1, 2, None, 4], [1, 3, None, 5]]
    table = open_table(save(tmp_path / "t.xlsx", merged=rows))
    assert table.columns == ["a", "column 2", "d"]
    assert len(told(table)) == 2
    index = open_table(save(tmp_path / "i.xlsx", pandas=[[None, "a"], [0, 2], [1, 3]]))
    assert (index.columns, told(index)) == (["column 1", "a"], [])
