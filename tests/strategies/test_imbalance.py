"""The technique only measures; training each modality alone settles what it finds, mitigations are tried."""

import importlib.util
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

import sensorium
from sensorium.errors import ConfigError, TrainingError
from sensorium.evaluate import Difference
from sensorium.model.card import Diagnosis, ImbalanceSigns, ModalitySigns
from sensorium.report import imbalance_text
from sensorium.strategies.imbalance import UnimodalResult, _settle
from sensorium.techniques._diagnosis import diagnose, mitigations_for, skill
from sensorium.techniques.modality_imbalance import _overfit_ratio
from sensorium.trials import TrialResult, run_trial
from sensorium.wording import diagnosis_sentence

ROWS = 160
RUN = "sensorium.trials._runner.run_trial"


def table(signal=2.0):
    """A code that tells the class of most rows, a vector that tells it as well as it has signal."""
    random = np.random.default_rng(0)
    y = random.integers(0, 3, ROWS)
    code = np.where(random.random(ROWS) < 0.85, y, random.integers(0, 3, ROWS))
    vector = signal * np.eye(3)[y] + random.normal(size=(ROWS, 3))
    return {"code": [f"c{c}" for c in code], "vector": vector.tolist(), "label": [f"k{k}" for k in y]}


def fit(rows, **train):
    split = {"validation": 0.25, "test": 0.25}
    kinds = {"vector": "vector", "code": "category"}
    return sensorium.fit(rows, "label", modalities=kinds, split=split, train={"epochs": 4, **train}, progress=False)


@pytest.fixture(scope="module")
def watched():
    return fit(table(), techniques=["modality_imbalance"])


def test_the_technique_changes_nothing(watched):
    rows = table()
    assert np.array_equal(watched.predict_proba(rows), fit(rows, techniques=[]).predict_proba(rows))


def test_its_figures_are_those_of_the_model_that_is_kept(watched):
    rows = table()
    found = watched.card["history"]["techniques"]["modality_imbalance"]
    subsets = watched.evaluate(rows, "validation", subsets=True).subsets
    values = {tuple(result.modalities): result.value for result in subsets.results}
    for name, other in (("code", "vector"), ("vector", "code")):
        signs = found["modalities"][name]
        assert signs["alone"] == pytest.approx(values[name,], abs=1e-5)
        assert signs["without"] == pytest.approx(values[other,], abs=1e-5)
        assert signs["gradient_norm"] > 0
    assert found["all"] == pytest.approx(values["code", "vector"], abs=1e-5)
    assert found["modalities"]["code"]["probe"] == pytest.approx(values["code",], abs=0.1)


def test_the_overfitting_ratio_is_the_gap_s_growth_over_the_gain():
    before = {"train": {"loss": 1.1}, "validation": {"loss": 1.2}}
    now = {"train": {"loss": 0.3}, "validation": {"loss": 0.7}}
    assert _overfit_ratio(before, now) == pytest.approx(((0.7 - 0.3) - (1.2 - 1.1)) / (1.2 - 0.7))
    assert np.isnan(_overfit_ratio(now, before))
    assert np.isnan(_overfit_ratio({"train": {"loss": 1.1}}, {"train": {"loss": 0.3}}))


def test_it_looks_before_the_first_step_and_after_each_epoch(watched):
    found = watched.card["history"]["techniques"]["modality_imbalance"]
    assert [epoch["number"] for epoch in found["epochs"]] == [0, 1, 2, 3, 4]
    assert all(epoch["gradient_norm"]["code"] > 0 for epoch in found["epochs"][1:])
    first, last = (found["epochs"][number]["alone"]["code"]["validation"]["loss"] for number in (0, 4))
    assert last < first
    every = fit(table(), techniques={"modality_imbalance": {"every": 2, "rows": 10}}).card["history"]["techniques"][
        "modality_imbalance"
    ]
    assert [epoch["number"] for epoch in every["epochs"]] == [0, 2, 4]
    assert every["epochs"][0]["all"] != found["epochs"][0]["all"]


