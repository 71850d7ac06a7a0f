"""Numbers at prediction: cells are read by the notation of the training rows, or it is told why not."""

import json

import numpy as np
import pytest
import yaml

import sensorium
from sensorium.config import TableConfig
from sensorium.errors import ArtifactError
from sensorium.modalities.number import Number, robust_mean_and_deviation
from sensorium.table import open_table

PLAIN = ["0.5", "2.75", "12.25", "80", "33.1"]
COMMA = ["0,5", "2,75", "12,25", "80", "33,1"]
MIXED_PERCENT = ["50%", "0.25", "0.8", "0.1", "33%", "0.5", "0.9", "0.01", "0.7", "0.2", "0.3", "0.6"]


def column(cells, **settings):
    table = {"x": cells, "row": [f"r{i}" for i in range(len(cells))]}
    return open_table(table, TableConfig(**settings), text=["row"]).column("x")


def predicted(training, cells, **settings):
    """Values as read, and what is told of each cell, of a model that went through its file."""
    learnt = Number.learn(column(training * 20, **settings))
    fields, arrays = learnt.state()
    again = Number.restore(json.loads(json.dumps(fields)), arrays)
    encoded = again.encode(column(cells))
    values = encoded.values[:, 0].astype(float) * again.deviation + again.mean
    told = [[p.reason for p in encoded.problems if p.row == row] for row in range(len(cells))]
    return np.where(encoded.present, values, np.nan), told


@pytest.mark.parametrize(
    ("training", "cell", "value", "told"),
    [
        (PLAIN, "0,250", 0.25, "a decimal or thousands separator that"),
        (PLAIN, "1,234.5", 1234.5, "a decimal or thousands separator that"),
        (PLAIN, "1.234,5", 1234.5, "a decimal or thousands separator that"),
        (PLAIN, "1,250", None, "the comma may be a decimal or"),
        (PLAIN, "1.250", 1.25, ""),
        (PLAIN, "1,250,000", 1250000, "a decimal or thousands separator that"),
        (PLAIN, "50%", None, "a %"),
        (PLAIN, "$5", 5, "a currency"),
        (PLAIN, "5k", None, "a letter or word"),
        (PLAIN, "<5", 5, "not an exact number"),
        (PLAIN, "2018-12", None, "two numbers"),
        (PLAIN, "(5)", -5, ""),
        (PLAIN, "NA", None, ""),
        (PLAIN, "n.b.", None, "not a number"),
        (COMMA, "0,250", 0.25, ""),
        (COMMA, "1,250", 1.25, ""),
        (COMMA, "1.250", None, "the point may be a decimal or"),
        (COMMA, "0.250", 0.25, "a decimal or thousands separator that"),
        (COMMA, "1.234,5", 1234.5, "a decimal or thousands separator that"),
        (COMMA, "12", 12, ""),
        ([*COMMA, "1.234,5"], "1.250", 1250, ""),
        (["106.300", "12.000", "7.250"] * 4 + ["1.234.567"], "106,300", None, "the comma may be a decimal or"),
        (["7.332,85 €", "950,50 €"], "€7,333", None, "the comma may be a decimal or"),
        (["7,332.85", "950.50"], "7.333", None, "the point may be a decimal or"),
        (["0,942", "2,08"], "1,234", 1.234, ""),
        ([*PLAIN, "1,234.5"], "1,250", 1250, ""),
        ([*PLAIN, "n.b.", "n.b."], "n.b.", None, ""),
        (["5%", "50%", "12.5%"], "7%", 7, ""),
        (["5%", "50%", "12.5%"], "7", None, "without %"),
        (["5%", "50%", "12.5%"], "0.07", None, "without %"),
        (MIXED_PERCENT, "7%", 0.07, ""),
        (MIXED_PERCENT, "0.07", 0.07, ""),
        (MIXED_PERCENT, "7", None, "without %"),
        (["$5", "$1,250.50"], "€7", None, "another currency than USD"),
        (["$5", "$1,250.50"], "7 USD", 7, ""),
        (["$5M", "$0.25M", "$0.0075M"], "$500k", 500000, ""),
        (["$5", "$1,250.50"], "$7k", None, "a letter or word"),
    ],
)
def test_a_cell_is_read_by_what_was_learnt_alone(training, cell, value, told):
    for cells in ([cell, "x"], [cell, "0.5"], [cell, "0,5", "1.234,5"]):  # whatever stands beside it
        values, reasons = predicted(training, cells)
        assert values[0] == pytest.approx(np.nan if value is None else value, rel=1e-4, abs=1e-5, nan_ok=True)
        assert bool(reasons[0]) == bool(told)
        assert not told or told in reasons[0][0]


