"""An evaluation that scores training rows says so, whatever else has changed in the table."""

import json

import numpy as np
import pandas as pd
import pytest

import sensorium
from sensorium.errors import ArtifactError
from sensorium.split import seen_rows

FAST = {"train": {"epochs": 1}, "progress": False, "seed": 0}


def made(rows, seed, **more):
    random = np.random.default_rng(seed)
    days = pd.date_range("2020-01-01", periods=rows).astype(str)
    cells = {"size": random.normal(size=rows).round(4), "count": random.integers(0, 50, rows), "day": days}
    return pd.DataFrame(
        cells | {"kind": random.choice(["a", "b"], rows), "y": random.choice(["up", "down"], rows)} | more
    )


@pytest.fixture(scope="module")
def frame():
    return made(120, 1)


@pytest.fixture(scope="module")
def model(frame, tmp_path_factory):
    folder = tmp_path_factory.mktemp("seen")
    frame.to_csv(folder / "table.csv", index=False)
    sensorium.fit(folder / "table.csv", "y", out=folder / "run", **FAST)
    return sensorium.load(folder / "run")


def told(found):
    return [problem.reason for problem in found.problems if "training row" in problem.reason]


def trained(model):
    return model.card["rows"]["train"]


def edited(frame):
    return pd.concat([frame.iloc[:-1], frame.iloc[-1:].assign(size=99.0)])


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: pd.concat([frame, made(1, 7)]),
        lambda frame: pd.concat([frame, frame.iloc[:1].assign(size=7.5, count=0.5)]),
        lambda frame: frame.assign(more=1),
        lambda frame: frame.iloc[::-1],
        lambda frame: frame[frame.columns[::-1]],
        lambda frame: frame.assign(y=frame.y.str.replace("up", " up ")),
        edited,
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_training_rows_of_a_changed_table_are_counted(model, frame, change, suffix, tmp_path):
    changed = change(frame)
    path = tmp_path / f"other.{suffix}"
    changed.to_csv(path, index=False) if suffix == "csv" else changed.to_parquet(path, index=False)
    evaluation = model.evaluate(path)
    said = told(evaluation)
    assert len(said) == 1 and f"\n! {said[0]}" in str(evaluation)
    number, rows = said[0].split(" were")[0].split(" of ")
    assert trained(model) - 1 <= int(number) <= trained(model)
    assert rows == f"{len(changed)} rows"


def test_new_rows_and_the_test_rows_are_not(model, frame, tmp_path):
    frame.to_csv(tmp_path / "same.csv", index=False)
    assert told(model.evaluate(made(80, 2))) == []
    assert model.evaluate(tmp_path / "same.csv").rows == "test rows"
    assert told(model.evaluate(tmp_path / "same.csv")) == []
    assert told(model.evaluate(tmp_path / "same.csv", "train")) == []
    assert told(model.evaluate(tmp_path / "same.csv", "all")) == []  # who asks for all rows knows


def test_of_many_rows_some_tell_the_share(frame, monkeypatch):
    monkeypatch.setattr(seen_rows, "MOST", 40)
    monkeypatch.setattr(seen_rows, "LOOKED_AT", 90)
    model = sensorium.fit(frame, "y", **FAST)
    (said,) = told(model.evaluate(frame.iloc[::-1]))
    assert said.startswith("about ") and "of 120 rows were training rows" in said
    share = int(said.split()[1].rstrip("%"))
    assert abs(share - 100 * trained(model) / 120) < 25


def test_in_a_table_of_few_different_cells_new_rows_are_like_old_ones():
    random = np.random.default_rng(0)
    old, new = (
        pd.DataFrame({"kind": random.choice(list("abc"), 200), "y": random.choice(["up", "down"], 200)}) for _ in "ab"
    )
    assert told(sensorium.fit(old, "y", **FAST).evaluate(new)) == []


def test_pictures_of_another_folder_with_the_same_names_are_new(tmp_path):
    from PIL import Image

    random = np.random.default_rng(0)
    labels = ["up", "down"] * 20
    for folder in ("old", "new", "moved"):
        (tmp_path / folder).mkdir()
        for row in range(40):
            pixels = random.integers(0, 255, (8, 8, 3)).astype(np.uint8)
            where = tmp_path / folder / f"{row}.png"
            Image.fromarray(pixels).save(where)
            if folder == "moved":
                where.write_bytes((tmp_path / "old" / f"{row}.png").read_bytes())
        table = pd.DataFrame({"file": [f"{row}.png" for row in range(40)], "y": labels})
        table.assign(**({"more": 1} if folder == "moved" else {})).to_csv(tmp_path / folder / "table.csv", index=False)
    model = sensorium.fit(tmp_path / "old/table.csv", "y", **FAST)
    assert told(model.evaluate(tmp_path / "new/table.csv", "all")) == []
    assert told(model.evaluate(tmp_path / "moved/table.csv"))[0].startswith(f"{trained(model)} of 40 rows")


def test_a_continued_model_knows_the_rows_of_both_fits(model, frame):
    more = made(60, 5)
    longer = sensorium.fit(more, start=model, **FAST)
    assert told(longer.evaluate(frame.iloc[::-1]))[0].startswith(f"{trained(model)} of 120")
    assert told(longer.evaluate(more.iloc[::-1]))[0].startswith(f"{trained(longer)} of 60")


def content(folder):
    return json.loads((folder / "model.json").read_text())


@pytest.fixture
def rewritten(model, tmp_path):
    """Save the model with another entry of its rows."""
    from sensorium.artifact.format import ARRAYS, WEIGHTS, make_manifest
    from sensorium.files import MANIFEST

    def write(change):
        folder = tmp_path / "m"
        model.save(folder)
        found = content(folder)
        change(found)
        files = {name: (folder / name).read_bytes() for name in (ARRAYS, WEIGHTS)}
        files["model.json"] = json.dumps(found).encode()
        files[MANIFEST] = make_manifest(files, sensorium.__version__)
        for name, written in files.items():
            (folder / name).write_bytes(written)
        return folder

    return write


def test_a_model_saved_without_hashes_is_read(rewritten, frame):
    old = sensorium.load(rewritten(lambda found: found.pop("seen")))
    assert told(old.evaluate(frame.iloc[::-1])) == []


@pytest.mark.parametrize(
    "entry",
    [{"rows": 1}, {"rows": -1}, {"chance": 2.0}, {"chance": "0"}, {"hashes": "xyz"}, {"hashes": "0" * 15}, {"more": 1}],
)
def test_a_forged_entry_is_refused(rewritten, entry):
    with pytest.raises(ArtifactError, match="seen"):
        sensorium.load(rewritten(lambda found: found["seen"][0].update(entry)))