def signs(alone, overfit=0.1):
    return ModalitySigns(
        alone=alone, alone_train=alone, without=0.5, probe=alone, overfit_ratio=overfit, gradient_norm=1.0
    )


def words(found, modalities):
    return diagnosis_sentence(
        ImbalanceSigns(
            metric="accuracy", rows="validation", all=0.9, chance=0.25, modalities=modalities, diagnosis=found
        )
    )


@pytest.mark.parametrize(
    ("alone", "state", "behind"),
    [
        ((0.9, 0.8), "even", []),
        ((0.9, 0.5), "uneven", ["b"]),
        ((0.4, 0.9), "uneven", ["a"]),
        ((0.26, 0.24), "nothing", []),
    ],
)
def test_a_modality_with_less_than_half_the_skill_of_the_leading_one_is_behind(alone, state, behind):
    modalities = dict(zip("ab", map(signs, alone), strict=True))
    found = diagnose(modalities, 0.25, metric="accuracy", task="multiclass")
    assert (found.state, found.behind) == (state, behind)
    assert all(repr(name) in words(found, modalities) for name in behind)
    assert bool(found.mitigations) == (state == "uneven")


def test_skill_is_the_way_from_chance_to_perfect():
    assert skill(0.7, 0.4, lower=False) == pytest.approx(0.5)
    assert skill(1.0, 4.0, lower=True) == pytest.approx(0.75)
    assert skill(float("nan"), 0.4, lower=False) == 0


def test_what_overfits_is_told():
    modalities = {"a": signs(0.9, 3.0), "b": signs(0.8)}
    found = diagnose(modalities, 0.25, metric="accuracy", task="binary")
    assert found.overfitting == ["a"]
    assert "modalities that overfit more than they generalize: 'a' (ratio 3);" in words(found, modalities)


def test_mitigations_suit_the_task():
    assert mitigations_for("multiclass") == ["auxiliary", "gradient_blending", "ogm_ge", "pmr"]
    assert mitigations_for("regression") == ["auxiliary", "gradient_blending"]


@pytest.fixture(scope="module")
def treated():
    return fit(table(), imbalance="always").card["imbalance"]


def test_all_mitigations_are_reported_beside_plain_training(treated):
    names = [result["name"] for result in treated["results"]]
    assert names == ["plain", *mitigations_for("multiclass"), "unimodal_pretraining"]
    validated = [result["validation"] for result in treated["results"]]
    assert treated["chosen"] == names[int(np.argmax(validated))]
    assert treated["results"][0]["difference"] is None
    for result in treated["results"][1:]:
        difference = result["difference"]
        gain = result["metrics"]["accuracy"] - treated["results"][0]["metrics"]["accuracy"]
        assert difference["value"] == pytest.approx(gain)
        assert difference["interval"][0] <= difference["value"] <= difference["interval"][1]
        assert difference["p_corrected"] >= difference["p"]
    assert set(treated["unimodal"]) == {"code", "vector"}
    json.dumps(treated)