def test_numbers_that_are_no_text_are_taken_by_their_value():
    values, reasons = predicted(COMMA, [0.5, 1.25, 80.0])
    assert values == pytest.approx([0.5, 1.25, 80])
    assert not any(reasons)
    values, reasons = predicted(["5%", "50%", "12.5%"], [0.5, 50.0])
    assert np.isnan(values).all()
    assert all("without %" in reason for [reason] in reasons)
    values, reasons = predicted(MIXED_PERCENT, [0.5, 50.0])
    assert values[0] == pytest.approx(0.5)
    assert np.isnan(values[1])


def test_whole_numbers_follow_the_notation_of_their_table():
    for other, read in ((["0,5", "1,25"], None), (["0.5", "1.25"], 1.25)):
        rows = {"x": ["1250", "17", "300"] * 20, "other": [*other, "2"] * 20}
        learnt = Number.learn(open_table(rows).column("x"))
        encoded = learnt.encode(column(["1.250", "7"]))
        assert encoded.present.tolist() == [read is not None, True]
        assert len(encoded.problems) == (read is None)


def test_a_model_without_a_notation_reads_as_it_did():
    old = Number(0, 1, np.zeros(1, np.float32)).encode(column(["1,200", "12%", "<5", "0.5", "x"]))
    assert old.values[:, 0] == pytest.approx([1200, 12, 5, 0.5, 0])
    assert old.present.tolist() == [True, True, True, True, False]


def table(cells):
    labels = ["p" if i % 2 else "q" for i in range(len(cells))]
    return {"x": cells, "z": [i * 7 % 11 / 10 for i in range(len(cells))], "y": labels}


def fit(cells, **settings):
    return sensorium.fit(table(cells), "y", train={"epochs": 1}, progress=False, **settings)


def test_what_is_dropped_and_guessed_is_said_once_by_fit_and_by_inspect():
    cells = [*["1,234", "2,500", "12,125"] * 25, *["n.b."] * 5]
    model = fit(cells)
    said = [str(group) for group in model.fit_problems.whole().groups() if group.column == "x"]
    assert sum("table.decimal" in line for line in said) == 1
    assert sum("'n.b.' in the training rows are read as missing" in line for line in said) == 1
    found = sensorium.inspect(table(cells), "y").columns[0]
    assert (found.reason + found.caution).count("table.decimal") == 1
    assert (found.reason + found.caution).count("'n.b.' are read as missing") == 1


def test_a_limit_is_a_number_and_a_column_that_says_so(tmp_path):
    cells = [f"{i / 4}" if i % 5 else "<5" for i in range(80)]
    model = fit(cells, calibrate="none")  # the labels say nothing: the bound would predict their frequencies
    assert model.columns == {"x": "number", "x.censored": "censored", "z": "number"}
    assert "x.censored marks them" in " ".join(map(str, model.fit_problems.whole().groups()))
    model.save(tmp_path / "m.zip")
    loaded = sensorium.load(tmp_path / "m.zip")
    found = loaded.predictions({"x": ["<5", "5", ">5", "5+"], "z": [0.5] * 4})
    answers = found.scores
    assert not found.problems
    assert len(np.unique(answers[:, 0].round(9))) == 3
    assert loaded.predict_proba({"x": [5.0], "z": [0.5]}) == pytest.approx(answers[1:2], rel=1e-6)


