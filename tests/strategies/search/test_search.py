"""A search keeps its time, is never worse than a single modality, goes on after a kill, and says what it did."""

import hashlib
import io
import json
import sys

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from ticks import Ticks, Told

import sensorium
from prepared import prepare
from sensorium.api import _fit_steps
from sensorium.artifact import load_fitted
from sensorium.errors import ConfigError, MissingExtraError
from sensorium.metrics import Outcome
from sensorium.modalities import _encoder_advice
from sensorium.predictor import Model
from sensorium.report.text import search_text
from sensorium.strategies import Budget, Request, Session
from sensorium.strategies._search._ensemble import choose_ensemble, join, mean_outcome
from sensorium.strategies._search._space import open_space, spec_of
from sensorium.strategies._search._trials import Entrant, Trials
from sensorium.strategies.search import Search
from sensorium.table import open_table
from sensorium.trials import Control, TrialResult, TrialSpec, finish, run_trial
from sensorium.wording import coverage_sentence

EPOCHS = 3
RUN = "sensorium.trials._runner.run_trial"


def experiment(table, **settings):
    split = {"validation": 0.45, "test": 0.2}
    return prepare(table, {"target": "label", "train": {"epochs": EPOCHS}, "split": split}, settings)


def begin(data, seconds=90, folder=None, keep=None):
    """A session that searches by its own clock, and what it is told."""
    budget = Budget(seconds, Ticks())
    session = Session.of(data, Request(data.plan.config, budget), Control(Told(), keep=keep), folder)
    search = Search(session.request)
    search.check_installed()
    search.check(data.plan)
    return search, session


def run(table, seconds=90, folder=None, keep=None, **settings):
    search, session = begin(experiment(table, **settings), seconds, folder, keep)
    result = search.run(session, None)
    if folder:
        for name, content in search.files().items():
            (folder / name).write_bytes(content)
        search.close(folder)
    return session, result


def digest(fitted):
    state = fitted.network.state_dict()
    return hashlib.sha256(b"".join(state[name].numpy().tobytes() for name in sorted(state))).hexdigest()


def record(folder):
    return json.loads((folder / "search.json").read_text())


def trainings(found):
    """All trainings of a search in the order in which they were run, each with the trial that it belongs to."""
    own = ({**trial, **training} for trial in found["trials"] for training in trial["trainings"])
    return sorted(own, key=lambda training: training["number"])


@pytest.fixture(scope="module")
def done(tabular, tmp_path_factory):
    """A search over number + category (one tower) and text."""
    folder = tmp_path_factory.mktemp("done")
    kept = []
    job, trained = run(tabular, folder=folder, keep=lambda fitted: kept.append(digest(fitted)))
    return job, trained, record(folder), kept, folder


def test_single_modalities_come_first_then_rungs_then_the_end(done):
    found = done[2]
    stages = [training["stage"] for training in trainings(found)]
    assert stages == sorted(stages, key=["single", "rung", "final"].index)
    assert [training["name"] for training in trainings(found)][:2] == ["tabular alone", "text alone"]
    candidates = [training for training in trainings(found) if training["stage"] == "rung" and training["choices"]]
    assert candidates[0]["name"] == "plain fit"
    assert 3 <= len({json.dumps(trial["choices"]) for trial in candidates}) <= found["plan"]["rungs"][0][0]
    assert any(training["stage"] == "final" and training["epochs"] == EPOCHS for training in trainings(found))


def test_the_chosen_model_is_never_worse_than_a_single_modality(done):
    job, trained, found = done[:3]
    chosen = Model(trained.model).evaluate(job.data.plan.table, "validation").metrics["accuracy"]
    assert found["best_single"]["name"].endswith(" alone")
    assert chosen >= max(trial["metric"] for trial in found["trials"])


def test_a_single_modality_is_chosen_where_the_others_are_noise():
    random = np.random.default_rng(0)
    labels = random.choice(["a", "b"], 200)
    table = {"x": np.where(labels == "a", 1.0, -1.0) + random.normal(0, 0.3, 200), "label": labels}
    table["note"] = [" ".join(random.choice(list("abcdefghij"), 8)) for _ in labels]
    _, trained = run(table, 40, seed=1)
    singles = trained.model.card.to_json()["search"]["best_single"]["metric"]
    assert max(trial["metric"] for trial in trained.model.card.to_json()["search"]["best"]) >= singles == 1


