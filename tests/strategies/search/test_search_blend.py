"""A budget with a preset that blends: the networks that the search chooses are blended with classical models."""

import functools
import hashlib
import io
import json

import numpy as np
import pytest
from rich.console import Console
from ticks import Ticks

import sensorium
from blend_rows import WORDS, make_rows
from sensorium.api import _fit
from sensorium.blending import _blend
from sensorium.config import Config
from sensorium.errors import ConfigError
from sensorium.planning import cut_folds, make_plan
from sensorium.presets import FitSetup
from sensorium.report.text import fit_text
from sensorium.runtime.progress import Silent
from sensorium.strategies import Budget, Request, _searched_blend, _timed_folds
from sensorium.strategies._search._coverage import coverage
from sensorium.strategies._search._trials import TrainingResult
from sensorium.table import open_table
from sensorium.trials import run_trial

RUN = "sensorium.trials._runner.run_trial"
SETTINGS = {"preset": "good", "epochs": 2, "width": 16, "progress": False}
SECONDS = 160  # readings of the clock


def fit(monkeypatch, table=None, seconds=SECONDS, **settings):
    """Fit within a budget whose clock advances by one each time it is read, so that all machines train the same."""
    monkeypatch.setattr(_fit, "Budget", functools.partial(Budget, clock=Ticks()))
    return sensorium.fit(table or make_rows(), "label", budget=seconds, **SETTINGS | settings)


def names(model):
    return [each["name"] for each in model.card["blend"]["candidates"]]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("done")
    with pytest.MonkeyPatch.context() as patch:
        return fit(patch, out=folder / "run"), folder / "run"


def test_the_chosen_network_is_blended_with_classical_models(done):
    model, folder = done
    search, blend = model.card["search"], model.card["blend"]
    (chosen,) = search["chosen"]
    assert names(model)[0] == ("network" if chosen == "plain fit" else f"network ({chosen})")
    assert {"linear", "linear (text)", "linear (size)", "trees"} <= {*names(model)}
    assert sum(each["weight"] for each in blend["candidates"]) == pytest.approx(1)
    assert model.card["preset"]["name"] == "good"
    assert search["budget"] == SECONDS > search["seconds"]
    loaded = sensorium.load(folder)
    assert np.array_equal(loaded.predict_proba(make_rows()), model.predict_proba(make_rows()))
    assert (loaded.card["search"], loaded.card["blend"]) == (search, blend)


def test_rows_that_choose_the_network_do_not_choose_its_weight(done):
    """32 validation rows choose the network; 112 training rows, predicted out of fold, choose the weights."""
    record = done[0].card["blend"]
    assert record["judged"] == 112
    assert record["how"].endswith(
        "folds, stratified by label, seed 0; not the validation rows, which chose the network"
    )
    assert json.loads((done[1] / "metrics.json").read_text())["validation"]["n"] == 32


def test_only_the_record_of_the_search_is_left(done):
    names = {path.name for path in done[1].iterdir()}
    assert "search.json" in names and not names & {"search.journal", ".finished"}
    found = json.loads((done[1] / "search.json").read_text())
    assert found["chosen"] == done[0].card["search"]["chosen"]


def test_the_report_tells_of_the_search_and_of_the_blend(done):
    console = Console(width=1000, file=io.StringIO())
    fitted = done[0].fitted
    console.print(fit_text(done[0].describe(), fitted.card, fitted.data, done[0].test))
    said = console.file.getvalue()
    assert f"chosen on the validation rows for the blend: {done[0].card['search']['chosen'][0]} (" in said


@pytest.mark.parametrize("preset", ["auto", "good", "best"])
def test_a_budget_does_not_replace_a_preset_that_blends(preset):
    setup = FitSetup.of(Request(Config(preset=preset), budget=Budget(60)))
    assert [type(strategy).__name__ for strategy in setup.strategies] == ["Blend"]
    assert setup.preset.name == ("good" if preset == "auto" else preset)


