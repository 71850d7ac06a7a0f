"""Dates beside what is none, and times with a zone beside times without one."""

import pandas as pd
import pytest

import sensorium
from sensorium.modalities.date import Date
from sensorium.table import open_table
from tiers import tiered


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


TIMES = [f"2021-{1 + row % 12:02d}-{1 + row % 28:02d}T{row % 23:02d}:15" for row in range(60)]
NAIVE = pd.Series(pd.to_datetime(TIMES))
FORMS = {
    "typed": (NAIVE, NAIVE.dt.tz_localize("Asia/Tokyo"), NAIVE.dt.tz_localize("UTC")),
    "text": (TIMES, [f"{text}+09:00" for text in TIMES], [f"{text}Z" for text in TIMES]),
}


@pytest.mark.parametrize(
    ("form", "written"), tiered([("typed", "text"), ("text", "typed")], [("typed", "typed"), ("text", "text")])
)
def test_a_time_with_a_zone_is_told_where_training_has_none_and_the_reverse(form, written):
    numbers = [row / 7 for row in range(60)]

    def told(training, cells):
        model = sensorium.fit({"t": training, "x": numbers, "y": numbers}, "y", epochs=1, progress=False)
        found = model.predictions({"t": cells, "x": numbers}).problems
        return [problem for problem in found if "zone" in problem.reason]

    naive, aware, _ = FORMS[form]
    other_naive, other_aware, other_utc = FORMS[written]
    shifted, unnamed = told(naive, other_aware), told(aware, other_naive)
    assert [problem.row for problem in shifted] == [problem.row for problem in unnamed] == list(range(60))
    assert "converted to UTC" in shifted[0].reason and "without a zone" in shifted[0].cure
    assert "read as UTC" in unnamed[0].reason and "with its zone" in unnamed[0].cure
    assert not told(naive, other_naive) and not told(aware, other_aware) and not told(naive, other_utc)


def test_days_of_training_are_not_shifted_by_a_zone_unseen():
    days = column([text[:10] for text in TIMES])
    [told] = Date.learn(days).encode(column(["2021-01-01T00:00+09:00"])).problems
    assert "converted to UTC" in told.reason


ZEROS = ["0000-00-00", "0000-00-00 00:00:00", "00.00.0000", "0000-00-00T00:00:00.000Z"]


@pytest.mark.slow
@pytest.mark.parametrize("zero", ZEROS)
@pytest.mark.parametrize("every", tiered([2, 12], [4]))
def test_zero_dates_of_databases_are_gaps_and_told_once(zero, every):
    cells = [zero if row % every == 0 else text.replace("T", " ") for row, text in enumerate(TIMES)]
    table = {"sent": cells, "x": [row / 7 for row in range(60)], "y": [row % 5 / 3 for row in range(60)]}
    found = sensorium.inspect(table, "y").columns[0]
    assert found.modality == "date" and f"{60 // every} cells" in found.caution
    model = sensorium.fit(table, "y", epochs=1, progress=False)
    [told] = [said for said in model.card["notices"] if said["column"] == "sent"]
    assert "0000-00-00" in told["reason"] and "read as missing" in told["reason"]
    assert not [problem for problem in model.fit_problems if problem.column == "sent" and problem.row is not None]


@pytest.mark.parametrize("other", ["1614556800", "2021-13-45"])
def test_columns_of_dates_and_others_are_told_as_such(other):
    cells = [other if row % 4 == 0 else text[:10] for row, text in enumerate(TIMES)]
    found = sensorium.inspect({"sent": cells, "x": [row / 7 for row in range(60)]}).columns[0]
    assert found.modality in ("text", "category")
    assert "45 of 60 cells of sent are dates" in found.caution and repr(other) in found.caution
    assert "telephone" not in found.caution and "--modality sent=date" in found.caution