def test_the_best_so_far_is_kept_as_soon_as_it_is_there(done):
    _, trained, found, kept, _ = done
    metrics = [training["metric"] for training in trainings(found)]
    assert len(kept) >= sum(value > max(metrics[:place], default=-1) for place, value in enumerate(metrics))
    if found["ensemble"] is None:
        assert kept[-1] == digest(trained.model)


def test_the_record_and_the_card_tell_of_it(done):
    _, trained, found, *_ = done
    card = trained.model.card.to_json()["search"]
    assert card["trials"] == len(found["trials"]) and card["trainings"] == len(trainings(found))
    assert card["chosen"] == found["chosen"]
    assert {"test", "temperature"} <= set(trained.model.card.to_json()["calibration"]) or found["ensemble"]
    assert set(trained.outcomes) == {"validation", "test"}


@pytest.mark.slow  # a search that is resumed gives the same as well, see below
def test_the_same_clock_and_seed_give_the_same_search(done, tabular, tmp_path):
    _, trained, found, *_ = done
    _, again = run(tabular, folder=tmp_path)
    assert record(tmp_path) == found
    assert digest(again.model) == digest(trained.model)


@pytest.mark.parametrize("number", [5, *(pytest.param(number, marks=pytest.mark.slow) for number in (1, 8, -1))])
def test_a_killed_search_goes_on_where_it_was(number, done, tabular, tmp_path, monkeypatch):
    """What was trained is not trained again, and what would have been asked is asked; -1: in the last training."""
    number = number if number > 0 else len(trainings(done[2])) + number
    count = [0]

    def mortal(*args):
        if count[0] == number:
            raise KeyboardInterrupt
        count[0] += 1
        return run_trial(*args)

    with monkeypatch.context() as patch:
        patch.setattr(RUN, mortal)
        with pytest.raises(KeyboardInterrupt):
            run(tabular, folder=tmp_path)
        with (tmp_path / "search.journal").open("ab") as stream:
            stream.write(b'{"half a li')  # what a kill leaves
        count[0] = number - 100
        job, trained = run(tabular, folder=tmp_path)
    assert "the search resumes" in job.report
    before, after = tried(done[2]), tried(record(tmp_path))
    assert len(after) >= min(number, len(before))
    assert after == before[: len(after)]  # the time that the kill cost may be that of the last candidates
    again = "trained again" in job.report
    assert count[0] - (number - 100) == len(trainings(record(tmp_path))) - number + again
    assert trained.model.card.to_json()["search"]["plan"] == done[2]["plan"] or number == 1


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["the choice", "the model is saved"])
def test_a_search_killed_after_its_last_training_is_not_made_again(moment, done, tabular, tmp_path, monkeypatch):
    learnt = []

    def killed(*_):
        raise KeyboardInterrupt

    def counted(*args):
        learnt.append(args[1])
        return run_trial(*args)

    with monkeypatch.context() as patch:
        if moment == "the choice":
            patch.setattr("sensorium.strategies._search._search.finish", killed)
        search, session = begin(experiment(tabular), folder=tmp_path)
        with pytest.raises(KeyboardInterrupt):
            killed(search.run(session, None))
    monkeypatch.setattr(RUN, counted)
    job, trained = run(tabular, folder=tmp_path)
    assert "the search resumes" in job.report
    assert len(learnt) == len(trained.model.members)  # what was chosen, and nothing else
    assert digest(trained.model) == digest(done[1].model)
    before, after = done[2], record(tmp_path)
    assert {**after, "seconds": 0} == {**before, "seconds": 0}
    run(tabular, folder=tmp_path)
    assert len(learnt) > 2 * len(trained.model.members) + 3  # that one had ended


def tried(found):
    """All that was trained before the models that are trained to the end."""
    return [
        (trial["key"], trial["epochs"], trial["metric"], trial["choices"])
        for trial in trainings(found)
        if trial["stage"] != "final"
    ]