@pytest.mark.slow
def test_unimodal_pretraining_takes_the_towers_as_they_are_and_trains_what_fuses_them(monkeypatch):
    """Of the mitigations only this one is left; its towers are those of the models of one modality, to the bit."""
    kept: dict[str, TrialResult] = {}

    def train(data, spec, control):
        if spec.name in mitigations_for("multiclass"):
            return TrialResult(spec, error=TrainingError("not this one"))
        run = run_trial(data, spec, control)
        kept["".join(spec.towers or [spec.name])] = run
        return run

    monkeypatch.setattr(RUN, train)
    found = fit(table(), imbalance="always", modality_dropout=0.0, select_by="metric")
    networks = {name: run.model.network for name, run in kept.items()}
    for name in ("code", "vector"):
        own = networks["unimodal_pretraining"].tower(name)
        assert equal(own, networks[name].tower(name))
        assert not equal(own, networks["plain"].tower(name))
    assert not equal(networks["unimodal_pretraining"].fusion, networks["plain"].fusion)
    assert found.card["imbalance"]["chosen"] == "unimodal_pretraining"
    settings = found.fitted.config.train
    assert settings.freeze == [] and settings.modality_dropout == 0.3  # as it was trained
    assert [result["name"] for result in found.card["imbalance"]["results"]] == ["plain", "unimodal_pretraining"]
    plain = found.card["imbalance"]["plain_signs"]["modalities"]
    for name, own in found.card["imbalance"]["unimodal"].items():
        assert plain[name]["alone"] == pytest.approx(own["in_fused"], abs=1e-6)
    told = "".join(printed(line) for line in imbalance_text(found.fitted.card))
    first, second = told.index("validation rows, in plain training"), told.index("in the kept model (unimodal_pretrain")
    assert first < second < told.index("plain training balances the modalities: 'code' reaches")


def printed(renderable):
    with io.StringIO() as stream:
        Console(file=stream, width=300).print(renderable)
        return stream.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("fusion", ["late", "transformer"])
def test_unimodal_pretraining_goes_with_fusions_of_decisions_and_of_tokens(fusion):
    kinds = {"vector": "vector", "code": "category"}
    train = {"imbalance": "always", "epochs": 1, "few_labels": "none"}
    found = sensorium.fit(table(), "label", modalities=kinds, fusion=fusion, train=train, progress=False).card
    assert "unimodal_pretraining" in [result["name"] for result in found["imbalance"]["results"]]


def test_a_model_that_is_continued_lends_its_towers_to_models_of_one_modality(watched, monkeypatch):
    kept: dict[str, TrialResult] = {}

    def train(data, spec, control):
        run = run_trial(data, spec, control)
        kept.setdefault("".join(spec.towers or ["all"]), run)
        return run

    monkeypatch.setattr(RUN, train)
    frozen = {"freeze": ["code.encoder", "vector.encoder"], "imbalance": "auto", "epochs": 1}
    sensorium.fit(table(), start=watched, train=frozen, progress=False)
    for name in ("code", "vector"):
        found = [model.network.tower(name).encoder for model in (watched.fitted, kept[name].model)]
        assert equal(*found)


def equal(left, right):
    pairs = zip(left.state_dict().values(), right.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.slow
def test_a_modality_that_tells_nothing_is_weak_and_nothing_is_tried():
    found = fit(table(signal=0.0), imbalance="auto").card["imbalance"]
    assert (found["diagnosis"]["state"], found["diagnosis"]["behind"]) == ("weak", ["vector"])
    assert [result["name"] for result in found["results"]] == ["plain"]
    assert found["chosen"] == "plain"
    assert "weak by nature" in found["verdict"] and found["verdict"].startswith("on all validation rows")


@pytest.mark.slow
def test_a_mitigation_or_a_modality_that_diverges_is_passed_over(monkeypatch, capsys):
    def train(data, spec, control):
        if spec.name == "pmr" or spec.towers == ["vector"]:
            return TrialResult(spec, error=TrainingError("the loss is nan in epoch 1"))
        return run_trial(data, spec, control)

    monkeypatch.setattr(RUN, train)
    kinds = {"vector": "vector", "code": "category"}
    found = sensorium.fit(table(), "label", modalities=kinds, train={"epochs": 1, "imbalance": "always"}).card[
        "imbalance"
    ]
    names = [result["name"] for result in found["results"]]
    assert names == [
        "plain",
        *(name for name in mitigations_for("multiclass") if name != "pmr"),
        "unimodal_pretraining",
    ]
    assert set(found["unimodal"]) == {"code"}
    assert found["diagnosis"]["failed"] == ["vector"]
    assert "unknown for 'vector'" in found["diagnosis"]["words"]
    told = capsys.readouterr().err
    assert "pmr is left out: the loss is nan" in told and "vector alone is left out" in told


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["log_loss", "roc_auc"])
def test_the_watched_metric_is_the_one_that_decides(metric):
    """The prior's log loss is about log 3, its area under the curve a half."""
    found = fit(table(), imbalance="auto", metric=metric).card["imbalance"]
    assert found["metric"] == metric
    assert metric in found["diagnosis"]["words"]
    for own in found["unimodal"].values():
        gain = own["trained_alone"] - own["in_fused"]
        assert own["difference"]["value"] == pytest.approx(-gain if metric == "log_loss" else gain)


