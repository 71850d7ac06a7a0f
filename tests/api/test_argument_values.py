"""Arguments of models are checked before the table is read; paths and numbers of other libraries are accepted."""

import numpy as np
import pytest

import sensorium
from sensorium.errors import ConfigError
from tiers import tiered


@pytest.fixture(scope="module")
def fitted():
    table = {"x": [row % 13 / 2 for row in range(40)], "y": ["a", "b"] * 20}
    return sensorium.fit(table, "y", epochs=1, width=8, progress=False)


class Place:
    """A path that is no pathlib.Path."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


@pytest.mark.parametrize(
    ("method", "argument", "value"),
    [
        *[(method, "progress", "no") for method in ("predict", "predict_proba", "predictions", "evaluate", "adapt")],
        *[("evaluate", "subsets", "no"), ("evaluate", "split", 5)],
        *[("adapt", "method", 5), ("adapt", "method", ["adabn"]), ("adapt", "seed", "1"), ("adapt", "seed", -1)],
    ],
)
def test_methods_of_a_model(fitted, method, argument, value):
    with pytest.raises(ConfigError, match=f"{argument} cannot be") as caught:
        getattr(fitted, method)("no_such_table.csv", **{argument: value})
    assert caught.value.place == argument


def test_objects_that_return_a_path_are_paths(tmp_path):
    (tmp_path / "a.yaml").write_text("train: {epochs: 1}\nwidth: 8\n")
    (tmp_path / "t.csv").write_text("x,y\n" + "1.5,a\n2,b\n" * 20)
    table, config = Place(str(tmp_path / "t.csv")), Place(str(tmp_path / "a.yaml"))
    model = sensorium.fit(table, "y", config=config, out=Place(str(tmp_path / "run")), progress=False)
    assert len(model.predict(table)) == 40
    assert sensorium.inspect(table, "y", config=config).rows == 40
    assert len(sensorium.load(Place(str(tmp_path / "run"))).history) == 1


@pytest.mark.parametrize("seeds", tiered([np.arange(2)], [list(np.arange(2))]), ids=["array", "list"])
def test_seeds_may_be_numbers_of_numpy(seeds):
    table = {"x": [row % 13 / 2 for row in range(40)], "word": ["p", "q", "r", "s"] * 10, "y": ["a", "b"] * 20}
    chosen = {"modalities": {"word": "text"}, "fusions": "concat", "baselines": "none", "epochs": 1, "width": 8}
    compared = sensorium.compare(table, np.array("y"), seeds=seeds, **chosen, progress=False)
    assert compared.seeds == [0, 1] and all(type(seed) is int for seed in compared.seeds)