def test_time_spent_before_a_kill_counts(tabular, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("sensorium.strategies._search._search.SearchRun._rungs", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(tabular, folder=tmp_path)
    _, trained = run(tabular, 20, folder=tmp_path)
    assert trained.model.card.to_json()["search"]["seconds"] > 20


@pytest.mark.slow
def test_another_table_other_settings_or_an_ended_search_start_anew(tabular, tmp_path):
    for settings in ({}, {}, {"exclude": ["category"]}):
        job, _ = run(tabular, 20, folder=tmp_path, **settings)
        assert "the search resumes" not in job.report
        assert {training["stage"] for training in trainings(record(tmp_path))} == {"single", "final"}


def test_an_unfinished_search_of_another_table_is_not_gone_on_with(tabular, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("sensorium.strategies._search._search.SearchRun._schedule", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(tabular, folder=tmp_path)
    assert [json.loads(line) for line in (tmp_path / "search.journal").read_text().splitlines()]
    job, _ = run(open_table(tabular).take(np.arange(100)), 20, folder=tmp_path)
    assert "a new search starts" in job.report


def test_an_unfinished_search_is_not_gone_on_with_when_files_changed(tmp_path, monkeypatch):
    """The table is the same: it names the files."""
    for row in range(60):
        Image.new("L", (8, 8), 100 * (row % 2) + row).save(tmp_path / f"{row}.png")
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["photo,label", *(f"{row}.png,{'ab'[row % 2]}" for row in range(60))]))
    monkeypatch.setattr("sensorium.strategies._search._search.SearchRun._schedule", lambda *_: 1 / 0)
    for changed in (False, False, True):
        if changed:
            Image.new("L", (8, 8), 255).save(tmp_path / "7.png")
        search, job = begin(experiment(path, modalities={"photo": "image"}), folder=tmp_path)
        with pytest.raises(ZeroDivisionError):
            search.run(job, None)
        assert ("a new search starts" in job.report) == changed


def test_too_short_a_time_is_told_and_a_plain_fit_made(tabular, tmp_path):
    job, trained = run(tabular, 3, folder=tmp_path)
    assert "the budget of 3 s is too short" in job.report
    assert "a plain fit runs instead" in job.report
    assert record(tmp_path)["plan"] is None
    plain = run_trial(experiment(tabular), TrialSpec("plain"), Control(should_stop=lambda: True))
    final = next(training for training in trainings(record(tmp_path)) if training["stage"] == "final")
    assert (final["name"], final["epochs"], final["trained"]) == ("plain fit", EPOCHS, 1)  # no time for a second one
    if record(tmp_path)["chosen"] == ["plain fit"]:
        assert digest(trained.model) == digest(plain.model)


@pytest.mark.slow
def test_what_a_short_search_did_not_try_is_told_with_the_budget_for_it(tabular, tmp_path):
    _, trained = run(tabular, 3, folder=tmp_path)
    found = trained.model.card.search.coverage
    assert record(tmp_path)["coverage"] == found.to_json()
    assert (found.tried, found.varied) == (1, []) and {"fusion", "learning_rate", "width"} <= {*found.unvaried}
    said = coverage_sentence(found)
    assert said.startswith("The search tried the plain fit only, of 1 planned candidate. It did not vary fusion, ")
    assert f"A budget of about {found.seconds_needed // 10 * 10 + 10:.0f}s lets it try the" in said
    assert said in str(search_lines(trained.model))
    longer = run(tabular, found.seconds_needed)[1].model.card.search.coverage
    assert longer.planned >= found.candidates_needed


def search_lines(fitted):
    console = Console(width=1000, file=io.StringIO())
    console.print(search_text(fitted.card.search))
    return console.file.getvalue()


def test_what_a_search_varied_is_recorded(done):
    found = done[2]
    covered, plain = found["coverage"], next(trial for trial in found["trials"] if trial["name"] == "plain fit")
    others = [trial["choices"] for trial in found["trials"] if trial["key"].isdigit()]
    varied = {name for choices in others for name in choices if choices[name] != plain["choices"][name]}
    assert covered["tried"] == len(others) and {*covered["varied"]} == varied
    assert {*covered["unvaried"]} == {*plain["choices"]} - varied
    candidates, epochs = found["plan"]["rungs"][0]
    assert f"search: {candidates} candidates for {epochs} epoch" in done[0].report
    assert "1 epochs" not in done[0].report and "1 candidates" not in done[0].report


def test_trainings_that_are_too_short_to_compare_candidates(tabular):
    found = run(tabular, 3, train={"epochs": 1})[1].model.card.search.coverage
    assert found.seconds_needed is None and "need more epochs (--epochs)" in coverage_sentence(found)


def test_what_the_settings_name_is_kept(tabular, tmp_path):
    train = {"learning_rate": 1e-3, "modality_dropout": 0.1, "epochs": 1}
    encoders = {"text": {"name": "text_cnn", "filters": 8}}
    named = {"fusion": "late", "width": 16, "train": train, "encoders": encoders, "exclude": ["number"]}
    _, trained = run(tabular, 60, folder=tmp_path, **named)
    config = trained.model.config
    assert (config.fusion.name, config.width, config.train.learning_rate) == ("late", 16, 1e-3)
    assert config.encoders["text"].options == {"filters": 8}
    choices = {name for trial in record(tmp_path)["trials"] for name in trial["choices"]}
    assert choices <= {"dropout"}


@pytest.mark.slow
def test_one_modality_and_values_can_be_searched_too(tabular):
    random = np.random.default_rng(0)
    x = random.normal(size=200)
    _, trained = run({"x": x, "label": 2 * x + random.normal(0, 0.1, 200)}, 100)
    assert trained.model.task_name == "regression"
    assert trained.model.card.to_json()["search"]["best_single"] is None
    assert trained.model.card.calibration is None


def test_a_training_that_breaks_is_passed_over(tabular, tmp_path, monkeypatch):
    from sensorium.errors import TrainingError

    def fragile(data, spec, control):
        if spec.settings["train"].get("learning_rate") == 4e-3:
            return TrialResult(spec, error=TrainingError("the loss is nan in epoch 1"))
        return run_trial(data, spec, control)

    monkeypatch.setattr(RUN, fragile)
    job, _ = run(tabular, 60, folder=tmp_path)
    assert "the loss is nan" in job.report
    broken = [training for training in trainings(record(tmp_path)) if training["metric"] is None]
    assert [trial["stage"] for trial in broken] == ["rung"]


@pytest.mark.slow
def test_a_metric_that_is_defined_nowhere_leaves_the_choice_to_the_loss(tmp_path):
    """Validation rows of one class have no area under the curve."""
    random = np.random.default_rng(0)
    labels = random.choice(["a", "b"], 240)
    split = np.where(labels == "a", random.choice(["train", "validation"], 240), random.choice(["train", "test"], 240))
    table = {"x": (labels == "a") + random.normal(0, 0.5, 240), "label": labels, "split": split}
    table["note"] = [" ".join(random.choice(list("abcdefghij"), 4)) for _ in labels]
    _, trained = run(table, folder=tmp_path, train={"metric": "roc_auc"}, split={"column": "split"})
    found = record(tmp_path)
    assert all(trial["metric"] is None for trial in found["trials"])
    best = min(found["trials"], key=lambda trial: trial["loss"])
    assert found["chosen"] == [best["name"]] and trained.model.card.to_json()["search"]["best"][0] == best
    assert any(training["stage"] == "final" for training in trainings(found))


def test_a_model_that_time_cut_short_is_trained_again_to_the_same_weights(tabular):
    data = experiment(tabular)
    plain = open_space(data.plan).plain
    trials = Trials(begin(data)[1], Budget(90, Ticks()))
    entrant = Entrant("0", "plain fit", spec_of(data.plan, "plain fit", plain))
    result = trials.run(entrant, EPOCHS, "rung", seconds=0.5)
    assert result.trained == 1
    first = digest(trials.model(entrant, result).model)
    trials.models.clear()
    assert digest(trials.model(entrant, result).model) == first


def test_encoders_whose_features_are_counted_beforehand_are_no_candidates(tabular, monkeypatch):
    """Tables with few rows get such an encoder, and keep it: the prepared cells are its features."""
    few = open_space(experiment(tabular).plan)
    assert "encoder of text" not in few.names
    monkeypatch.setattr(_encoder_advice, "FEW_ROWS", 0)
    found = open_space(experiment(tabular).plan).names["encoder of text"]
    assert found[0] == "bilstm" and "text_cnn" in found and "text_tfidf" not in found


def test_low_rank_fusion_is_tried_early(tabular):
    space = open_space(experiment(tabular).plan)
    first, second, third, *_ = space.firsts()
    assert first == space.plain and second["learning_rate"] != space.rate
    assert third == space.plain | {"fusion": "low_rank"}


def test_without_validation_rows_there_is_nothing_to_choose_by(tabular):
    with pytest.raises(ConfigError, match="no validation rows"):
        run(tabular, split={"validation": 0})


def test_without_optuna_the_cure_is_told(tabular, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"sensorium\[search\]"):
        run(tabular)


def test_a_finished_search_leaves_its_record_only(done):
    assert sorted(path.name for path in done[4].iterdir()) == ["search.json"]


@pytest.mark.slow
def test_a_run_that_is_killed_after_its_last_file_is_tidied_when_it_is_asked_for_again(tabular, tmp_path, monkeypatch):
    settings = {"out": tmp_path / "run", "preset": "fast", "budget": 5.0, "progress": False}
    with monkeypatch.context() as patch:
        patch.setattr(_fit_steps, "close_strategies", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sensorium.fit(tabular, "label", **settings)
    assert (tmp_path / "run" / "search.journal").exists() and (tmp_path / "run" / ".finished").exists()
    (tmp_path / "run" / ".search.journal.sensorium.lock").touch()
    sensorium.fit(tabular, "label", **settings)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert "search.json" in names and not any("journal" in name or name == ".finished" for name in names)


def answers(job, wrong):
    """A model's answers to the validation rows: sure and right, but for some rows where it is unsurely wrong."""
    truth = job.target[job.rows("validation")]
    scores = np.full((len(truth), 3), 0.05)
    scores[np.arange(len(truth)), truth] = 0.9
    scores[wrong, truth[wrong]], scores[wrong, (truth[wrong] + 1) % 3] = 0.4, 0.55
    return TrialResult(TrialSpec("made"), {"validation": job.task.outcome(scores, truth)}, 1.0)


def test_an_ensemble_is_taken_only_where_it_is_surely_better(tabular):
    job = experiment(tabular).plan
    rows = np.arange(len(job.rows("validation")))
    first, other, same = answers(job, rows % 3 == 0), answers(job, rows % 3 == 1), answers(job, rows % 3 == 0)
    assert choose_ensemble(job, [first, same, other], "accuracy") == [0, 2]
    assert choose_ensemble(job, [first, same], "accuracy") == []
    nearly = answers(job, (rows % 3 == 0) & (rows > 0))
    assert choose_ensemble(job, [nearly, answers(job, rows == 3)][::-1], "accuracy") == []


def test_a_model_that_spoils_how_sure_the_answers_are_is_no_member(tabular):
    """It is right where the other one is not, and knows nothing elsewhere: their mean is right, and seldom sure."""
    job = experiment(tabular).plan
    truth = job.target[job.rows("validation")]
    wrong = np.arange(len(truth)) % 3 == 0
    scores = np.where(wrong[:, None], np.eye(3)[truth] * 0.85 + 0.05, 1 / 3)
    spoiler = TrialResult(TrialSpec("made"), {"validation": job.task.outcome(scores, truth)}, 1.0)
    first = answers(job, wrong)
    assert (mean_outcome(job, [m.outcomes["validation"] for m in (first, spoiler)]).predicted == truth).all()
    assert choose_ensemble(job, [first, spoiler], "accuracy") == []


def test_an_ensemble_answers_with_the_mean_of_its_members(tabular, tmp_path):
    data = experiment(tabular)
    plain = open_space(data.plan).plain
    specs = [spec_of(data.plan, "a", plain), spec_of(data.plan, "b", {**plain, "fusion": "late"}, ["text"])]
    models = [run_trial(data, spec, Control(judge=False)) for spec in specs]
    joined = finish(data, join(data.plan, models))
    alone = [model.outcomes["validation"].scores for model in models]
    found = data.outcome(joined.model, "validation")
    assert isinstance(found, Outcome)
    has_text = data.cells.only(["text"]).has_any()[data.rows("validation")][:, None]
    assert found.scores == pytest.approx(np.where(has_text, np.mean(alone, axis=0), alone[0]))
    assert [member.name for member in joined.model.members] == [spec.name for spec in specs]
    Model(joined.model).save(tmp_path / "m")
    kept = Model(load_fitted(tmp_path / "m"))
    assert (
        kept.evaluate(data.plan.table, "test").to_json()
        == Model(joined.model).evaluate(data.plan.table, "test").to_json()
    )


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [12, 25])
def test_a_search_in_real_time_keeps_it(seconds, made, tmp_path):
    """A tenth more at most, and the fixed second or two of a small machine that other tests share."""
    import time

    start = time.perf_counter()
    model = sensorium.fit(made, "label", preset="fast", budget=f"{seconds}s", out=tmp_path / "run", progress=False)
    found = model.card["search"]
    assert found["plan"] is None or time.perf_counter() - start < 1.1 * seconds + 3
    assert sensorium.load(tmp_path / "run").evaluate(made).to_json() == model.evaluate(made).to_json()
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"search.json", "model", "metrics.json"} <= names and "search.journal" not in names
