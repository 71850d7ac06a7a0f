"""Letters behind numbers: powers of ten, bytes, credit and debit, or the letter of a house number."""

import json

import numpy as np
import pytest

import sensorium
from sensorium.modalities.number import Number, infer_notation, read_numbers
from sensorium.table import open_table

RANDOM = np.random.default_rng(0)


def many(*kinds, count=120):
    """Cells such as `569.1 B`: of each suffix some, whose numbers lie between bounds."""
    cells = []
    for row in range(count):
        suffix, low, high, places = kinds[row % len(kinds)]
        number = RANDOM.uniform(low, high)
        cells.append(f"{number:.{places}f}{suffix}")
    return cells


SIZES = many((" B", 100, 999, 1), (" K", 1, 999, 1), (" M", 1, 999, 1))
STATEMENT = many((" CR", 1, 900, 2), (" DR", 1, 900, 2))
CREDITS = many((" CR", 1, 900, 2), ("", 1, 900, 2), ("", 1, 900, 2))
HOUSES = many(("B", 1, 300, 0), *[("", 1, 300, 0)] * 6)


def notices(cells, **config):
    table = {
        "x": cells,
        "other": [row / 7 for row in range(len(cells))],
        "y": RANDOM.choice(["a", "b"], len(cells)).tolist(),
    }
    found = sensorium.inspect(table, "y", config=config)
    return found.columns[0], [said for said in found.notices if said["column"] == "x"]


def read(training, cells):
    """Values by a model that went through its file."""
    fields, arrays = Number.learn(open_table({"x": training}, text=["x"]).column("x")).state()
    learnt = Number.restore(json.loads(json.dumps(fields)), arrays)
    encoded = learnt.encode(open_table({"x": [*cells, "n.b."]}, text=["x"]).column("x"))
    return [
        pytest.approx(v, rel=1e-5, abs=1e-7 * learnt.deviation)
        for v in encoded.values[:-1, 0].astype(float) * learnt.deviation + learnt.mean
    ]


@pytest.mark.parametrize(
    ("training", "cells", "values", "said"),
    [
        (SIZES, ["512.5 B", "2 K", "1.5 M", "1 G", "3 MB"], [512.5, 2e3, 1.5e6, 1e9, 3e6], "B as bytes"),
        (many((" B", 1, 9, 0), (" KB", 1, 9, 0)), ["7 B", "2 KB"], [7, 2e3], "B as bytes"),
        (many(("B", 1, 9, 1), ("M", 1, 999, 0)), ["1.2B", "300M"], [1.2e9, 3e8], "not as byte"),
        (STATEMENT, ["12.50 CR", "12.50 DR", "1.00 Dr."], [12.5, -12.5, -1], "credit (+) and debit"),
        (CREDITS, ["97.60 CR", "136.78", "3.00 DR"], [97.6, 136.78, -3], "credit (+) and debit"),
        (HOUSES, ["98B", "249", "7M"], [98, 249, 7], "are ignored"),
    ],
)
def test_letters_are_read_as_the_sizes_of_the_numbers_say(training, cells, values, said):
    assert read(training, cells) == values
    column, [told] = notices(training)
    assert column.modality == "number" and said in told["reason"]
    assert told["reason"].count(" as ") >= 2  # an example of each suffix


@pytest.mark.parametrize(
    ("training", "cell", "value"),
    [
        (many((" Cr", 1, 90, 2)), "2.50 Cr", 2.5e7),
        ([f"₹{cell}" for cell in many((" Cr", 1, 90, 2), (" Lakh", 1, 90, 2))], "₹2.50 Cr", 2.5e7),
        (many((" Cr", 1, 90, 2), (" lakh", 1, 90, 2), ("", 1, 90, 2)), "2.50 Cr", 2.5e7),
    ],
)
def test_crores_stay_crores(training, cell, value):
    assert read(training, [cell]) == [value]


def test_a_letter_for_debit_or_credit_makes_no_number_and_is_told():
    cells = [cell.replace(".", ",") for cell in many((" S", 1, 900, 2), (" H", 1, 900, 2))]
    column, [told] = notices(cells, encoders={"x": "bilstm"})
    assert column.modality == "text"
    assert "debit or credit" in told["cure"]


def test_counts_with_a_suffix_in_few_cells_are_multiplied():
    cells = many(*[("", 1, 999, 0)] * 3, ("K", 1, 9, 1))
    assert read(cells, ["1.5K", "20"]) == [1500, 20]


def test_an_amount_of_zero_needs_no_suffix():
    wages = ["€0", "€0", *many(("K", 1, 300, 0), count=118)]
    wages = [cell if cell.startswith("€") else f"€{cell}" for cell in wages]
    column, told = notices(wages)
    assert column.modality == "number" and told == []
    assert read(wages, ["€0", "€12K"]) == [pytest.approx(0, abs=0.1), 12_000]


def test_a_target_with_credits_and_debits_says_how_they_are_read():
    table = {"x": [row / 7 for row in range(120)], "y": STATEMENT}
    model = sensorium.fit(table, "y", epochs=1, progress=False)
    [told] = [said for said in model.card["notices"] if "CR and DR" in said["reason"]]
    assert told["column"] == "y" and "--modality" not in told["cure"]
    assert model.task == "regression"


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
    column = open_table({"x": cells * 9}).column("x")
    found = read_numbers(column, infer_notation(column))[0].tolist()
    assert found[: len(cells)] == pytest.approx(expected, nan_ok=True)
