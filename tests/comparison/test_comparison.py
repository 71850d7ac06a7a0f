"""Does fusing help? An honest answer on tables where it does and where it doesn't."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

import sensorium
from sensorium.comparison import USUAL, Result
from sensorium.comparison._judge import _Judge, judge
from sensorium.errors import ConfigError, TrainingError, UnknownNameError
from sensorium.fusion import BaseFusion, stack
from sensorium.metrics import Outcome
from sensorium.registry import fusions
from sensorium.testing import make_truth
from sensorium.testing.truths import FUSIONS, SMALL, TRUTHS
from sensorium.trials import Cost, TrialResult, run_trial
from sensorium.wording import verdict_sentence
from tiers import tiered

ROWS = 600
RUN = "sensorium.trials._runner.run_trial"


def table(noise):
    """Two texts; each tells the label of a part of the rows, or the second nothing at all."""
    random = np.random.default_rng(0)
    label = random.integers(0, 3, ROWS)

    def words(share):
        return [f"about topic{k} today" if random.random() < share else "nothing said today" for k in label]

    return {"one": words(0.6), "two": words(0.0 if noise else 0.6), "label": [f"k{k}" for k in label]}


def compare(given, **settings):
    kinds = {"one": "text", "two": "text"}
    return sensorium.compare(given, "label", modalities=kinds, progress=False, **{"epochs": 6} | settings)


@pytest.mark.slow
def test_where_both_tell_a_part_fusing_is_said_to_help():
    found = compare(table(noise=False), fusions=["concat", "weighted_sum"], split={"test": 0.3})
    assert found.difference.interval[0] > 0
    assert found.helps and found.recommended == found.best_fused
    assert found.finding.kind == "helps" and found.verdict == verdict_sentence(found.finding)
    assert found.verdict.startswith(f"Fusion helps here: {found.best_fused} fusion gains +")
    assert f"over {found.best_single} alone (95% interval" in found.verdict
    scores = {result.name: result.validation for result in found.results}
    assert found.best_single == max(("one", "two"), key=scores.get)
    assert found.best_fused == max(("concat", "weighted_sum"), key=scores.get)


@pytest.mark.slow
def test_where_one_is_noise_no_gain_is_claimed():
    found = compare(table(noise=True), fusions=["concat"])
    assert found.best_single == "one"
    assert found.difference.interval[0] <= 0
    assert not found.helps
    assert found.verdict.startswith("Fusion does not help here: concat fusion")
    assert found.verdict.endswith(
        f" Use {'one alone' if found.recommended == 'one' else f'the baseline {found.recommended}'}."
    )


@pytest.mark.slow
def test_every_fusion_is_compared_on_the_same_rows(tabular, tmp_path):
    found = sensorium.compare(tabular, "label", fusions=["all"], epochs=1, out=tmp_path, progress=False)
    assert [result.name for result in found.results] == ["tabular", "text", *fusions.names(), "linear", "trees"]
    assert len({result.evaluation.n for result in found.results}) == 1
    written = json.loads((tmp_path / "comparison.json").read_text())
    assert written == found.to_json()
    assert set(written["difference"]) == {"metric", "value", "interval", "p"}
    for line in written["results"]:
        assert set(line) == {
            "name", "kind", "modalities", "fusion", "metrics", "intervals", "seconds", "parameters", "peak_memory_mb",
            "energy_j", "rows_per_second", "runs", "validation", "gain",
        }  # fmt: skip
        assert line["modalities"] == ([line["name"]] if line["kind"] == "single" else ["tabular", "text"])
        assert (line["fusion"] is None) == (line["kind"] != "fusion")
        assert line["seconds"] > 0 and line["rows_per_second"] > 0 and line["peak_memory_mb"] >= 0
    for result in found.results:
        if result.kind == "baseline":
            assert not (tmp_path / result.name).exists()
            continue
        assert sensorium.load(tmp_path / result.name).evaluate(tabular).metrics == pytest.approx(
            result.evaluation.metrics, nan_ok=True
        )
        assert result.cost.parameters > 0


@pytest.mark.slow
def test_a_fusion_of_each_kind_is_compared_by_default(tabular):
    found = sensorium.compare(tabular, "label", baselines=["none"], epochs=1, progress=False)
    assert [result.fusion for result in found.results if result.fusion] == list(USUAL)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("settings", "match"),
    [({"columns": ["one"]}, "only one modality"), ({"split": {"test": 0}}, "no test rows")],
)
def test_what_cannot_be_compared_is_refused(settings, match):
    with pytest.raises(ConfigError, match=match):
        compare(table(noise=False), **settings)


@pytest.mark.slow
def test_of_several_seeds_the_means_are_told_and_compared(tmp_path):
    few = {"fusions": ["concat"], "baselines": ["linear"], "epochs": 2}
    found = compare(table(noise=False), seeds=2, out=tmp_path, **few)
    assert found.seeds == [0, 1] and found.verdict.endswith(" All figures are means of 2 seeds.")
    alone = [compare(table(noise=False), seeds=[seed], **few) for seed in found.seeds]
    for place, result in enumerate(found.results):
        runs = [other.results[place].runs[0] for other in alone]
        assert result.runs == (runs if result.kind != "baseline" else runs[:1])
        assert result.evaluation.metrics["accuracy"] == pytest.approx(np.mean(runs))
        assert (result.gain is None) == (result.kind == "single")
    gains = {result.name: result.gain.value for result in found.results if result.gain}
    assert found.difference.value == gains[found.best_fused]
    assert all(r.p >= r.gain.p for r in found.results if r.gain)
    assert sensorium.load(tmp_path / "concat").predict(table(noise=False)) is not None


@pytest.mark.slow
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
    found = compare(given | {"label": label, "split": split}, fusions=["concat"], baselines=["none"])
    assert found.best_single == "one"
    assert found.difference.helps and not found.helps and found.recommended == "two"
    assert found.verdict.startswith("Fusion does not help here: concat fusion gains +")
    assert "over one alone (" in found.verdict and "). It is not shown to beat every modality: " in found.verdict
    assert found.finding.unbeaten.model.name == "two"
    assert found.verdict.endswith(" Use two alone.")


@pytest.mark.unit
def test_without_a_seed_nothing_can_be_compared():
    with pytest.raises(ConfigError, match="seeds cannot be"):
        compare(table(noise=True), seeds=[])


@pytest.mark.slow
def test_a_baseline_that_does_better_is_said():
    """One epoch of networks, against trees and a linear model that learn all there is."""
    given = make_truth("unique", rows=600, strength=3.0)
    found = sensorium.compare(given, "label", fusions=["concat"], progress=False, **SMALL | {"train": {"epochs": 1}})
    best = {result.name: result for result in found.results}[found.best_baseline]
    assert best.kind == "baseline" and best.fusion is None and best.modalities == ["left", "right"]
    assert found.baseline_difference.helps
    assert found.recommended == found.best_baseline
    assert f" A classical model does better: the baseline {found.best_baseline} gains +" in found.verdict


@pytest.mark.slow
def test_baselines_can_be_chosen_or_left():
    given, settings = make_truth("nothing", rows=120), {"fusions": ["concat"], "epochs": 1, "progress": False}
    found = sensorium.compare(given, "label", baselines=["linear"], **settings)
    assert [result.name for result in found.results] == ["left", "right", "concat", "linear"]
    found = sensorium.compare(given, "label", baselines=["none"], **settings)
    assert (found.best_baseline, found.baseline_difference) == (None, None)
    with pytest.raises(UnknownNameError, match="did you mean 'trees'"):
        sensorium.compare(given, "label", baselines=["tree"], **settings)


@pytest.mark.slow
def test_a_baseline_that_cannot_be_trained_is_left_out_with_a_reason(monkeypatch):
    given, settings = make_truth("nothing", rows=120), {"fusions": ["concat"], "epochs": 1, "progress": False}
    several = given | {"other": np.arange(120) / 2}
    found = sensorium.compare(several, ["label", "other"], **settings)
    tasks = "binary, count, multiclass, multilabel, ordinal, regression"
    assert found.left_out["trees"] == f"it supports {tasks}, not several"
    with pytest.raises(ConfigError, match="baseline 'linear'"):
        sensorium.compare(several, ["label", "other"], baselines=["linear"], **settings)
    monkeypatch.setattr("sensorium.baselines._plan.PATIENCE", 0.0)
    found = sensorium.compare(given, "label", **settings)
    assert "request it with --baselines trees" in found.left_out["trees"]


@pytest.mark.slow
def test_verdicts_are_right_where_the_truth_is_known():
    """Fifteen tables; the figures of 280 are in benchmarks/README.md."""
    settings = {"fusions": FUSIONS, "baselines": ["none"], "progress": False, **SMALL}
    claims = {
        truth: [
            sensorium.compare(
                make_truth(truth, rows=600, strength=3.0, seed=seed), "label", seed=seed, **settings
            ).helps
            for seed in range(3)
        ]
        for truth in TRUTHS
    }
    assert sum(sum(claims[truth]) for truth in ("nothing", "noise", "redundant")) <= 1
    assert sum(claims["unique"]) >= 2
    assert sum(claims["synergistic"]) >= 2


@pytest.mark.slow
def test_a_comparison_goes_on_where_it_was_killed(tmp_path, monkeypatch):
    """Finished networks are taken where rows, settings and the saved model are the same, and trained anew elsewhere."""
    trained = []
    monkeypatch.setattr(RUN, lambda data, spec, control: trained.append(spec) or run_trial(data, spec, control))
    table, settings = make_truth("unique", rows=200), {"baselines": ["none"], "epochs": 1, "progress": False}

    def go(given=table, fusions=("concat", "late"), **more):
        trained.clear()
        return sensorium.compare(given, "label", fusions=fusions, out=tmp_path, **settings | more)

    monkeypatch.setattr("sensorium.comparison._sweep.judge", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        go(fusions=["concat"])
    monkeypatch.undo()
    monkeypatch.setattr(RUN, lambda data, spec, control: trained.append(spec) or run_trial(data, spec, control))
    found = go()
    assert [spec.name for spec in trained] == ["late"]
    again = go()
    assert not trained and again.to_json() == found.to_json()
    assert go(seeds=2).results[0].runs[0] == found.results[0].runs[0] and len(trained) == 4
    go(train={"learning_rate": 0.01}, overwrite=True)
    assert len(trained) == 4
    go(overwrite=True)
    assert len(trained) == 4  # the folders hold models of other settings by now
    other = {name: list(cells) for name, cells in table.items()}
    other["left"][0] = [9.0] * 6
    go(other, overwrite=True)
    assert len(trained) == 4
    for record in (tmp_path / ".finished").glob("*.json"):
        before, name, scores = record.read_bytes().partition(b'"scores"')
        record.write_bytes(before + name + scores.replace(b"1", b"2", 1))  # still a number
    go(other)
    assert len(trained) == 4


def failing(monkeypatch, *names):
    """Training of these modalities and fusions diverges."""

    def train(data, spec, control):
        if spec.name in names:
            return TrialResult(spec, error=TrainingError("the loss is nan in epoch 1"))
        return run_trial(data, spec, control)

    monkeypatch.setattr(RUN, train)


QUICK = {"baselines": ["none"], "epochs": 1, "progress": False}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "none_left"),
    [(["left", "late"], ""), (["left", "right"], "no single modality"), (["concat", "late"], "no fusion")],
)
def test_a_network_that_diverges_is_left_out_and_ends_nothing(names, none_left, monkeypatch):
    failing(monkeypatch, *names)

    def go():
        return sensorium.compare(make_truth("unique", rows=120), "label", fusions=["concat", "late"], **QUICK)

    if none_left:
        with pytest.raises(TrainingError, match=f"{none_left}.*could be trained"):
            go()
        return
    found = go()
    assert found.left_out == dict.fromkeys(names, "the loss is nan in epoch 1")
    assert [result.name for result in found.results] == ["right", "concat"]
    assert (found.best_single, found.best_fused) == ("right", "concat")


@pytest.mark.slow
def test_a_baseline_that_breaks_is_left_out_with_the_library_s_words(monkeypatch):
    def full(*_):
        raise MemoryError("no room for the matrix")

    monkeypatch.setattr("sensorium.trials._baseline.summarize", full)
    given = make_truth("unique", rows=120)
    found = sensorium.compare(given, "label", fusions=["concat"], **QUICK | {"baselines": ["trees", "linear"]})
    assert found.left_out == dict.fromkeys(["trees", "linear"], "MemoryError: no room for the matrix")
    assert found.best_baseline is None


def test_the_best_is_chosen_by_all_validation_rows_and_the_model_that_is_saved(tmp_path):
    given = make_truth("unique", rows=200)
    given["left"] = [None if row % 2 else cell for row, cell in enumerate(given["left"])]
    settings = QUICK | {"train": {"metric": "log_loss"}, "split": {"validation": 0.4}}
    found = sensorium.compare(given, "label", fusions=["concat"], out=tmp_path, **settings)
    for result in found.results:
        told = sensorium.load(tmp_path / result.name).evaluate(given, "validation")
        assert result.validation == pytest.approx(told.metrics["log_loss"], rel=1e-5)


@pytest.mark.unit
@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_where_the_metric_is_not_defined_a_model_is_not_the_best(metric):
    values = [float("nan"), 0.5, float("nan")]
    court = _Judge([SimpleNamespace(kind="single", validation=value) for value in values], {}, metric)
    assert court.best("single").validation == 0.5


def decided(name, kind, right, validation, seconds=1.0):
    """A result that is right on so large a share of 200 test rows, and its answers."""
    truth = np.arange(200) % 2
    answers = np.where(np.arange(200) < right * 200, truth, 1 - truth)
    fusion = name if kind == "fusion" else None
    result = Result(name, kind, [name], fusion, None, [], validation, Cost(seconds, 1, None, None, 1.0))
    return result, Outcome(truth, np.eye(2)[answers], answers)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("seconds", "right", "told"),
    [
        (
            0.9,
            0.89,
            " A faster model is late fusion. It trains 10.0× faster and is not shown to be worse: it loses 0.5 "
            "points accuracy against wide fusion",
        ),
        (0.9, 0.75, ""),  # it is worse
        (4.0, 0.89, ""),  # hardly faster
    ],
)
def test_a_much_faster_fusion_that_is_not_shown_to_be_worse_is_told(seconds, right, told):
    pairs = [
        decided("left", "single", 0.6, 0.6), decided("wide", "fusion", 0.895, 0.9, 9.0),
        decided("late", "fusion", right, 0.8, seconds), decided("poor", "fusion", 0.895, 0.7, 0.5),
    ]  # fmt: skip
    pairs = pairs if told else pairs[:3]
    _, found = judge([result for result, _ in pairs], {r.name: [o] for r, o in pairs}, "accuracy", 1)
    assert found.recommended == "wide"
    assert told in found.verdict
    assert bool(told) == ("is not shown" in found.verdict)


@pytest.mark.unit
def test_of_modalities_that_fusing_does_not_beat_the_best_by_validation_is_recommended():
    """The one that is least beaten is the one that the sentence tells."""
    pairs = [
        decided("passed over", "single", 0.5, 0.9), decided("lucky", "single", 0.95, 0.6),
        decided("good", "single", 0.9, 0.8), decided("concat", "fusion", 0.9, 0.9),
    ]  # fmt: skip
    _, found = judge([result for result, _ in pairs], {r.name: [o] for r, o in pairs}, "accuracy", 1)
    assert found.best_single == "passed over" and not found.helps
    assert found.recommended == "good" and found.verdict.endswith(" Use good alone.")
    assert "lucky alone" in found.verdict


@pytest.mark.unit
@pytest.mark.parametrize(
    ("right", "others", "kind", "explained"),
    [
        (0.88, [], "hurts", False),
        (0.88, [0.88, 0.88], "does_not_help", False),  # significant alone, not among three
        (0.92, [], "helps", False),
        (0.92, [0.92, 0.92], "helps", True),
    ],
)
def test_a_verdict_agrees_with_the_corrected_p_value_or_says_why_not(right, others, kind, explained):
    pairs = [decided("text", "single", 0.9, 0.9), decided("concat", "fusion", right, 0.9)]
    pairs += [decided(f"other {place}", "fusion", share, 0.8) for place, share in enumerate(others)]
    results, found = judge([result for result, _ in pairs], {r.name: [o] for r, o in pairs}, "accuracy", 1)
    p = next(result.p for result in results if result.name == "concat")
    assert found.finding.kind == kind and found.difference.p < 0.05
    assert found.finding.to_json()["p_corrected"] == p
    assert (p >= 0.05) == bool(others)
    assert (f"corrected for all of its gains, is {p:.3f}" in found.verdict) == explained


def twice_as_good(*more):
    """Fusion beats the best single modality on the validation rows, and ties with two others."""
    pairs = [
        decided("passed over", "single", 0.5, 0.9), decided("lucky", "single", 0.91, 0.6),
        decided("good", "single", 0.9, 0.8), decided("concat", "fusion", 0.9, 0.9), *more,
    ]  # fmt: skip
    return judge([result for result, _ in pairs], {r.name: [o] for r, o in pairs}, "accuracy", 1)[1]


@pytest.mark.unit
def test_a_choice_that_test_rows_take_part_in_is_said_in_the_verdict():
    said = "Several modalities may be as good. The best of these on the validation rows is good alone."
    alone, beaten = twice_as_good(), twice_as_good(decided("trees", "baseline", 0.97, 0.9))
    assert alone.recommended == "good" and said in alone.verdict
    assert beaten.recommended == "trees" and beaten.verdict.endswith(" Use the baseline trees.")


@pytest.mark.unit
def test_each_sentence_of_a_verdict_has_one_model_of_reference():
    verdict = twice_as_good(decided("trees", "baseline", 0.97, 0.9)).verdict
    sentences = re.split(r"(?<=\.)\s+(?=[A-Z])", verdict)
    assert len(sentences) >= 4 and all(sentence.count("95% interval") <= 1 for sentence in sentences)


@pytest.mark.slow
def test_a_model_that_was_kept_is_that_of_these_labels_units_and_seed(tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(RUN, lambda data, spec, control: trained.append(spec) or run_trial(data, spec, control))
    table = make_truth("unique", rows=120)

    def count(given=table, **more):
        trained.clear()
        sensorium.compare(given, "label", fusions=["concat"], out=tmp_path, **QUICK | more)
        return len(trained)

    assert (count(seeds=[0, 1]), count(seeds=[0, 1])) == (6, 0)
    assert count(seeds=[1]) == 3  # the folders hold what the first seed made
    assert count(seeds=[1]) == 0
    surely = {**table, "label": ["surely" if cell == "yes" else cell for cell in table["label"]]}
    assert count(surely, seeds=[1], overwrite=True) == 3
    assert set(sensorium.load(tmp_path / "concat").predict(table)) <= {"surely", "no"}
    doubled = {**table, "left": [[2 * x for x in cell] for cell in table["left"]]}
    assert count(doubled, seeds=[1], overwrite=True) == 3


@pytest.mark.unit
def test_names_are_looked_up_before_anything_is_read():
    with pytest.raises(UnknownNameError, match=r"(?s)did you mean 'concat'.*did you mean 'trees'"):
        sensorium.compare("nowhere.csv", "label", fusions=["concta", "late"], baselines=["tree"], progress=False)
    with pytest.raises(ConfigError, match="no fusion to compare"):
        sensorium.compare("nowhere.csv", "label", fusions=[], progress=False)


@pytest.mark.slow
def test_by_default_what_only_both_modalities_together_tell_is_found():
    """By every fusion that can see it: `late` and `weighted_sum` add what each modality says."""
    kinds = {"left": "vector", "right": "vector"}
    found = sensorium.compare(make_truth("synergistic", rows=800), "label", modalities=kinds, progress=False)
    assert found.helps, found.verdict
    accuracy = {result.name: result.evaluation.metrics["accuracy"] for result in found.results}
    assert min(accuracy[name] for name in ("concat", "gated", "low_rank", "attention")) > 0.75, accuracy
    assert max(accuracy[name] for name in ("left", "right", "late", "weighted_sum")) < 0.65, accuracy


class concat(BaseFusion):  # noqa: N801 - the name of a registered fusion
    """A fusion of the user that has the name of a registered one."""

    def forward(self, tokens, present):
        return stack(tokens).mean(1)


@pytest.mark.slow
@pytest.mark.parametrize("chosen", tiered([["concat", concat]], [[concat, "concat"]]))
def test_your_own_fusion_is_compared_beside_a_registered_one_of_its_name(chosen):
    found = sensorium.compare(make_truth("unique", rows=120), "label", fusions=chosen, **QUICK)
    fused = {result.name: result.fusion for result in found.results if result.kind == "fusion"}
    assert fused == {"concat": "concat", "concat (your own fusion)": "module:concat"}


@pytest.mark.slow
def test_a_modality_may_have_the_name_of_a_model():
    table = make_truth("unique", rows=120)
    first, *others = [name for name in table if name != "label"]
    table = {"concat": table[first], "concat (fusion)": table[others[0]], "label": table["label"]}
    found = sensorium.compare(table, "label", fusions=["concat", concat], **QUICK)
    names = [result.name for result in found.results]
    assert {"concat", "concat (fusion)", "concat (fusion 2)", "concat (your own fusion)"} == {*names}