@pytest.mark.parametrize("config", [{"preset": "fast"}, {"fusion": "late"}])
def test_with_one_network_a_budget_only_searches(config):
    setup = FitSetup.of(Request(Config.gather(config), budget=Budget(60)))
    assert [type(strategy).__name__ for strategy in setup.strategies] == ["Search"]


def test_what_a_search_does_not_support_is_refused_with_a_blend_too():
    with pytest.raises(ConfigError, match="folds cannot be combined with a budget"):
        FitSetup.of(Request(Config(preset="good"), budget=Budget(60), folds=True))
    table = {name: cells for name, cells in make_rows().items() if name != "split"}
    with pytest.raises(ConfigError, match="no validation rows"):
        sensorium.fit(table, "label", budget=60, preset="good", split={"validation": 0.0}, progress=False)


def test_a_budget_that_is_too_short_for_folds(monkeypatch, capsys):
    model = fit(monkeypatch, seconds=30, progress=True)
    log = " ".join(capsys.readouterr().err.split())
    assert "the budget is too short for predictions out of fold of network" in log
    record = model.card["blend"]
    assert record["how"] == "validation rows, which chose the network as well" and record["judged"] == 32
    assert names(model)[0].startswith("network") and "linear" in names(model)


@pytest.mark.slow
def test_classical_models_are_all_that_is_left_if_every_network_fails(monkeypatch):
    model = fit(monkeypatch, learning_rate=1e18, train={"clip_norm": None})
    assert not any(name.startswith("network") for name in names(model)) and "linear" in names(model)
    assert model.card["search"]["chosen"] == [] and model.card["blend"]["judged"] == 144


def test_the_budget_that_a_search_proposes_includes_the_time_of_the_blend():
    plain = {"fusion": "concat", "width": 64}
    result = TrainingResult("0", "plain fit", "final", 60, 60, 0.5, 0.5, 30.0, plain)
    firsts = [plain, {**plain, "fusion": "late"}, {**plain, "width": 128}]
    alone, shared = (coverage([result], firsts, None, 60, share=share).seconds_needed for share in (1.0, 0.5))
    assert shared == pytest.approx(2 * alone)


@pytest.mark.slow
def test_the_best_preset_blends_networks_of_different_choices(monkeypatch):
    model = fit(monkeypatch, seconds=1300, preset="best", epochs=4)
    networks = [name for name in names(model) if name.startswith("network")]
    assert len(networks) == 3 == len({*networks}) == len(model.card["search"]["chosen"])


@pytest.mark.slow
def test_labels_of_the_rows_that_calibrate_select_nothing(monkeypatch):
    """A large table: neither the search nor the weights see the half of the validation rows that calibrates."""
    monkeypatch.setattr(_blend, "LARGEST", 100)
    table, unstratified = make_rows(400), {"stratify": False}  # else the halves depend on the labels
    plan = make_plan(open_table(table), Config.gather({"target": "label", "split": unstratified}), Silent())
    calibrate = plan.used[cut_folds(plan, 1).folds[0].judge]
    shuffled = np.array(table["label"])
    shuffled[calibrate] = np.random.default_rng(0).permutation(shuffled[calibrate])
    before, after = (
        fit(monkeypatch, {**table, "label": labels}, calibrate="none", split=unstratified)
        for labels in (table["label"], shuffled.tolist())
    )
    assert {table["split"][row] for row in calibrate} == {"val"} and (shuffled != np.array(table["label"])).any()
    assert len(calibrate) == 40 == before.card["blend"]["judged"]
    assert names(before)[0].startswith("network")
    assert before.card["search"] == after.card["search"] and before.card["blend"] == after.card["blend"]
    assert np.array_equal(before.predict_proba(table), after.predict_proba(table))


def digest(model):
    return hashlib.sha256(model.predict_proba(make_rows()).tobytes()).hexdigest()


@pytest.mark.slow
def test_the_same_clock_and_seed_give_the_same_blend(done, monkeypatch):
    again = fit(monkeypatch)
    assert digest(again) == digest(done[0])
    assert again.card["search"] == done[0].card["search"] and again.card["blend"] == done[0].card["blend"]


