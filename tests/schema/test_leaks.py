"""Columns that know the answer too well are pointed out, others are not."""

import numpy as np
import pytest

import sensorium
from sensorium.testing import make_table

pytestmark = pytest.mark.unit


def cautions(columns, target="label", **config):
    found = sensorium.inspect(columns, target, config=config)
    return {column.name: column.caution for column in found.columns}


@pytest.fixture
def random():
    return np.random.default_rng(0)


def test_notes_that_state_the_outcome_are_pointed_out(random):
    sick = random.random(200) < 0.4
    notes = [f"seen on day {i % 7}, {'infection confirmed' if s else 'excluded'}" for i, s in enumerate(sick)]
    found = cautions({"notes": notes, "label": ["sick" if s else "well" for s in sick]})["notes"]
    assert "'excluded'" in found and "100% of the rows" in found and "--exclude notes" in found


def test_a_category_that_is_the_label_in_other_words_is_pointed_out(random):
    label = random.integers(0, 3, 300)
    found = cautions({"code": [f"K{k}{random.integers(4)}" for k in label], "label": [f"class {k}" for k in label]})
    assert "with one label only" in found["code"]


def test_a_number_that_is_the_target_in_another_unit_is_pointed_out(random):
    price = random.normal(10, 2, 100)
    table = {"cents": 100 * price, "size": price + random.normal(0, 2, 100), "price": price}
    found = cautions(table, "price")
    assert "correlation with the target is 1.0000" in found["cents"]
    assert found["size"] == ""


@pytest.mark.slow
def test_columns_that_merely_help_raise_no_alarm(tmp_path):
    found = sensorium.inspect(make_table(tmp_path, rows=400), "label")
    assert not [column for column in found.columns if "label only" in column.caution]


def test_labels_by_chance_raise_no_alarm(random):
    words = ["red", "green", "blue", "big", "small", "old", "new"]
    texts = [" ".join(random.choice(words, 4)) for _ in range(500)]
    assert (
        "label only"
        not in cautions({"remark": texts, "label": list(random.choice(["a", "b"], 500, p=[0.9, 0.1]))})["remark"]
    )


def test_the_path_of_a_file_is_no_leak(tmp_path):
    table = make_table(tmp_path, rows=60, modalities=["image"])
    lines = table.read_text().splitlines()
    for line in lines[1:]:
        path, label = line.split(",")
        (tmp_path / label).mkdir(exist_ok=True)
        (tmp_path / path).rename(tmp_path / label / path.rpartition("/")[2])
    moved = [f"{line.split(',')[1]}/{line.split(',')[0].rpartition('/')[2]},{line.split(',')[1]}" for line in lines[1:]]
    table.write_text("\n".join([lines[0], *moved]))
    found = sensorium.inspect(table, "label")
    assert found.columns[0].modality == "image" and found.columns[0].caution == ""


@pytest.mark.parametrize(("split", "hinted"), [({}, True), ({"group": "patient_id"}, False)])
def test_rows_of_one_patient_are_to_be_kept_together(random, split, hinted):
    table = {
        "patient_id": [f"p{i // 3}" for i in range(90)],
        "x": random.normal(size=90),
        "label": ["a", "b", "b"] * 30,
    }
    assert ("split.group=patient_id" in cautions(table, split=split)["patient_id"]) == hinted
