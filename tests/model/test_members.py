"""A fitted model averages the scores of its members, of whatever kind they are."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

import sensorium
from sensorium.errors import ArtifactError, ConfigError

ROWS = 60
TABLE = {
    "size": [float(k * 7 % 23) for k in range(ROWS)],
    "note": [["light rain today", "dry and warm"][k % 2] for k in range(ROWS)],
    "label": ["a" if k % 2 else "b" for k in range(ROWS)],
}


@dataclass(frozen=True)
class Constant:
    """It reads one column and gives the same scores to every row."""

    shares: tuple[float, float] = (0.9, 0.1)
    columns = ("size",)
    towers = ("size",)
    tower_columns = {"size": ("size",)}  # noqa: RUF012
    kind = "estimator"
    name = "constant"
    temperature = 1.0

    def scores(self, task, inputs):
        assert list(inputs.prepared.columns) == ["size"]
        return np.tile(self.shares, (len(inputs), 1))

    def subset_scores(self, task, inputs, subsets):
        there = np.array(["size" in subset for subset in subsets])[:, None] & inputs.has_any()
        return np.tile(self.shares, (len(subsets), len(inputs), 1)), there

    def weights(self):
        return {"shares": torch.tensor(self.shares)}

    def uncalibrated(self):
        return self


@pytest.fixture(scope="module")
def model():
    return sensorium.fit(TABLE, "label", epochs=1, config={"width": 8}, progress=False)


def blended(model, weights):
    return sensorium.Model(replace(model.fitted, members=[*model.fitted.members, Constant()], member_weights=weights))


@pytest.fixture(scope="module")
def joined(model):
    return blended(model, [0.5, 0.5])


def test_scores_are_the_mean_of_the_members_scores(model, joined):
    rows = {"size": [1.0, None], "note": ["dry and warm", "light rain today"]}
    alone = model.predict_proba(rows)
    expected = [(alone[0] + [0.9, 0.1]) / 2, alone[1]]  # a member without its column leaves its weight to the others
    assert joined.predict_proba(rows) == pytest.approx(np.array(expected))
    assert (joined.predict_proba(rows)[0] == np.mean([alone[0], [0.9, 0.1]], axis=0)).all()  # to the last bit


def test_scores_are_averaged_with_the_weights_of_the_members(model):
    rows = {"size": [1.0, None, None], "note": ["dry and warm", "light rain today", None]}
    alone, found = model.predict_proba(rows), blended(model, [0.25, 0.75]).predict_proba(rows)
    assert found[0] == pytest.approx(0.25 * alone[0] + 0.75 * np.array([0.9, 0.1]))
    assert found[1] == pytest.approx(alone[1])
    assert found[2].tolist() == model.fitted.prior


@pytest.mark.parametrize("weights", [[1.0], [0.5, 0.6], [1.5, -0.5], [1.0, 0.0], [float("nan"), 1.0]])
def test_weights_are_positive_and_sum_to_one(model, weights):
    with pytest.raises(ConfigError, match="weights"):
        blended(model, weights)


def test_the_mean_of_members_has_a_temperature_of_its_own(model, joined):
    rows = {"size": [1.0, 2.0, None], "note": ["dry and warm", None, None]}
    found = sensorium.Model(replace(joined.fitted, blend_temperature=0.5)).predict_proba(rows)
    squares = joined.predict_proba(rows) ** 2
    assert found[:2] == pytest.approx((squares / squares.sum(1, keepdims=True))[:2])
    assert found[2].tolist() == model.fitted.prior
    plain = sensorium.Model(replace(joined.fitted, blend_temperature=0.5).uncalibrated())
    assert (plain.predict_proba(rows) == joined.predict_proba(rows)).all()
    few = {name: values[:20] for name, values in TABLE.items()}
    again = sensorium.Model(replace(joined.fitted, blend_temperature=0.5))
    found = again.evaluate(few, "all", subsets=True).subsets
    assert found.results[-1].value == pytest.approx(again.evaluate(few, "all").metrics[found.metric])


def test_a_blend_without_a_network_predicts_and_says_what_needs_one(model):
    alone = sensorium.Model(replace(model.fitted, members=[Constant()], member_weights=()))
    assert alone.predict_proba({"size": [1.0, None]}).tolist() == [[0.9, 0.1], model.fitted.prior]
    assert repr(alone).endswith("from size by constant>")
    assert alone.members == [{"name": "constant", "kind": "estimator", "weight": 1.0, "modalities": ["size"]}]
    for use in (
        lambda: alone.fusion,
        lambda: alone.fitted.network,
        lambda: alone.quantize(),
        lambda: alone.adapt({"size": [1.0, 2.0]}),
        lambda: sensorium.fit(TABLE, "label", start=alone, progress=False),
    ):
        with pytest.raises(ConfigError, match=r"no network|members constant"):
            use()


def test_what_needs_a_single_network_is_refused_for_a_blend(joined):
    for use in (
        lambda: joined.adapt({"size": [1.0, 2.0]}),
        lambda: sensorium.fit(TABLE, "label", start=joined, progress=False),
    ):
        with pytest.raises(ConfigError, match="with the members network, constant"):
            use()
    assert joined.members == [
        {"name": "network", "kind": "network", "weight": 0.5, "modalities": ["tabular"]},
        {"name": "constant", "kind": "estimator", "weight": 0.5, "modalities": ["size"]},
    ]
    assert repr(joined).endswith("from tabular, size by network + constant>")


def test_subsets_are_scored_by_every_member(model, joined):
    rows = {name: values[:20] for name, values in TABLE.items()}
    found = joined.evaluate(rows, "all", subsets=True).subsets
    given = [tuple(result.modalities) for result in found.results]
    assert given == [("tabular",), ("size",), ("tabular", "size")]
    assert [result.rows for result in found.results] == [20, 20, 20]
    assert found.results[-1].value == joined.evaluate(rows, "all").metrics[found.metric]


def test_digest_and_size_count_every_member(model, joined):
    assert joined.fitted.digest() != model.fitted.digest()
    assert joined.weight_bytes == model.weight_bytes + 8
    assert joined.fitted.networks == [model.fitted.network]


def test_a_member_that_the_format_does_not_hold_is_not_saved(joined, tmp_path):
    with pytest.raises(ArtifactError, match="a member of type Constant cannot be saved"):
        joined.save(tmp_path / "m")
    assert not (tmp_path / "m").exists()
