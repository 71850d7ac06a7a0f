"""CSV as it is found: what is right is read without a word, what is odd is read and told, what cannot be is refused."""

import numpy as np
import pytest

import sensorium
from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.table import open_table

ROWS = [f"{i},good {i % 5},{['no', 'yes'][i % 2]}" for i in range(60)]
HEADER = "x,note,label"
PLAIN = "\n".join([HEADER, *ROWS]) + "\n"
SEMICOLONS = PLAIN.replace(",", ";")
NAMES = ["x", "note", "label"]


def told(table):
    return " | ".join(f"{problem.column}: {problem.reason}; {problem.cure}" for problem in table.problems)


def with_rows(changes, rows=ROWS, header=HEADER):
    return "\n".join([header, *(changes.get(row, text) for row, text in enumerate(rows))]) + "\n"


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (PLAIN, NAMES),
        (PLAIN[:-1], NAMES),
        (PLAIN + "\n\n", NAMES),
        (PLAIN + "  \n", NAMES),
        (PLAIN + "\x1a", NAMES),
        (PLAIN.replace("\n", "\r\n"), NAMES),
        (PLAIN.replace("\n", "\r"), NAMES),
        (PLAIN.replace("yes\n", "yes\r\n"), NAMES),
        (PLAIN.replace(",", "\t"), NAMES),
        (PLAIN.replace(",", "|"), NAMES),
        ("\n\r\n;;\n" + SEMICOLONS, NAMES),
        ("sep=;\n" + SEMICOLONS, NAMES),
        ('\ufeff"SEP=;"\r\n' + SEMICOLONS.replace("\n", "\r\n"), NAMES),
        ("sep=\t\n" + PLAIN.replace(",", "\t"), NAMES),
        (SEMICOLONS.replace("note", '"note\nfree text"', 1), ["x", "note\nfree text", "label"]),
        (SEMICOLONS.replace("note", '"note, free, text"', 1), ["x", "note, free, text", "label"]),
        (PLAIN.replace("note", '"note; free; text"', 1), ["x", "note; free; text", "label"]),
        (PLAIN.replace("note", '"a ""b"" c"', 1), ["x", 'a "b" c', "label"]),
        (PLAIN.replace("good 3", '5" disk'), NAMES),
        (PLAIN.replace("good 3", '"He said ""hi"", ok"'), NAMES),
        (PLAIN.replace("good 3", '"C:\\dir\\"'), NAMES),
        (PLAIN.replace("good 3", '"{""a"": ""say \\""hi\\""""}"'), NAMES),
        (PLAIN.replace("good 3", '"a, b\r\n\r\nc, d"'), NAMES),
        (PLAIN.replace("x,", ",", 1), ["column 1", "note", "label"]),
        (with_rows({}, [row.replace(",", ";").replace(";good", ",5;good") for row in ROWS], "x;note;label"), NAMES),
    ],
)
def test_what_is_valid_is_read_without_a_word(content, names, write):
    table = open_table(write("t.csv", content))
    assert table.columns == names
    assert len(table) == 60
    assert table.problems == ()


def test_the_suffix_does_not_decide_on_the_separator(write):
    for suffix in ("tsv", "tab", "txt", "csv"):
        for separator in ",;\t|":
            assert open_table(write(f"t.{suffix}", PLAIN.replace(",", separator))).columns == NAMES


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("# made by a tool\n", 2),
        ("# made, by, tool\n", 2),
        ("# a\n# b, c\n", 3),
        ("Report 2026\n", 2),
        ("Report 2026\n\n", 3),
        ("Report, 2026\n", 2),
        ("Report 2026,,\n", 2),
        ("Report\nby me\n\n", 4),
    ],
)
def test_a_title_or_comment_in_the_header_s_place_is_refused_and_its_cure_works(above, line, write):
    path = write("t.csv", above + PLAIN)
    with pytest.raises(TableError, match="not a header") as caught:
        open_table(path)
    assert caught.value.place.endswith("line 1")
    assert f"table.skip_rows={line - 1} " in caught.value.cure
    assert caught.value.cure.endswith(f"if the header is in line {line}")
    assert open_table(path, TableConfig(skip_rows=line - 1)).columns == NAMES
    if above.startswith("#"):
        assert open_table(path, TableConfig(comment="#")).columns == NAMES


