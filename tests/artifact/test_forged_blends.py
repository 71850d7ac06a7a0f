"""Forged members of a blend are refused when the model is loaded."""

import numpy as np
import pytest
from blends import COLUMNS, blended
from forging import ARRAYS, forge, put, refused
from safetensors import numpy as safe_numpy

import sensorium
from sensorium.errors import ArtifactError
from sensorium.testing import make_table

LINEAR, TREES = 1, 2


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forged-blend")
    table = make_table(folder, rows=40, classes=3, modalities=COLUMNS)
    blended(table).save(folder / "model")
    return folder / "model"


def test_an_unchanged_blend_loads(saved, tmp_path):
    assert len(sensorium.load(forge(saved, tmp_path / "m")).members) == 3


def test_evidence_is_pooled_of_classes_only(saved, tmp_path):
    """Weights of evidence may have any sum; a mean has shares, and amounts have no logarithms of probabilities."""
    table = make_table(tmp_path / "table", rows=40, modalities=COLUMNS)
    pooled = forge(saved, tmp_path / "log", put("pooling", value="log"))
    assert sensorium.load(pooled).predict_proba(table).sum(1) == pytest.approx(1)
    refused(forge(saved, tmp_path / "odd", put("pooling", value="sum")), "not valid")
    refused(forge(saved, tmp_path / "mean", lambda model: model.update(pooling="mean") or grow(model)), "sum to 1")


def grow(model):
    model["members"][0]["weight"] *= 2


@pytest.mark.parametrize("weights", [[0.5, 0.5, 0.5], [1.2, -0.1, -0.1], [1.0, 0.0, 0.0], [1, 1, 1], ["a", 0.5, 0.5]])
def test_weights_that_are_not_shares_are_refused(weights, saved, tmp_path):
    def change(model):
        for member, weight in zip(model["members"], weights, strict=True):
            member["weight"] = weight

    refused(forge(saved, tmp_path / "m", change), "not valid")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((LINEAR, "name"), "forest"),
        ((LINEAR, "name"), "trees"),
        ((TREES, "name"), "linear"),
        ((LINEAR, "name"), "../linear"),
        ((LINEAR, "kind"), "network"),
        ((LINEAR, "temperature"), [1.0, 1.0]),
        ((LINEAR, "temperature"), 0.0),
        ((LINEAR, "towers"), {}),
        ((LINEAR, "towers"), {"text": []}),
        ((LINEAR, "towers"), {"text": ["gone"]}),
        ((LINEAR, "towers"), {"text": ["text"]}),
        ((LINEAR, "towers"), {"text": ["text", "text"]}),
        ((LINEAR, "state"), {}),
        ((LINEAR, "state"), []),
        ((LINEAR, "state", "odd"), 1),
        ((LINEAR, "state", "classes"), 2),
        ((LINEAR, "state", "classes"), 10**9),
        ((LINEAR, "state", "seen"), [[0, 1, 9]]),
        ((LINEAR, "state", "models"), []),
        ((LINEAR, "state", "features", "columns"), []),
        ((TREES, "state", "features", "form"), "linear"),
        ((TREES, "state", "models", 0, "count"), 7),
        ((TREES, "state", "models", 0, "features_count"), 10**9),
    ],
)
def test_every_entry_of_an_estimator_is_checked(path, value, saved, tmp_path):
    refused(forge(saved, tmp_path / "m", put("members", *path, value=value)))


def arrays_of(folder, member=""):
    """Name → array of the estimators, without empty ones, in which few things can be wrong."""
    arrays = safe_numpy.load((folder / ARRAYS).read_bytes())
    return {name: value for name, value in arrays.items() if name.startswith(f"members/{member}") and value.size}


