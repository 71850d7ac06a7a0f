"""Forged conformal predictors: they are refused when the model is loaded."""

import numpy as np
import pytest
from forging import forge, put, refused

import sensorium


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    random = np.random.default_rng(0)
    label = random.integers(0, 3, 80)
    table = {"size": random.normal(label, 1), "kind": np.array(["a", "b", "c"])[label].tolist()}
    folder = tmp_path_factory.mktemp("conformal") / "model"
    split = ["train", "val"] * 40
    model = sensorium.fit({**table, "split": split}, "kind", preset="fast", epochs=1, width=8, progress=False)
    model.save(folder)
    return folder


def state(model):
    return model["conformal"][0]["state"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (put("conformal", value=[{"target": "", "state": {}}]), "not valid"),
        (put("conformal", 0, "target", value="price"), "no target of the model"),
        (lambda m: m["conformal"].append(m["conformal"][0]), "belongs|not valid|two conformal"),
        (lambda m: state(m).update(labels=7), "another number"),
        (lambda m: state(m)["names"].__setitem__(1, ["scan"]), "modalities that the model lacks"),
        (lambda m: state(m).update(method="labels"), "does not suit"),
        (lambda m: state(m).update(rows=[1] * len(state(m)["rows"])), "does not fit the number of rows"),
        (put("conformal", value=[]), "belongs to no part"),
    ],
)
def test_forged_conformal_scores_are_refused(change, match, saved, tmp_path):
    refused(forge(saved, tmp_path / "forged", change), match)


def test_forged_arrays_of_scores_are_refused(saved, tmp_path):

    def change(arrays):
        arrays["conformal/0/scores"] = arrays["conformal/0/scores"][::-1].copy()

    refused(forge(saved, tmp_path / "forged", arrays=change), "do not ascend")