def test_comments_between_the_rows_are_skipped_where_that_is_set(write):
    path = write("t.csv", "# a\n" + with_rows({10: ROWS[10] + "\n# note", 20: ROWS[20] + "\n#,b,c"}) + "# end\n")
    table = open_table(path, TableConfig(comment="#"))
    assert (len(table), table.problems) == (60, ())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PLAIN.replace("\n", ",\n"), "1 column without a name and without a value is left out"),
        (PLAIN.replace("\n", ",,,\n"), "3 columns without a name"),
        (PLAIN.replace("note", " note", 1).replace("label", "label ", 1), "blanks around 2 column names are removed"),
        (PLAIN.replace("\n", "\r\r\n"), "60 blank lines"),
        (with_rows({5: ROWS[5] + "\n\n"}), "2 blank lines between the rows are skipped"),
        (PLAIN.replace("good 3", "go\0od", 1), "NUL characters (first: line 5)"),
        (PLAIN.replace("good 3", '"The "Great" G"'), "12 lines with text right after a closing quote (first: line 5)"),
        (PLAIN.replace("good 3", '"He said \\"hi\\", ok"'), "quotes are escaped as \\"),
    ],
)
def test_what_is_odd_is_read_and_told(content, words, write):
    table = open_table(write("t.csv", content))
    assert table.columns == NAMES
    assert len(table) == 60
    assert words in told(table)
    assert len(table.problems) == 1


def test_separators_at_the_ends_of_the_rows_or_of_the_header_alone(write):
    rows = open_table(write("rows.csv", HEADER + "\n" + "".join(f"{row},\n" for row in ROWS)))
    assert rows.columns == NAMES
    assert "without a name" in told(rows)
    assert open_table(write("header.csv", HEADER + ",\n" + "\n".join(ROWS))).columns == NAMES
    filled = HEADER + "\n" + "".join(f"{row},{'' if k < 59 else 'q'}\n" for k, row in enumerate(ROWS))
    with pytest.raises(TableError, match="60 rows have a different number of cells"):
        open_table(write("filled.csv", filled))


def test_quotes_after_backslashes_are_quotes(write):
    path = write("t.csv", PLAIN.replace("good 3", '"He said \\"hi\\", C:\\\\dir"'))
    assert open_table(path).column("note").data[3].as_py() == 'He said "hi", C:\\\\dir'
    for quotes in ("double", "none"):
        with pytest.raises(TableError, match="a different number of cells"):
            open_table(path, TableConfig(quotes=quotes))


def test_blanks_before_quotes(write):
    rows = [f'{i}, "good, ""{i}""", {"no" if i % 2 else "yes"}' for i in range(60)]
    table = open_table(write("t.csv", with_rows({}, rows, '"x", "note", "label"')))
    assert table.columns == NAMES
    assert table.column("note").data[3].as_py() == 'good, "3"'
    assert "blanks between a separator and a quote" in told(table)


def test_a_first_row_in_the_header_s_place_is_told(write):
    flowers = "".join(f"{5 + i / 10:.1f},3.{i % 5},setosa\n" for i in range(30))
    films = "".join(f"great film {i},{'pos' if i % 2 else 'neg'}\n" for i in range(30))
    for content in (flowers, films):
        assert "looks like a row" in told(open_table(write("t.csv", content)))
    years = "country,2019,2020,2021\n" + "".join(f"c{i},{i},{i},{i}\n" for i in range(10))
    places = "0,1,2,3\n" + "".join(f"{i / 3:.2f},{i},{i},{i}\n" for i in range(10))
    for content in (years, places):
        assert open_table(write("t.csv", content)).problems == ()


def test_units_below_the_header_and_the_header_again_are_told(write):
    units = "t,v,w\ns,m/s,kg\n" + "".join(f"{i},{i / 3:.1f},{i}\n" for i in range(20))
    assert "second header line" in told(open_table(write("t.csv", units)))
    twice = open_table(write("t.csv", PLAIN + PLAIN))
    assert "1 row repeating the header (first: row 60)" in told(twice)


def test_files_of_one_column(write):
    free = "text\nhello, you\nbye\nwell, yes, no\nok\n"
    table = open_table(write("t.csv", free))
    assert table.column("text").data.to_pylist() == ["hello, you", "bye", "well, yes, no", "ok"]
    assert "one column" in told(table)
    assert open_table(write("t.csv", free), TableConfig(separator="none")).problems == ()
    assert open_table(write("t.csv", 'text\n"hello, you"\nbye\n')).problems == ()
    assert "1 blank line" in told(open_table(write("t.csv", "x\n1\n\n3\n")))
    assert "never closed" in told(open_table(write("t.csv", 'x\nfoo\n"bar\nbaz\nqux\n')))


def test_a_separator_that_gives_one_column_is_told(write):
    path = write("t.csv", PLAIN)
    assert "',' would give 3" in told(open_table(path, TableConfig(separator=";")))
    assert open_table(write("t.csv", PLAIN.replace(",", "\t")), TableConfig(separator="\\t")).columns == NAMES
    for separator in ("§", "::", '"'):
        with pytest.raises(TableError, match="cannot be a separator"):
            open_table(path, TableConfig(separator=separator))


def test_ragged_rows_are_told_with_their_lines(write):
    for content, words in (
        (PLAIN + "1,2\n", "line 62 has 2"),
        (PLAIN + "Total: 60\n", "line 62 at the end of the file is not a row: 'Total: 60'"),
        (with_rows({}, [f"{k},{row}" for k, row in enumerate(ROWS)]), "60 rows"),
        (with_rows({40: '40,"good 0,no'}), "the quote that opens in line 42 is never closed"),
        (
            with_rows({10: '10,"good 0,no'}, [f'{k},"good, {k}",no' for k in range(60)]),
            "lines 12 to 13 ",
        ),
        (PLAIN.replace("note", '"note', 1), "a quote in the header opens in this line and closes 60 lines below"),
    ):
        with pytest.raises(TableError, match=words):
            open_table(write("t.csv", content))


