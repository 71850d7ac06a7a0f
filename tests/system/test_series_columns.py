"""Series from end to end: several lists as channels of one series, saved and loaded, beside other columns."""

import numpy as np
import pytest

import sensorium
from sensorium.testing import make_table


@pytest.fixture(scope="module")
def rows():
    """Two series and a number; some cells missing, of unequal length, with gaps. The trend of `open` is the label."""
    random = np.random.default_rng(0)
    table = {"open": [], "close": [], "size": [], "label": []}
    for _ in range(150):
        rises = bool(random.random() < 0.5)
        steps = int(random.integers(8, 20))
        walk = np.cumsum(random.normal(0.8 if rises else -0.8, 1, steps))
        table["open"].append([None if random.random() < 0.1 else float(v) for v in walk])
        late = (walk[int(random.integers(0, 4)) :] + random.normal(size=1)).tolist()
        table["close"].append(None if random.random() < 0.2 else late)
        table["size"].append(float(random.normal()))
        table["label"].append("up" if rises else "down")
    return table


@pytest.fixture(scope="module")
def model(rows):
    towers = {"prices": ["open", "close"]}
    return sensorium.fit(rows, "label", towers=towers, epochs=12, progress=False)


@pytest.mark.slow
def test_columns_of_one_tower_are_channels_of_one_series(model):
    towers = {tower.name: (tower.columns, tower.encoder) for tower in model.fitted.blueprint.towers}
    assert towers["prices"] == (["open", "close"], "gru")
    assert model.evaluate({**model_rows(model), "label": ["up", "down"]}).metrics["accuracy"] == 1.0


def model_rows(model):
    rise = np.linspace(0, 12, 15)
    return {"open": [rise.tolist(), (-rise).tolist()], "close": [rise.tolist(), (-rise).tolist()], "size": [0.0, 0.0]}


def test_a_saved_model_answers_the_same_bit_for_bit(model, rows, tmp_path):
    expected = model.predict_proba(rows)
    model.save(tmp_path / "model")
    again = sensorium.load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(rows), expected)
    assert again.predict(rows).tolist() == model.predict(rows).tolist()


@pytest.mark.parametrize("gone", ["open", "close", "size"])
def test_a_row_is_answered_whichever_series_it_lacks(model, rows, gone):
    left = {name: cells for name, cells in rows.items() if name != gone}
    shares = model.predict_proba(left)
    assert shares.shape == (150, 2) and np.isfinite(shares).all()


@pytest.mark.parametrize("encoder", ["tcn", "patch_transformer"])
def test_files_are_read_by_any_encoder(encoder, tmp_path):
    table = make_table(tmp_path, rows=60, modalities=["series", "number"])
    model = sensorium.fit(table, "label", encoders={"series": encoder}, epochs=1, progress=False)
    assert model.columns["series"] == "series"
    assert len(model.predict(table)) == 60


def test_a_list_of_texts_is_read_as_one_text():
    cells = [["good morning to you", None, "all the best to all"], ["bad news for all of us"], [], None] * 15
    table = {"messages": cells, "label": ["a", "b", "a", "b"] * 15}
    plan = sensorium.inspect(table, "label").columns[0]
    assert plan.modality == "text"
    model = sensorium.fit(table, "label", epochs=4, progress=False)
    whole = {"messages": ["good morning to you\nall the best to all", "bad news for all of us"]}
    lists = {"messages": cells[:2]}
    assert np.array_equal(model.predict_proba(lists), model.predict_proba(whole))
