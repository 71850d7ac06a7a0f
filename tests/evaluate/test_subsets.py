"""Scores with some modalities, against a model that is given no other column; Shapley values by definition."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

import sensorium
from sensorium.errors import SchemaError
from sensorium.evaluate import plan_subsets, score_subsets
from sensorium.evaluate.compare import compare_outcomes
from sensorium.metrics import Outcome
from sensorium.testing.tables import make_cell

ROWS = 90
KINDS = {"number": "tabular", "text": "text", "vector": "vector"}


def table(rows=ROWS, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, rows)
    made = {name: [make_cell(name, int(label), random, Path(), 0) for label in labels] for name in KINDS}
    for place, cells in enumerate(made.values()):
        for row in range(place, rows, 5 + place):
            cells[row] = None
    return {**made, "label": [f"class_{label}" for label in labels]}


@pytest.fixture(scope="module")
def fitted():
    return sensorium.fit(table(), "label", epochs=4, modalities={"vector": "vector"}, progress=False)


@pytest.fixture(scope="module")
def found(fitted):
    return fitted.evaluate(table(), "all", subsets=True)


def test_subsets_and_shapley_values_are_printed(found):
    lines = str(found).splitlines()
    start = next(place for place, line in enumerate(lines) if "with subsets of the modalities" in line)
    subsets, shares = found.subsets.results, found.subsets.shares
    shown = lines[start + 1 : start + 1 + len(subsets)]
    assert [line.partition("  ")[0].strip() for line in shown] == [" + ".join(one.modalities) for one in subsets]
    assert f"{subsets[0].value:.4g} (" in shown[0]
    assert lines[start + 1 + len(subsets)].startswith("Shapley values")
    assert [line.split()[0] for line in lines[start + 2 + len(subsets) :][: len(shares)]] == list(shares)


def test_every_subset_is_what_the_model_answers_when_it_is_given_no_other_column(fitted, found):
    assert [tuple(result.modalities) for result in found.subsets.results] == plan_subsets(list(KINDS))
    assert len(found.subsets.results) == 7
    rows = table()
    for result in found.subsets.results:
        fewer = {name: rows[name] for name in [*result.modalities, "label"]}
        expected = fitted.evaluate(fewer, "all")
        assert result.value == pytest.approx(expected.metrics["accuracy"])
        assert result.interval == pytest.approx(expected.intervals["accuracy"])
        some = [any(rows[name][row] is not None for name in result.modalities) for row in range(ROWS)]
        assert result.rows == sum(some)


def test_the_rest_of_the_evaluation_is_as_without(fitted, found):
    plain = fitted.evaluate(table(), "all").to_json()
    assert "subsets" not in plain
    asked = found.to_json()
    assert asked.pop("subsets")["metric"] == "accuracy"
    assert set(asked) == set(plain)
    assert asked["metrics"] == pytest.approx(plain["metrics"])


def made_outcomes(towers, seed=0, rows=80):
    """Answers that are the better the more modalities there are."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, rows)
    outcomes = {}
    for subset in plan_subsets(towers):
        yes = 1 / (1 + np.exp(-(len(subset) * (2 * truth - 1) + random.normal(0, 2, rows))))
        outcomes[subset] = Outcome(truth, np.stack([1 - yes, yes], 1), (yes > 0.5).astype(int))
    prior = Outcome(truth, np.tile([0.5, 0.5], (rows, 1)), np.zeros(rows, int))
    return outcomes, prior


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_shares_are_mean_gains_over_all_orders_and_add_up(metric):
    from sensorium.metrics import score

    towers = ("a", "b", "c", "d")
    outcomes, prior = made_outcomes(towers)
    found = score_subsets(outcomes, dict.fromkeys(outcomes, 80), prior, metric)
    sign = -1 if metric == "log_loss" else 1
    worth = {subset: sign * score(metric, outcome)[0] for subset, outcome in outcomes.items()}
    worth[()] = sign * score(metric, prior)[0]
    for name in towers:
        gains = []
        for order in itertools.permutations(towers):
            before = tuple(t for t in towers if t in order[: order.index(name)])
            after = tuple(t for t in towers if t in (*before, name))
            gains.append(worth[after] - worth[before])
        assert len(gains) == math.factorial(4)
        share = found.shares[name]
        assert share.value == pytest.approx(np.mean(gains))
        assert share.interval[0] < share.value < share.interval[1]
    assert sum(share.value for share in found.shares.values()) == pytest.approx(worth[towers] - worth[()])


def test_differences_are_paired_with_the_model_that_is_given_all():
    outcomes, prior = made_outcomes(("a", "b", "c"))
    found = score_subsets(outcomes, dict.fromkeys(outcomes, 80), prior, "log_loss")
    whole = outcomes["a", "b", "c"]
    for result in found.results[:-1]:
        expected = compare_outcomes(outcomes[tuple(result.modalities)], whole, "log_loss")
        assert result.difference.value == pytest.approx(expected.value)
        assert result.difference.interval == pytest.approx(expected.interval)
        assert result.difference.p == pytest.approx(expected.p)
    assert found.results[-1].difference is None


def test_of_many_modalities_fewer_subsets_are_listed_and_it_says_so():
    five, seven = tuple("abcde"), tuple("abcdefg")
    assert (len(plan_subsets(five)), len(plan_subsets(seven))) == (31, 15)
    for towers in (five, seven):
        outcomes, prior = made_outcomes(towers)
        found = score_subsets(outcomes, dict.fromkeys(outcomes, 80), prior, "accuracy")
        assert [len(result.modalities) for result in found.results] == [
            *[1] * len(towers), *[len(towers) - 1] * len(towers), len(towers)
        ]  # fmt: skip
        assert found.listed == "each alone, all but one, all"
        assert (found.shares is None) == (towers == seven)


def test_one_modality_has_no_subsets():
    rows = table()
    model = sensorium.fit({n: rows[n] for n in ("number", "label")}, "label", epochs=1, progress=False)
    with pytest.raises(SchemaError, match="one modality only: number"):
        model.evaluate(rows, "all", subsets=True)


def test_values_and_several_targets_have_subsets_too():
    rows = table(60)
    rows["amount"] = [float(label[-1]) + row / 60 for row, label in enumerate(rows["label"])]
    several = {
        **rows,
        "both": [{"label": la, "amount": am} for la, am in zip(rows["label"], rows["amount"], strict=True)],
    }
    settings = {"columns": list(KINDS), "modalities": {"vector": "vector"}, "epochs": 1, "progress": False}
    for target, metric in (("amount", "rmse"), ("both", "mean_score")):
        found = sensorium.fit(several, target, **settings).evaluate(several, "all", subsets=True)
        assert found.subsets.metric == metric
        assert all(np.isfinite(result.value) for result in found.subsets.results)
