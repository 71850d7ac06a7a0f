"""What a report advises works as it is printed: a shell takes it, the command follows it, and the report is content."""

import csv
import io
import itertools
import shlex
from datetime import date, timedelta

import openpyxl
import pytest
from calls import answer

from sensorium.errors import SensoriumError

ROWS = 60
NAMES = ["v", "Order.Date", "Umsatz in Tsd.", "WBC 10^9/L", "Größe", 'a "b".c', "it's", "x=y", "Order"]
DAYS = [date(2021, 1 + place % 12, 1 + place % 12) for place in range(ROWS)]
SWAPPED = [f"{1 + place % 12:02d}/{1 + place * 7 % 12:02d}/2021" for place in range(ROWS)]
LABELS = ["red", "blue", "green"] * (ROWS // 3)


def write(path, columns):
    """A CSV file with semicolons, as a spreadsheet writes it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def flags(text):
    """The flags that a text prints, as a POSIX shell splits them."""
    found = set()
    for start in (place for place in range(len(text)) if text.startswith(("--set ", "--modality "), place)):
        words = shlex.shlex(text[start:], posix=True, punctuation_chars=";()")
        words.whitespace_split, words.commenters = True, ""
        option, value = next(words), next(words)
        if "…" not in value and "COLUMN" not in value:
            found.add((option, value))
    return found


def told(path, *options):
    """All that a report says; of a table that cannot be read, the error."""
    try:
        found = answer("inspect", path, *options)
    except SensoriumError as error:
        return [str(error)]
    columns = [f"{column['reason']}; {column['caution']}" for column in found["columns"]]
    notices = [notice["cure"] for notice in found["notices"]]
    advice = [f"--set {shlex.quote(each['setting'])}" for each in found["advice"] if each["setting"]]
    target = [f"{found['target']['reason']}; {found['target']['caution']}"] if found["target"] else []
    return [*columns, *notices, *advice, *target]


def advised(path, *options):
    return set().union(*map(flags, told(path, *options)))


def amounts(mark="€", other="$"):
    return [f"{place + 1},50 {other if place % 5 == 0 else mark}" for place in range(ROWS)]


CELLS = {
    "day or month": SWAPPED,
    "century": [f"{day:%d.%m.%y}" for day in (date(2019, 1, 13) + timedelta(days=9 * place) for place in range(ROWS))],
    "decimal or thousands": [f"{1 + place % 9},{100 + place}" for place in range(ROWS)],
    "points and commas": [f"{place},5" if place % 2 else f"{place}.25" for place in range(ROWS)],
    "two currencies": amounts(),
    "currencies by halves": [f"{place},50 {'€$'[place % 2]}" for place in range(ROWS)],
    "limits": [f"<{place % 4 + 1}" if place % 9 == 0 else f"{place}.5" for place in range(ROWS)],
    "a number for a gap": [-999 if place % 15 == 0 else f"{place + 0.5}" for place in range(ROWS)],
    "a day for a gap": ["1900-01-01" if place % 15 == 0 else f"{day:%Y-%m-%d}" for place, day in enumerate(DAYS)],
    "words for a gap": ["n.b." if place % 15 == 0 else f"{place + 0.5}" for place in range(ROWS)],
    "case": ["Diesel" if place % 3 else "diesel" if place % 2 else "Benzin" for place in range(ROWS)],
    "identifiers": [f"A{place * 7919 % 10007:05d}" for place in range(ROWS)],
    "codes": [f"{place:05d}" for place in range(ROWS)],
    "one value": ["x"] * ROWS,
    "row numbers": list(range(1, ROWS + 1)),
    "stamps": [1_600_000_000 + 86_400 * 20 * place for place in range(ROWS)],
    "vectors": [f"[{place}, {place * 7 % 5}, {place * 3 % 11}]" for place in range(ROWS)],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"),
    [*zip(CELLS, itertools.cycle(NAMES)), *(("day or month", name) for name in NAMES), *(("codes", n) for n in NAMES)],
)
def test_advice_on_a_column_is_followed_and_not_repeated(kind, name, tmp_path):
    path = write(tmp_path / "t.csv", {name: CELLS[kind], "other": LABELS})
    found = advised(path)
    assert found
    for option, value in found:
        assert (option, value) not in advised(path, option, value)


TARGETS = {
    "case": ["Yes" if place % 3 else "yes" if place % 2 else "no" for place in range(ROWS)],
    "words read as missing": ["n/a" if place % 9 == 0 else "yes" if place % 2 else "no" for place in range(ROWS)],
    "words kept": ["none" if place % 9 == 0 else "yes" if place % 2 else "no" for place in range(ROWS)],
    "decimal or thousands": CELLS["decimal or thousands"],
}


@pytest.mark.parametrize("name", ["y", "Umsatz in Tsd."])
@pytest.mark.parametrize("kind", [*TARGETS])
def test_advice_on_a_target_is_followed_and_not_repeated(kind, name, tmp_path):
    path = write(tmp_path / "t.csv", {name: TARGETS[kind], "other": LABELS})
    found = {flag for flag in advised(path, "--target", name) if flag[0] == "--set"}
    assert found
    for option, value in found:
        assert (option, value) not in advised(path, "--target", name, option, value)


def test_advice_on_splits_is_followed(tmp_path):
    columns = {"the patient": [f"P {place % 12}" for place in range(ROWS)], "y": LABELS}
    columns |= {"seen.on": [f"{date(2020, 1, 1) + timedelta(days=place // 2)}" for place in range(ROWS)]}
    columns |= {"tells.it": ["abc"[["red", "blue", "green"].index(label)] for label in LABELS]}
    columns |= {f"step {place}": [row * place % 7 for row in range(ROWS)] for place in range(8)}
    path = write(tmp_path / "t.csv", columns)
    found = {flag for flag in advised(path, "--target", "y") if flag[1].split("=")[0] in ("split.group", "split.time")}
    assert {value for _, value in found} >= {'split.group="the patient"', 'split.time="seen.on"'}
    for option, value in found:
        assert (option, value) not in advised(path, "--target", "y", option, value)


@pytest.mark.parametrize(
    "text",
    [
        "# of the laboratory; 2021\nname;size\na;1\nb;2\nc;3\nd;4\n",
        "Report of 2021\nname;size\na;1\nb;2\nc;3\nd;4\n",
        "name;size\na;1\nb;2\nc;3\nd;4\n# of the laboratory\n",
        "name;size\na;1\nb;2\nc;3\nd;4\nSource\n",
    ],
)
def test_advice_on_a_file_that_cannot_be_read_makes_it_readable(text, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(text * 1, encoding="utf-8")
    found = advised(path)
    for option, value in found:
        assert [column["name"] for column in answer("inspect", path, option, value)["columns"]] == ["name", "size"]


@pytest.mark.parametrize("line", ["--set table.decimal=','", "--set table.decimal=,", "--set modalities.v.decimal=,"])
def test_a_comma_is_a_decimal_mark_with_and_without_quotes(line, tmp_path):
    path = write(tmp_path / "t.csv", {"v": CELLS["decimal or thousands"], "w": LABELS})
    column = answer("inspect", path, *shlex.split(line))["columns"][0]
    assert "decimal comma" in column["reason"] and column["caution"] == ""


@pytest.mark.parametrize("name", ["Order.Date", "Umsatz in Tsd.", "a.b.c"])
def test_a_column_with_dots_may_be_named_without_quotes(name, tmp_path):
    path = write(tmp_path / "t.csv", {name: SWAPPED, "Order": LABELS})
    found = answer("inspect", path, "--set", f"modalities.{name}.day_first=false")["columns"][0]
    assert "month/day/year" in found["reason"] and found["caution"] == ""
    kind = answer("inspect", path, "--set", f"modalities.{name}=category")["columns"][0]
    assert kind["modality"] == "category" and kind["reason"] == "by setting"


def test_of_two_columns_the_longer_name_is_meant(tmp_path):
    path = write(tmp_path / "t.csv", {"a": SWAPPED, "a.b": SWAPPED, "a.b.c": SWAPPED})
    found = answer("inspect", path, "--set", "modalities.a.b.c.day_first=false")["columns"]
    assert ["month/day/year" in column["reason"] for column in found] == [False, False, True]
    found = answer("inspect", path, "--set", "modalities.a.day_first=false")["columns"]
    assert ["month/day/year" in column["reason"] for column in found] == [True, False, False]


def test_the_order_of_all_dates_may_be_set(tmp_path):
    path = write(tmp_path / "t.csv", {"a": SWAPPED, "b": SWAPPED})
    found = answer("inspect", path, "--set", "modalities.date.day_first=false")["columns"]
    assert all("month/day/year" in column["reason"] and column["caution"] == "" for column in found)


def read_error(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SensoriumError) as caught:
        answer("inspect", path)
    return caught.value


@pytest.mark.parametrize("decimals", [1, 2])
@pytest.mark.parametrize("gaps", [False, True])
def test_decimal_commas_between_commas_are_named(decimals, gaps, tmp_path):
    names = ["kind", *"abc"[:decimals], "note"]
    rows = [["red", *[f"{place},{place * 7 % 90 + 10}"] * decimals, "good"] for place in range(120)]
    rows += [["red", *[""] * decimals, "good"]] * 3 if gaps else []
    error = read_error(tmp_path, "\n".join(map(",".join, [names, *rows])) + "\n")
    assert "'0,10'" in error.cure and "decimal comma" in error.cure and "semicolons" in error.cure
    assert "row names" not in error.cure and "skip_rows" not in str(error)


def test_row_names_without_a_name_are_still_named(tmp_path):
    rows = [f"{place},{place * 3 % 7},{place * 5 % 11},red" for place in range(1, 41)]
    error = read_error(tmp_path, "\n".join(["a,b,kind", *rows]) + "\n")
    assert "row names" in error.cure


def test_columns_aligned_by_blanks_are_no_table_with_a_title(tmp_path):
    rows = [f"{name:<14}{place * 3:>6}  {place},5" for place, name in enumerate(["Anna Maria", "Bo", "Cy", "Di"] * 5)]
    error = read_error(tmp_path, "\n".join([f"{'name':<14}{'age':>6}  size", *rows]) + "\n", "t.txt")
    assert "aligned by blanks" in str(error) and "CSV" in error.cure
    assert "skip_rows" not in str(error)


def test_a_column_of_texts_with_double_blanks_is_one(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text\n" + "one  two\nthree  four\nfive  six\nseven  eight\n" * 3, encoding="utf-8")
    assert len(answer("inspect", path)["columns"]) == 1


@pytest.fixture
def workbook(tmp_path):
    """Two sheets, the second moved from the corner; its formulas have no stored results, as openpyxl writes them."""
    book = openpyxl.Workbook()
    book.active.title = "other & more"
    sheet = book.create_sheet("films & more")
    for row in range(12):
        cells = ["size", "double", "empty", "kind"] if row == 0 else [row, f"=C{row + 3}*2", None, "ab"[row % 2]]
        for place, cell in enumerate(cells):
            sheet.cell(row + 3, place + 3, cell)
    book.save(tmp_path / "t.xlsx")
    return tmp_path / "t.xlsx"


def test_formulas_without_stored_results_are_named(workbook):
    columns = {column["name"]: column for column in answer("inspect", workbook)["columns"]}
    assert "formulas without stored results" in columns["double"]["reason"]
    assert "save it" in columns["double"]["caution"]
    assert columns["empty"]["reason"] == "every cell is missing"
    with pytest.raises(SensoriumError) as caught:
        answer("inspect", workbook, "--target", "double")
    assert "formulas" in str(caught.value) and "save it" in caught.value.cure


def test_a_target_of_check_marks_is_refused_with_a_cure(tmp_path):
    path = write(tmp_path / "t.csv", {"a": LABELS, "y": ["x" if place % 2 else "" for place in range(ROWS)]})
    with pytest.raises(SensoriumError) as caught:
        answer("inspect", path, "--target", "y")
    assert "30 empty cells" in caught.value.cure and "no" in caught.value.cure
    whole = write(tmp_path / "w.csv", {"a": LABELS, "y": ["x"] * ROWS})
    with pytest.raises(SensoriumError, match="another target"):
        answer("inspect", whole, "--target", "y")