def test_limits_are_told_apart_from_values():
    from sensorium.registry import modalities

    cells = column(["<5", "5", ">100", "50+", None, "n/a"])
    encoded = modalities.load("censored").learn(cells).encode(cells)
    assert encoded.values[:, 0].tolist() == [-1, 0, 1, 1, 0, 0]
    assert encoded.present.tolist() == [True, True, True, True, False, False]


def test_limits_are_missing_where_that_is_set():
    cells = [f"{i / 4}" if i % 5 else "<5" for i in range(80)]
    for config in ({"table": {"censored": "missing"}}, {"modalities": {"x": {"censored": "missing"}}}):
        found = sensorium.inspect(table(cells), "y", config=config)
        assert [c.name for c in found.columns if c.modality] == ["x", "z"]
        assert "16 cells '<5' are read as missing, because table.censored=missing" in found.columns[0].reason
        assert len(found.columns[0].overview.figures["value"]) == 64


@pytest.mark.parametrize("far", [[1e9], [999999999, 999999999, -999999999]])
def test_a_few_values_far_off_are_told_and_do_not_squash_the_others(far):
    cells = [*np.random.default_rng(0).normal(50, 10, 400).tolist(), *far]
    learnt = Number.learn(column(cells))
    encoded = learnt.encode(column(cells))
    assert 5 < learnt.deviation < 20
    assert encoded.values[:400].std() == pytest.approx(1, rel=1e-6)
    assert np.abs(encoded.values).max() < 10
    found = sensorium.inspect({"x": cells, "y": ["a", "b"] * (len(cells) // 2) + ["a"] * (len(cells) % 2)}).columns[0]
    assert "outliers" in found.caution
    assert f"{far[0]:.10g}" in found.caution


@pytest.mark.parametrize("seed", range(5))
def test_long_tails_are_no_outliers(seed):
    random = np.random.default_rng(seed)
    for values in (
        random.normal(size=500),
        np.exp(random.normal(size=500) * 3),
        random.pareto(1.0, 5000),
        np.where(random.random(500) < 0.9, 0, random.random(500) * 1e6),
        np.full(50, 7.0),
    ):
        mean, deviation, far = robust_mean_and_deviation(values)
        assert not far.any()
        assert mean == pytest.approx(values.mean())
        assert deviation == pytest.approx(values.std() or 1.0)


# Values that are absurd, suffixes, sentinels.


def reasons_of(training, cells):
    return predicted(training, cells)[1]


@pytest.mark.parametrize("cell", ["9e9", "-9e9", "1e15", "9e30", "1e300", "-1e308", "1100"])
def test_a_value_far_beyond_the_training_rows_is_told(cell):
    training = [str(value) for value in range(1, 100)]
    [[reason]] = reasons_of(training, [cell])
    assert "far outside the training range (1 to 99), by more than 10 times" in reason


def test_a_plausible_value_is_not_told():
    training = [str(value) for value in range(1, 100)]
    assert not any(reasons_of(training, ["0", "-50", "500", "1000", "", "99"]))
    assert not any(reasons_of(["5", "5", "5"], ["5", "7", "50"]))
    assert not any(reasons_of(["-1e308", "1e308", "0"], ["1.7e308"]))
    assert len(reasons_of(["5", "5", "5"], ["9e9"])[0]) == 1


def test_a_heavy_tail_goes_on_without_a_word():
    random = np.random.default_rng(0)
    told = 0
    for _ in range(20):
        values = random.lognormal(7, 2, 1500)
        model = Number.learn(column([f"{value:.2f}" for value in values[:1000]]))
        told += len(model.encode(column([f"{value:.2f}" for value in values[1000:]])).problems)
    assert told <= 2  # of 10,000


def test_what_a_model_of_before_lacks_is_not_judged():
    fields, arrays = Number.learn(column(["1", "2", "3"] * 20)).state()
    old = {key: value for key, value in fields.items() if key not in ("lowest", "highest")}
    assert not Number.restore(old, arrays).encode(column(["9e9"])).problems


@pytest.mark.parametrize("ends", [{"lowest": 5.0, "highest": 1.0}, {"lowest": None}, {"highest": float("inf")}])
def test_ends_that_do_not_fit_are_refused(ends):
    fields, arrays = Number.learn(column(["1", "2", "3"] * 20)).state()
    with pytest.raises(ArtifactError, match="not valid"):
        Number.restore({**fields, **ends}, arrays)


def notes_of(cells):
    return [(found.reason, found.cure) for found in Number.learn(column(cells)).findings("x")]


def test_numbers_without_the_suffix_of_the_others_are_told():
    some = [f"{value / 10}M" for value in range(10, 295)]
    [(reason, _)] = notes_of([*some, *["3.6"] * 15])
    counts = "285 cells with a suffix and 15 cells without in the training rows"
    assert reason == f"{counts}: '1.0M' is read as 1000000, '3.6' as 3.6"
    assert not notes_of(some)
    assert not notes_of([*some, "0", "0.0"])
    assert not notes_of(["3.6", "7"] * 20)
    table = {"x": [*some, *["3.6"] * 15], "y": ["a", "b"] * 150}
    assert "15 cells without" in sensorium.inspect(table, target="y").columns[0].caution


def test_a_number_without_suffix_is_told_where_all_training_cells_had_one():
    some = ["1.5M", "2.25M", "7k", "0"]
    values, reasons = predicted(some, ["3.6M", "3.6", "1,234,567", "0"])
    assert values == pytest.approx([3.6e6, 3.6, 1234567, 0], rel=1e-3, abs=1)
    assert [bool(found) for found in reasons] == [False, True, True, False]
    assert "without a suffix" in reasons[1][0]
    assert "without a suffix" in reasons_of(some, [3.6])[0][0]
    assert not any(reasons_of([*some, "12"], ["3.6", "3.6M"]))


SMALL = [str(value) for value in range(1, 100)] * 3


@pytest.mark.parametrize("cell", ["-999", "9999", "-9999.0", "999", "-99", "99999.00"])
def test_nines_outside_of_the_other_values_are_told_with_the_setting_that_empties_them(cell):
    cells = [*SMALL, *[cell] * 10]
    [(reason, cure)] = notes_of(cells)
    assert reason.startswith(f"10 cells ({cell!r}) in the training rows lie far from the other values")
    setting = yaml.safe_load(cure.split("'")[1].split("=", 1)[1])
    emptied = column(cells, missing=setting)
    assert not Number.learn(emptied).notes
    assert emptied.data.null_count == 10
    assert sensorium.inspect({"x": cells}).columns[0].caution


def test_nines_that_did_not_arrive_as_text_are_emptied_too():
    for code in (-999, -999.0):
        cells = [*map(type(code), range(1, 99)), *[code] * 5]
        [(_, cure)] = notes_of(cells)
        assert column(cells, missing=yaml.safe_load(cure.split("'")[1].split("=", 1)[1])).data.null_count == 5


def test_percent_beside_fractions_is_one_thing_in_a_feature_a_target_and_a_fit():
    """A share of the fractions exceeds 1, as some of those with % exceed 100."""
    cells = [f"{row * 2}%" if row % 2 else f"{row * 0.02:.2f}" for row in range(60)]
    table = {"p": cells, "z": [row / 7 for row in range(60)], "y": ["a", "b", "c"] * 20}
    feature, target = sensorium.inspect(table, "y").columns[0], sensorium.inspect(table, "p").target
    assert "fractions" in feature.reason and "fractions" in target["reason"]
    assert not feature.caution and not target["caution"] and not feature.undecodable
    model = sensorium.fit(table, "p", epochs=1, progress=False)
    assert not model.card["notices"] and not [found for found in model.fit_problems if found.column == "p"]
    training = [f"{row}%" if row % 2 else f"{row * 0.01:.2f}" for row in range(60)]
    values, told = predicted(training, ["0.5", "50%", "50"])
    assert values[:2] == pytest.approx([0.5, 0.5], abs=1e-6) and np.isnan(values[2])
    assert told[2] == ["a number without % that is too large for a fraction: read as missing"]


def made(kind, code, typed):
    """150 cells of which every tenth is a code."""
    random = np.random.default_rng(0)
    values = {
        "temperatures": random.uniform(-20, 35, 150).round(1),
        "counts": random.integers(19, 2981, 150),
        "answers": random.integers(1, 8, 150),
        "years": random.integers(1950, 2021, 150),
    }[kind].astype(str if typed is str else float)
    return [typed(code) if row % 10 == 0 else typed(value) for row, value in enumerate(values.tolist())]


@pytest.mark.parametrize("typed", [str, float])
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("temperatures", "-99.9"),
        ("temperatures", "999.9"),
        ("counts", "9999"),
        ("answers", "-9"),
        ("years", "0"),
        ("years", "1900"),
    ],
)
def test_codes_near_the_other_values_are_told_of_a_feature_and_of_a_target(kind, code, typed):
    cells = made(kind, code, typed)
    table = {"x": cells, "other": [row / 7 for row in range(150)], "y": ["a", "b", "c"] * 50}
    [of_feature] = [said for said in sensorium.inspect(table, "y").notices if said["column"] == "x"]
    assert of_feature["reason"].startswith("15 cells") and "lie far from" in of_feature["reason"]
    setting = yaml.safe_load(of_feature["cure"].split("'")[1].split("=", 1)[1])
    assert of_feature["cure"].startswith("--set 'modalities.x.missing")
    emptied = sensorium.inspect(table, "y", config={"modalities": {"x": {"missing": setting}}})
    assert emptied.columns[0].missing == 15 and not emptied.columns[0].caution
    found = sensorium.inspect(table, "x", config={"task": "regression"}).notices
    assert any("lie far from" in said["reason"] for said in found)


def test_a_fit_says_that_its_labels_hold_a_code():
    random = np.random.default_rng(0)
    labels = [-999 if row % 9 == 0 else int(random.integers(1, 500)) for row in range(90)]
    model = sensorium.fit({"x": random.normal(size=90), "y": labels}, "y", epochs=1, progress=False)
    [told] = [said for said in model.card["notices"] if "lie far from" in said["reason"]]
    assert told["column"] == "y" and "'-999'" in told["reason"] and "table.missing" in told["cure"]


@pytest.mark.parametrize("seed", range(5))
def test_ordinary_columns_hold_no_sentinels(seed):
    random = np.random.default_rng(seed)
    for values in (
        random.normal(0, 30, 300).round(1),
        random.lognormal(4, 1.5, 300).round(),
        random.poisson(90, 300),
        random.geometric(0.01, 300),
        random.choice([9, 19, 49, 99, 199, 499, 999, 9999], 300),
        np.where(random.random(300) < 0.4, 0, random.normal(1000, 20, 300).round()),
        np.where(random.random(300) < 0.1, 1900, random.integers(1901, 2020, 300)),
    ):
        assert not Number.learn(column(values)).notes


def test_values_among_the_others_are_no_sentinels():
    assert not notes_of([*SMALL, *["99"] * 10])
    assert not notes_of([*SMALL, "250", "999"])  # one cell
    assert not notes_of([*map(str, range(0, 1500, 5)), *["999"] * 10])
    assert not notes_of([*map(str, range(-2000, 0, 5)), *["-999"] * 10])
    assert not notes_of([*SMALL, *["1000"] * 10])  # no nines
    assert not notes_of([*map(str, range(0, 50000, 500)), *["99999"] * 10])


def test_the_cure_of_a_limit_does_not_ask_for_a_limit():
    model = Number.learn(column(["<5", "7.5", "12"] * 20), censored="missing")
    [problem] = model.encode(column(["<5"])).problems
    assert "like the training cells" not in problem.cure
    assert "table.censored=limit" in problem.cure