def changed(name, how):
    """Change one array; None removes it."""

    def change(arrays):
        found = how(arrays.pop(name))
        if found is not None:
            arrays[name] = found

    return change


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        lambda value: None,
        lambda value: value[:-1],
        lambda value: value[..., None],
        lambda value: value.astype(np.int64 if value.dtype.kind == "f" else np.float64),
    ],
    ids=["removed", "shorter", "deeper", "dtype"],
)
def test_no_array_of_an_estimator_is_taken_in_another_form(how, saved, tmp_path):
    names = arrays_of(saved)
    assert {name.split("/")[1] for name in names} == {str(LINEAR), str(TREES)}
    for number, name in enumerate(names):
        refused(forge(saved, tmp_path / str(number), arrays=changed(name, how)))


@pytest.mark.slow
def test_numbers_of_an_estimator_that_are_not_finite_are_refused(saved, tmp_path):
    names = [name for name, value in arrays_of(saved).items() if value.dtype.kind == "f"]
    for number, name in enumerate(names):
        refused(forge(saved, tmp_path / str(number), arrays=changed(name, lambda value: value * np.nan)), "finite")


@pytest.mark.parametrize(
    ("member", "field", "wrong"),
    [
        (LINEAR, "idf", 1e300),
        (LINEAR, "idf", -1.0),
        (LINEAR, "scale", 5e-324),
        (TREES, "directions", 3e38),
        (TREES, "value", 1.7e308),
    ],
)
def test_numbers_of_an_estimator_whose_use_would_overflow_are_refused(member, field, wrong, saved, tmp_path):
    names = [name for name in arrays_of(saved, member) if name.endswith(f".{field}")]
    assert names
    for number, name in enumerate(names):
        change = changed(name, lambda value: np.full_like(value, wrong))
        refused(forge(saved, tmp_path / str(number), arrays=change), "not valid")


def test_an_empty_array_that_claims_a_width_is_refused(saved, tmp_path):
    """Its product with a matrix without columns would need terabytes."""
    (keys,) = (name for name in arrays_of(saved, TREES) if name.endswith(".keys"))
    block = keys.removesuffix("keys")

    def change(arrays):
        arrays |= {f"{block}{field}": arrays[f"{block}{field}"][:0] for field in ("keys", "idf")}
        arrays[f"{block}directions"] = np.zeros((0, 10**12), np.float32)

    refused(forge(saved, tmp_path / "m", arrays=change), "components")


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered")
def test_scores_that_are_not_finite_are_an_error(tmp_path):
    """The coefficients of words play no part in the rows that are predicted while the model is loaded."""
    table = make_table(tmp_path / "table", rows=40, modalities=COLUMNS)
    blended(table, "number").save(tmp_path / "good")
    arrays = arrays_of(tmp_path / "good", LINEAR)
    words = len(arrays["members/1/0.0.keys"])

    def change(arrays):
        arrays["members/1/1.coefficients"][:, :words] = 3e38

    forged = forge(tmp_path / "good", tmp_path / "m", put("task", "state", "deviation", value=1e300), arrays=change)
    model = sensorium.load(forged)
    for asked in (model.predict, model.evaluate, lambda table: model.evaluate(table, subsets=True)):
        with pytest.raises(ArtifactError, match="are not finite"):
            asked(table)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *((field, wrong) for field in ("left", "right", "roots") for wrong in (10**6, -1, 0)),
        *(("feature", wrong) for wrong in (10**6, -1)),
    ],
)
def test_nodes_of_trees_that_lead_nowhere_or_in_circles_are_refused(field, wrong, saved, tmp_path):
    (name,) = (name for name in arrays_of(saved, TREES) if name.endswith(f".{field}"))
    refused(forge(saved, tmp_path / "m", arrays=changed(name, lambda value: np.full_like(value, wrong))))


@pytest.mark.parametrize("name", ["members/0/odd", "members/1/odd", "members/9/odd", "members/x/odd", "members/odd"])
def test_arrays_of_no_member_are_refused(name, saved, tmp_path):
    refused(forge(saved, tmp_path / "m", arrays=lambda arrays: arrays.update({name: np.zeros(1)})))
