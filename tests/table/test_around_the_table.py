"""Lines above and below the table in a CSV file or a sheet: an error names them, and its advice works as it stands."""

import random
import re

import openpyxl
import pytest

from sensorium.config import Config, parse_assignments
from sensorium.errors import TableError
from sensorium.table import open_table

pytestmark = pytest.mark.unit

NAMES = ["Monat", "Filiale", "Umsatz", "Ziel"]


def rows(number=40):
    drawn = random.Random(1)
    return [
        f"Jan 2023;{drawn.choice(['Nord', 'Süd'])};{drawn.randint(1, 9)}.{drawn.randint(100, 999)},00 €;ja"
        for _ in range(number)
    ]


def read(path, *assignments):
    return open_table(path, Config.gather(parse_assignments(assignments)).table)


TITLES = {
    "one line": "Umsatzbericht 2023\n",
    "two lines": "Umsatzbericht 2023\nStand: 01.02.2024\n",
    "two lines and a blank one": "Umsatzbericht 2023\nStand: 01.02.2024\n\n",
    "blank lines before and between": "\n\nUmsatzbericht 2023\n\nStand: 01.02.2024\n\n\n",
    "a line break in quotes": '"Umsatzbericht\n\n2023"\nStand: 01.02.2024\n\n',
    "padded": "Umsatzbericht 2023;;;\nStand: 01.02.2024;;;\n;;;\n",
    "padded and blank": "Umsatzbericht 2023;;;\n\nStand: 01.02.2024;;;\n\n",
}


@pytest.mark.parametrize("note", ["", "\nQuelle: SAP\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("title", TITLES)
def test_the_proposed_skip_rows_reaches_the_header(tmp_path, title, end, note):
    path = tmp_path / "t.csv"
    text = TITLES[title] + "\n".join([";".join(NAMES), *rows(), ""]) + note
    path.write_text(text.replace("\n", end), newline="")
    with pytest.raises(TableError) as error:
        read(path)
    setting, line = re.search(
        r"set (table\.skip_rows=\d+) .* if the header is in line (\d+)", str(error.value)
    ).groups()
    assert text.split("\n")[int(line) - 1] == ";".join(NAMES)
    if note:
        with pytest.raises(TableError) as error:
            read(path, setting)
        last = len(text.split("\n")) - 1
        assert f"line {last} at the end of the file is not a row: 'Quelle: SAP'" in str(error.value)
        comment = re.search(r"--set (table\.comment=\S+)", str(error.value))[1]
        found = read(path, setting, comment)
    else:
        found = read(path, setting)
    assert (found.columns, len(found)) == (NAMES, 40)


def test_a_note_of_several_lines_is_to_be_removed(tmp_path):
    path = tmp_path / "t.csv"
    text = "\n".join([";".join(NAMES), *rows()])
    path.write_text(f"{text}\n\nQuelle: SAP\nStand: 2024\n")
    with pytest.raises(TableError, match="remove lines 43 to 44") as error:
        read(path)
    assert "table.comment" not in str(error.value)
    path.write_text(text)
    assert len(read(path)) == 40


def test_a_comment_that_rows_begin_with_is_not_proposed(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\n".join([";".join(NAMES), *rows(), "Jan: vorläufig"]))
    with pytest.raises(TableError, match="remove line 42") as error:
        read(path)
    assert "table.comment" not in str(error.value)


def test_a_short_row_within_the_table_is_no_note(tmp_path):
    path = tmp_path / "t.csv"
    cells = rows()
    path.write_text("\n".join([";".join(NAMES), *cells[:20], "Nord", *cells[20:]]))
    with pytest.raises(TableError, match="1 row has a different number of cells"):
        read(path)


@pytest.mark.parametrize("above", [1, 2, 4])
def test_titles_of_a_sheet(tmp_path, above):
    book = openpyxl.Workbook()
    for place in range(above):
        book.active.append([f"Bericht {place}"] if place != 1 else [])
    for row in [NAMES, *(line.split(";") for line in rows())]:
        book.active.append(row)
    path = tmp_path / "t.xlsx"
    book.save(path)
    with pytest.raises(TableError) as error:
        read(path)
    found = read(path, re.search(r"table\.skip_rows=\d+", str(error.value))[0])
    assert (found.columns, len(found)) == (NAMES, 40)
