"""Every notation of numbers: what is written is what is read, or it is told."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notations import NO_NUMBERS, NOTATIONS, Told

import sensorium
from sensorium.modalities.number import Notation, infer_notation, read_numbers
from sensorium.table import open_table

ENTRIES = [(name, cell, value) for name, (_, cells) in NOTATIONS.items() for cell, value in cells.items()]


def column(cells, **settings):
    from sensorium.config import TableConfig

    return open_table({"x": cells, "row": list(range(len(cells)))}, TableConfig(**settings)).column("x")


def look(cells, config=None, **others):
    table = {"x": cells, "row": [f"r{i % 3}" for i in range(len(cells))], **others}
    return sensorium.inspect(table, config=config or {}).columns[0]


def test_the_table_is_long_enough():
    assert len(ENTRIES) + sum(len(cells) for cells, _ in NO_NUMBERS.values()) >= 200
    assert len(ENTRIES) >= 200


@pytest.mark.parametrize(("name", "cell", "value"), ENTRIES, ids=[f"{name}: {cell}" for name, cell, _ in ENTRIES])
def test_a_cell_is_read_as_its_column_is_written(name, cell, value):
    others = NOTATIONS[name][0] * 30
    cells = column([*others, cell])
    values, problems = read_numbers(cells, infer_notation(cells))
    wanted = value.value if isinstance(value, Told) else value
    assert values[-1] == pytest.approx(wanted, rel=1e-12, nan_ok=True)
    assert (len(others) in {problem.row for problem in problems}) == isinstance(value, Told)


@pytest.mark.parametrize("name", NOTATIONS)
def test_a_column_in_any_notation_is_one_of_numbers(name):
    found = look(NOTATIONS[name][0] * 30)
    assert found.modality == "number", found.reason


@pytest.mark.parametrize("name", NO_NUMBERS)
def test_codes_scores_and_several_currencies_are_no_numbers(name):
    cells, said = NO_NUMBERS[name]
    found = look(cells * 30)
    assert found.modality in ("category", "text")
    assert said in found.caution
    assert said or not found.caution


def test_the_suffix_of_a_file_is_no_unit():
    assert look([f"{number}.png" for number in range(60)]).modality == "image"


# What is read equals what was written, or the notation is named.

GAPS = ("n.b.", "n/a", "k.A.", "NA", "-", "unknown", "#N/A", "fehlt")
LOCALES = [(".", ","), (".", ""), (",", "."), (",", ""), (",", " "), (",", "\u00a0"), (",", "\u202f"), (",", "\u2009")]
LOCALES += [(".", "'"), (".", "’"), (".", "\u202f"), (",", "'")]
NEGATIVES = ("-{}", "−{}", "({})", "{}-")
SIGNS = ("{}", "{}", "${}", "€ {}", "{} EUR", "CHF {}", "{}%", "{} %")


def written(value, locale, digits, negative, sign):
    whole, _, part = f"{abs(value):.{digits}f}".partition(".")
    groups = []
    while whole:
        whole, group = whole[:-3], whole[-3:]
        groups.insert(0, group)
    text = sign.format(locale[1].join(groups) + (locale[0] + part if part else ""))
    return negative.format(text) if value < 0 else text


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_what_is_written_in_any_notation_is_read_or_the_notation_is_named(data):
    draw = data.draw
    digits, magnitude = draw(st.integers(0, 4)), draw(st.sampled_from([1.0, 1e3, 1e6]))
    how = (draw(st.sampled_from(LOCALES)), digits, draw(st.sampled_from(NEGATIVES)), draw(st.sampled_from(SIGNS)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = np.round(random.normal(0, magnitude, 60), digits) + 0.0
    gaps = random.random(60) < 0.1
    cells = [random.choice(GAPS) if gap else written(v, *how) for v, gap in zip(values, gaps, strict=True)]
    read, _ = read_numbers(column(cells), infer_notation(column(cells)))
    found = look(cells)
    as_written = np.array_equal(read, np.where(gaps, np.nan, values), equal_nan=True)
    assert found.modality == "number"
    assert as_written or "table.decimal" in found.caution


@pytest.mark.parametrize(("cells", "read"), [(["1,234", "2,500"], 1234), (["1.234", "2.500"], 1.234)])
def test_cells_that_can_be_read_in_two_ways_are_told_and_can_be_set(cells, read):
    found = look(cells * 30)
    assert found.overview.figures["value"][0] == read
    assert "table.decimal" in found.caution and "modalities.x.decimal" in found.caution
    other = "," if "," in cells[0] else "."
    for config in ({"table": {"decimal": other}}, {"modalities": {"x": {"decimal": other}}}):
        chosen = look(cells * 30, config)
        assert chosen.overview.figures["value"][0] == 1.234
        assert not chosen.caution
    thousands = look(cells * 30, {"table": {"thousands": other}})
    assert thousands.overview.figures["value"][0] == 1234
    assert not thousands.caution


@pytest.mark.parametrize(
    ("other", "comma", "point"),
    [(["0,5", "12,75"], 1.234, 1234), (["0.5", "12.75"], 1234, 1.234)],
)
def test_other_columns_show_how_the_table_writes_numbers(other, comma, point):
    for cells, value in ((["1,234", "2,500"], comma), (["1.234", "2.500"], point)):
        found = look(cells * 30, other=other * 30)
        assert found.overview.figures["value"][0] == value
        assert not found.caution


def test_a_file_with_commas_between_its_cells_has_decimal_points(tmp_path):
    for separator, told in ((",", False), (";", True)):
        path = tmp_path / "t.csv"
        path.write_text(f"x{separator}y\n" + f"1.234{separator}a\n2.500{separator}b\n" * 30)
        assert ("table.decimal" in sensorium.inspect(path).columns[0].caution) == told


def test_the_reason_says_the_notation_and_the_gaps():
    found = look([*["0,5", "1.234,5"] * 40, *["n.b."] * 12])
    assert "decimal comma, thousands separated by point" in found.reason
    assert "12 cells 'n.b.' are read as missing" in found.reason
    assert not found.caution
    assert not found.unreadable


def test_a_word_among_many_numbers_stands_for_a_gap():
    found = look([f"{i * 7 % 90 / 4}" if i % 7 else "defekt" for i in range(200)])
    assert found.modality == "number"
    assert "29 cells 'defekt' are read as missing" in found.reason
    assert "--modality x=category" in found.reason


def test_some_percent_among_numbers_beyond_one_is_told():
    cells = [f"{i}%" if i % 4 == 0 else str(i) for i in range(1, 81)]
    found = look(cells)
    assert "20 cells with % and 60 cells without" in found.caution
    assert np.array_equal(found.overview.figures["value"], [i for i in range(1, 81) if i % 4])


def test_a_currency_that_is_set_is_read_and_others_are_missing():
    cells = [f"${i}" if i % 2 else f"€{i}" for i in range(1, 81)]
    for config in ({"table": {"currency": "EUR"}}, {"modalities": {"x": {"currency": "€"}}}):
        found = look(cells, config)
        assert found.modality == "number"
        assert np.array_equal(found.overview.figures["value"], range(2, 81, 2))
        assert "40 cells in another currency than EUR are read as missing" in found.caution


@pytest.mark.parametrize(("decimal", "thousands"), [(".", "."), (",", ",")])
def test_one_mark_can_not_be_both(decimal, thousands):
    with pytest.raises(sensorium.SensoriumError, match=r"table\.decimal and table\.thousands must differ"):
        look(["1"], {"table": {"decimal": decimal, "thousands": thousands}})


def test_versions_that_are_one_number_are_told():
    found = look(["1.1", "1.10", "1.2", "1.20"] * 20)
    assert "--modality x=category" in found.caution
    assert not look([f"{i / 100:.2f}" for i in range(40)]).caution


def test_words_that_are_set_are_gaps():
    found = look([f"{i}" if i % 3 else "999x" for i in range(80)], {"modalities": {"x": {"missing": ["999x"]}}})
    assert found.modality == "number"
    assert not found.unreadable


def test_a_notation_survives_being_saved():
    notation = Notation(",", ". ", "none", "EUR", suffixes=True, limits="limit", missing=("n.b.",))
    assert Notation.from_json(notation.to_json()) == notation
    assert not math.isnan(notation.read("1.234,5 Mio. €").value)


def test_set_marks_hold_for_series_of_columns():
    config = {"table": {"decimal": ",", "series": {"load": ["t0", "t1"]}}}
    table = {"t0": ["0,5", "1.234"] * 20, "t1": ["1,5", "2"] * 20, "y": ["a", "b"] * 20}
    opened = open_table(table, sensorium.config.Config.gather(config).table)
    assert opened.column("load").data.to_pylist()[:2] == [[0.5, 1.5], [1234.0, 2.0]]


def test_a_table_with_both_decimal_marks_is_told_which_one_a_column_was_read_by(tmp_path):
    rows = [f'{100 + row}.{row:03d} km,"{row},5 l",36.{row}' for row in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["km,litres,degrees", *rows]))
    model = sensorium.inspect(tmp_path / "t.csv")
    assert model.columns[0].modality == "number"
    assert "the point is ambiguous (decimal or thousands separator): '100.000'" in str(model.to_json()["notices"])