def test_of_balanced_modalities_the_plain_model_is_kept_as_it_is():
    rows = table()
    model = fit(rows, imbalance="auto")
    found = model.card["imbalance"]
    assert found["diagnosis"]["state"] == "balanced"
    assert "no mitigation is needed" in found["verdict"]
    assert [result["name"] for result in found["results"]] == ["plain"]
    assert np.array_equal(model.predict_proba(rows), fit(rows).predict_proba(rows))


def made_by_itself(fused, alone, low):
    return UnimodalResult(fused, alone, Difference("accuracy", alone - fused, (low, 0.5), 0.01), trained=None)


@pytest.mark.parametrize(
    ("fused", "alone", "low", "state"),
    [
        (0.5, 0.8, 0.2, "undertrained"),
        (0.5, 0.8, -0.01, "balanced"),  # by luck
        (0.77, 0.8, 0.01, "balanced"),  # too little
    ],
)
def test_undertrained_is_what_does_better_by_itself_beyond_luck_and_beyond_little(fused, alone, low, state):
    even = Diagnosis(state="even", leads="b", mitigations=["pmr"])
    found = {"a": made_by_itself(fused, alone, low), "b": made_by_itself(0.9, 0.9, -0.1)}
    settled = _settle(even, found, 0.2, "accuracy")
    assert (settled.state, settled.behind) == (state, ["a"] if state == "undertrained" else [])
    assert settled.mitigations == (["pmr"] if state == "undertrained" else [])


def test_what_is_trained_alone_is_held_against_the_fused_model_that_is_given_it_alone(treated):
    for own in treated["unimodal"].values():
        assert own["difference"]["value"] == pytest.approx(own["trained_alone"] - own["in_fused"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"columns": ["code"]}, "only one modality"), ({"split": {"validation": 0}}, "no validation rows")],
)
def test_what_cannot_be_treated_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        sensorium.fit(table(), "label", train={"imbalance": "auto", "epochs": 1}, progress=False, **settings)
    with pytest.raises(ConfigError, match="compare does not check for modality imbalance"):
        sensorium.compare(table(), "label", train={"imbalance": "auto"}, progress=False)


@pytest.mark.slow
def test_of_a_planted_imbalance_the_check_names_what_is_undertrained_and_a_mitigation_is_kept():
    """One seed of `benchmarks/imbalance.py` without modality dropout."""
    path = Path(__file__).parents[2] / "benchmarks" / "imbalance.py"
    spec = importlib.util.spec_from_file_location("imbalance", path)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    found, ceiling = benchmark.run(1500, 2, 0.0)
    assert found.diagnosis.state == "undertrained"
    assert "signal" in found.diagnosis.behind
    assert found.chosen != "plain"
    scores = {result.name: result.evaluation.metrics["accuracy"] for result in found.results}
    assert scores["plain"] < ceiling - 0.03
    alone = next(result for result in found.results if result.name == "unimodal_pretraining")
    assert scores[found.chosen] > scores["plain"] + 0.01
    assert scores["unimodal_pretraining"] > scores["plain"] + 0.6 * (ceiling - scores["plain"])
    assert alone.difference.interval[0] > 0
    kept = next(result for result in found.results if result.name == found.chosen)
    assert kept.difference.interval[0] > 0
