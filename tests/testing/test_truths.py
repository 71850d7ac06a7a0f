"""Made tables of which it is known whether fusing helps: the truth holds for the best model there could be."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from sensorium.testing import make_truth
from sensorium.testing.truths import HELPS, TRUTHS

ROWS = 6000


def areas(truth):
    """Of a logistic model with products of the first dimensions: left, right, both; learnt from half of the rows."""
    table = make_truth(truth, rows=ROWS, seed=1)
    left, right = np.array(table["left"]), np.array(table["right"])
    label = np.array(table["label"]) == "yes"
    both = np.concatenate([left, right, left[:, :1] * right[:, :1]], 1)

    def area(matrix):
        model = LogisticRegression(max_iter=500).fit(matrix[: ROWS // 2], label[: ROWS // 2])
        return roc_auc_score(label[ROWS // 2 :], model.decision_function(matrix[ROWS // 2 :]))

    return area(left), area(right), area(both)


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_best_answer_from_both_is_better_only_where_it_is_said_to_be(truth):
    left, right, both = areas(truth)
    assert (both - max(left, right) > 0.03) == (truth in HELPS)
    told = {"nothing": (0, 0), "noise": (1, 0), "redundant": (1, 1), "unique": (1, 1), "synergistic": (0, 0)}
    assert (left > 0.6, right > 0.6) == told[truth]


@pytest.mark.unit
def test_in_the_redundant_table_one_modality_is_the_other_turned():
    table = make_truth("redundant", rows=50)
    left, right = np.array(table["left"]), np.array(table["right"])
    turn = np.linalg.lstsq(left, right, rcond=None)[0]
    assert left @ turn == pytest.approx(right)
    assert turn @ turn.T == pytest.approx(np.eye(6))


@pytest.mark.unit
def test_the_same_seed_makes_the_same_table():
    assert make_truth("unique", rows=20, seed=3) == make_truth("unique", rows=20, seed=3)
    assert make_truth("unique", rows=20, seed=3) != make_truth("unique", rows=20, seed=4)