@pytest.mark.parametrize("moment", ["a fold", *(pytest.param(each, marks=pytest.mark.slow) for each in ("the blend",))])
def test_a_killed_run_neither_searches_nor_trains_again(moment, done, monkeypatch, tmp_path):
    trained = []

    def mortal(data, spec, control):
        if moment == "a fold" and spec.fold == [1, 5]:
            raise KeyboardInterrupt
        trained.append(spec.to_json() | {"name": ""})
        return run_trial(data, spec, control)

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RUN, mortal)
        if moment == "the blend":
            patch.setattr("sensorium.strategies._searched_blend.combine", killed)
        with pytest.raises(KeyboardInterrupt):
            fit(patch, out=tmp_path / "run")
    before, moment = len(trained), "over"
    monkeypatch.setattr(RUN, mortal)
    model = fit(monkeypatch, out=tmp_path / "run")
    again = [spec for spec in trained[before:] if spec in trained[:before]]
    assert before > 5 and again == []
    assert digest(model) == digest(done[0])
    assert model.card["blend"] == done[0].card["blend"]
    assert model.card["search"]["seconds"] > done[0].card["search"]["seconds"]  # the time before the kill counts


def test_fitting_the_classical_models_again_takes_no_time_of_the_budget(done, monkeypatch, tmp_path):
    """They take the whole budget after the kill: a network that had time for its folds keeps them."""
    clock, fit_again = Ticks(), _searched_blend.classical_candidates

    def killed(*_, **__):
        raise KeyboardInterrupt

    def slow(*given, **named):
        clock.now += SECONDS
        return fit_again(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(_timed_folds.TimedFolds, "candidate", killed)
        with pytest.raises(KeyboardInterrupt):
            fit(patch, out=tmp_path / "run")
    monkeypatch.setattr(_searched_blend, "classical_candidates", slow)
    monkeypatch.setattr(_fit, "Budget", functools.partial(Budget, clock=clock))
    model = sensorium.fit(make_rows(), "label", budget=SECONDS, out=tmp_path / "run", **SETTINGS)
    assert digest(model) == digest(done[0])
    assert model.card["blend"] == done[0].card["blend"]


@pytest.mark.slow
def test_a_training_on_a_fold_that_exceeds_the_budget_is_ended(monkeypatch, capsys, tmp_path):
    """The clock jumps while a fold is trained; the run ends with what it has, and a resumed one with the same."""
    clock = Ticks()

    def late(data, spec, control):
        if spec.fold == [1, 5]:
            clock.now += SECONDS
        return run_trial(data, spec, control)

    monkeypatch.setattr(_fit, "Budget", functools.partial(Budget, clock=clock))
    monkeypatch.setattr(RUN, late)
    found = sensorium.fit(make_rows(), "label", budget=SECONDS, out=tmp_path, **SETTINGS | {"progress": True})
    assert "too short for predictions out of fold" in capsys.readouterr().err
    assert found.card["blend"]["judged"] == 32


@pytest.mark.slow
def test_amounts_within_a_budget(monkeypatch):
    random = np.random.default_rng(2)
    size = random.normal(size=150)
    table = {"size": size.tolist(), "text": [str(WORDS[int(value > 0)]) + " x" for value in size]}
    table["label"] = (np.exp(size) * 10 + random.normal(0, 0.1, 150)).round(2).tolist()
    found = fit(monkeypatch, table)
    assert found.card["blend"]["metric"] == "rmse" and found.card["search"]["trials"]
    assert found.evaluate(table).metrics["r2"] > 0.5


@pytest.mark.slow
def test_a_blend_in_real_time_keeps_its_budget(tabular, tmp_path):
    """A tenth more at most, and the fixed second or two of a small machine that other tests share."""
    import time

    start, settings = time.perf_counter(), {"encoders": {"text": "text_tfidf"}, "progress": False}
    model = sensorium.fit(tabular, "label", preset="good", budget="30s", out=tmp_path / "run", **settings)
    found = model.card["search"]
    assert found["plan"] is None or time.perf_counter() - start < 1.1 * 30 + 3
    assert sensorium.load(tmp_path / "run").evaluate(tabular).to_json() == model.evaluate(tabular).to_json()
