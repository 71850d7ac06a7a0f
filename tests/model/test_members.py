"""A fitted model averages the scores of its members, of whatever kind they are."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

import sensorium
from sensorium.errors import ArtifactError

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

    def scores(self, task, prepared, rows):
        assert list(prepared.columns) == ["size"]
        return np.tile(self.shares, (len(rows), 1))

    def subset_scores(self, task, prepared, subsets, rows):
        there = np.array([["size" in subset and prepared.has_any()[row] for row in rows] for subset in subsets])
        return np.tile(self.shares, (len(subsets), len(rows), 1)), there

    def weights(self):
        return {"shares": torch.tensor(self.shares)}

    def uncalibrated(self):
        return self


@pytest.fixture(scope="module")
def model():
    return sensorium.fit(TABLE, "label", epochs=1, config={"width": 8}, progress=False)


@pytest.fixture(scope="module")
def joined(model):
    return sensorium.Model(replace(model.fitted, others=[Constant()]))


def test_scores_are_the_mean_of_the_members_scores(model, joined):
    rows = {"size": [1.0, None], "note": ["dry and warm", "light rain today"]}
    alone = model.predict_proba(rows)
    expected = (
        alone + np.array([[0.9, 0.1], model.fitted.prior])
    ) / 2  # a row without its column gets the prior from a member
    assert joined.predict_proba(rows) == pytest.approx(expected)


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