@pytest.mark.parametrize(
    ("changes", "column", "lost"),
    [
        ({10: '10,"good 0,no', 40: '40,good" 0,no'}, "note", 30),
        ({10: '10,"good 0,no', 40: '40,"good 0,no'}, "note", 30),
        ({10: '10,"good 0,no', 11: '11,good" 0,yes'}, "note", 1),
        ({10: '"10,good 0,no', 20: '20",good 0,no'}, "x", 10),
        ({10: '10,good 0,"no', 20: '20,good 0,no"'}, "label", 10),
        ({40: '40,good 0,"no'}, "label", 19),
    ],
)
def test_rows_that_stray_quotes_swallow_are_told(changes, column, lost, write):
    for separator, suffix in ((",", "csv"), (";", "csv"), ("\t", "tsv")):
        for ends in ("\n", "\r\n"):
            content = with_rows(changes).replace(",", separator).replace("\n", ends)
            table = open_table(write(f"t.{suffix}", content))
            assert len(table) == 60 - lost
            (problem,) = table.problems
            assert problem.column == column
            assert f"{lost} row" in problem.reason
            assert f"first: line {min(changes) + 2})" in problem.reason
            assert "table.quotes=none" in problem.cure
    whole = open_table(write("t.csv", with_rows(changes)), TableConfig(quotes="none"))
    assert (len(whole), whole.problems) == (60, ())


def test_swallowed_rows_among_texts_with_line_breaks_are_told(write):
    rows = [f'{i},"line one\nline, two\nx, y",{["no", "yes"][i % 2]}' for i in range(50)]
    rows[20] = '20,"a,no\n21,b,yes\n22,c",no'
    table = open_table(write("t.csv", with_rows({}, rows)))
    assert "2 rows of the file" in told(table)


REVIEWS = {
    "three columns": (
        HEADER,
        [f'{i},"great, so\n{"and, so" if i % 4 else "bad"}\n\nend",no' for i in range(60)],
    ),
    "a comma in the first line": ("text,y", [f'"Nice, but\nbad {i}",{i % 2}' for i in range(60)]),
    "a comma in the last line": ("y,text", [f'{i % 2},"Nice\nbad, {i}"' for i in range(60)]),
    "a number after the comma": ("text,y", [f'"Score 1,5\nbad {i}",{i % 2}' for i in range(60)]),
    "rare": ("text,y", [f'"plain {i}",{i % 2}' if i != 30 else '"good, but\nso, so",1' for i in range(60)]),
    "code": (HEADER, [f'{i},"def f(a, b):\n    return a, b\n",no' for i in range(60)]),
    "a list": (HEADER, [f'{i},"- one\n- two\n- three, four",yes' for i in range(60)]),
}


@pytest.mark.parametrize("kind", REVIEWS)
def test_texts_with_line_breaks_are_no_swallowed_rows(kind, write):
    header, rows = REVIEWS[kind]
    table = open_table(write("t.csv", with_rows({}, rows, header)))
    assert (len(table), table.problems) == (60, ())


def test_cells_and_headers_longer_than_a_block(write):
    content = with_rows({5: '5,"' + "x " * 2_000_000 + '",no'}, header='x,"' + "n" * 500_000 + '",label')
    table = open_table(write("t.csv", content))
    assert len(table) == 60
    assert len(table.columns[1]) == 500_000


def test_what_the_reader_found_is_in_inspect_fit_and_json(write):
    path = write("t.csv", with_rows({10: '10,"good 0,no', 40: '40,good" 0,no'}))
    found = sensorium.inspect(path, "label")
    assert [(n["column"], n["rows"]) for n in found.notices if "30 rows of the file" in n["reason"]] == [("note", [])]
    model = sensorium.fit(path, "label", epochs=1, progress=False)
    assert ["30 rows" in p.reason for p in model.fit_problems if p.column == "note" and p.row is None].count(True) == 1
    assert any("30 rows of the file" in notice["reason"] for notice in model.card["notices"])


def test_random_texts_with_line_breaks_are_never_told(write):
    random = np.random.default_rng(0)
    words = ["good", "bad", "so", "film", "1", "5", "no", "yes"]
    marks = [" ", ", ", ". ", "\n", "\n\n", ",\n", "; "]
    for seed in range(20):
        texts = ["".join(random.choice(words) + random.choice(marks) for _ in range(9)) for _ in range(100)]
        rows = [f'{i},"{text.strip()} {seed}",{words[i % 2]}' for i, text in enumerate(texts)]
        table = open_table(write("t.csv", with_rows({}, rows)))
        assert (len(table), table.problems) == (100, ())
