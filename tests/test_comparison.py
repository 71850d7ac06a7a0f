"""Does fusing help? An honest answer on tables where it does and where it doesn't."""

import json

import numpy as np
import pytest

import sensorium
from sensorium.comparison import USUAL
from sensorium.errors import ConfigError
from sensorium.registry import fusions

ROWS = 600


def table(noise):
    """Two texts; each tells the label of a part of the rows, or the second nothing at all."""
    random = np.random.default_rng(0)
    label = random.integers(0, 3, ROWS)

    def words(share):
        return [f"about topic{k} today" if random.random() < share else "nothing said today" for k in label]

    return {"one": words(0.7), "two": words(0.0 if noise else 0.7), "label": [f"k{k}" for k in label]}


def compare(given, **settings):
    kinds = {"one": "text", "two": "text"}
    return sensorium.compare(given, "label", modalities=kinds, epochs=6, progress=False, **settings)


def test_where_both_tell_a_part_fusing_is_said_to_help():
    found = compare(table(noise=False), fusions=["concat", "weighted_sum"], split={"test": 0.3})
    assert found.difference.interval[0] > 0
    assert f"{found.best_fused} beats {found.best_single} alone" in found.verdict
    scores = {result.name: result.validation for result in found.results}
    assert found.best_single == max(("one", "two"), key=scores.get)
    assert found.best_fused == max(("concat", "weighted_sum"), key=scores.get)


def test_where_one_is_noise_no_gain_is_claimed():
    found = compare(table(noise=True), fusions=["concat"])
    assert found.best_single == "one"
    assert found.difference.interval[0] <= 0
    assert "beats" not in found.verdict


def test_every_fusion_is_compared_on_the_same_rows(tabular, tmp_path):
    found = sensorium.compare(tabular, "label", fusions=["all"], epochs=1, out=tmp_path, progress=False)
    assert [result.name for result in found.results] == ["tabular", "text", *fusions.names()]
    assert len({result.evaluation.n for result in found.results}) == 1
    written = json.loads((tmp_path / "comparison.json").read_text())
    assert written == found.to_json()
    assert set(written["difference"]) == {"metric", "value", "interval", "p"}
    for line in written["results"]:
        assert set(line) == {
            "name", "modalities", "fusion", "metrics", "intervals", "seconds", "parameters", "runs", "gain",
        }  # fmt: skip
        assert line["modalities"] == (["tabular", "text"] if line["fusion"] else [line["name"]])
    for result in found.results:
        assert sensorium.load(tmp_path / result.name).evaluate(tabular).metrics == pytest.approx(
            result.evaluation.metrics, nan_ok=True
        )
        assert result.parameters > 0
        assert result.seconds > 0


def test_a_fusion_of_each_kind_is_compared_by_default(tabular):
    found = sensorium.compare(tabular, "label", epochs=1, progress=False)
    assert [result.fusion for result in found.results if result.fusion] == list(USUAL)


@pytest.mark.parametrize(
    ("settings", "match"),
    [({"columns": ["one"]}, "one modality only"), ({"split": {"test": 0}}, "no test rows")],
)
def test_what_cannot_be_compared_is_refused(settings, match):
    with pytest.raises(ConfigError, match=match):
        compare(table(noise=False), **settings)


def test_of_several_seeds_the_means_are_told_and_compared(tmp_path):
    found = compare(table(noise=False), fusions=["concat", "late"], seeds=2, out=tmp_path)
    assert found.seeds == [0, 1] and found.verdict.endswith("(means of 2 seeds)")
    alone = [compare(table(noise=False), fusions=["concat", "late"], seeds=[seed]) for seed in found.seeds]
    for place, result in enumerate(found.results):
        runs = [other.results[place].runs[0] for other in alone]
        assert result.runs == runs and len(set(map(id, runs))) == 2
        assert result.evaluation.metrics["accuracy"] == pytest.approx(np.mean(runs))
        assert (result.gain is None) == (result.fusion is None)
    gains = {result.name: result.gain.value for result in found.results if result.gain}
    assert found.difference.value == gains[found.best_fused]
    assert all(r.p >= r.gain.p for r in found.results if r.gain)
    assert sensorium.load(tmp_path / "concat").predict(table(noise=False)) is not None


def test_a_single_modality_that_validation_passed_over_is_still_held_against_fusing():
    """Validation rows say that the first is the better one, test rows that the second is as good as both together."""
    random = np.random.default_rng(0)
    label, split = random.integers(0, 2, ROWS), np.array(["train", "train", "validation", "test"] * (ROWS // 4))
    tells = {"one": np.where(split == "test", 0.3, 1.0), "two": np.where(split == "validation", 0.3, 1.0)}
    given = {
        name: [f"about topic{k} today" if luck < share else "nothing said" for k, luck, share in rows]
        for name, own in tells.items()
        for rows in [list(zip(label, random.random(ROWS), own, strict=True))]
    }
    found = compare(given | {"label": label, "split": split}, fusions=["concat"])
    assert found.best_single == "one"
    assert "concat beats one alone" in found.verdict
    assert "; but no difference shown between concat and two alone" in found.verdict


def test_without_a_seed_nothing_can_be_compared():
    with pytest.raises(ConfigError, match="no seed"):
        compare(table(noise=True), seeds=[])
