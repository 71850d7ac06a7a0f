"""A run in a folder that holds one: continued, returned at once, or refused with what differs."""

import json
import re
import shutil

import numpy as np
import pytest

import sensorium
from sensorium.errors import ArtifactError, ConfigError, TrainingError
from sensorium.trials import TrialResult, run_trial
from tiers import spread

RUN = "sensorium.trials._runner.run_trial"
X = np.random.default_rng(0).normal(size=90)
TABLE = {"x": X, "kind": ["red", "blue", "red"] * 30, "y": np.where(X > 0, "yes", "no")}


def fit(out, table=TABLE, **settings):
    return sensorium.fit(table, "y", out=out, progress=False, **{"epochs": 2} | settings)


@pytest.fixture
def counted(monkeypatch):
    """The names of the trials that are trained."""
    names = []
    monkeypatch.setattr(RUN, lambda data, spec, control: names.append(spec.name) or run_trial(data, spec, control))
    return names


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    out = tmp_path_factory.mktemp("fitted")
    fit(out)
    return out


@pytest.fixture
def finished(fitted, tmp_path):
    """A copy of a finished run."""
    shutil.copytree(fitted, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_a_finished_run_is_returned_without_training(tmp_path, counted):
    first = fit(tmp_path)
    again = fit(tmp_path)
    assert counted == ["plain"]
    assert np.array_equal(first.predict_proba(TABLE), again.predict_proba(TABLE))
    assert again.test.metrics == first.test.metrics and again.test.intervals == first.test.intervals
    assert [p.reason for p in again.fit_problems] == [p.reason for p in first.fit_problems]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"epochs": 3}, "train.epochs was 2, is 3"),
        ({"seed": 5}, "seed was 0, is 5"),
        ({"table": {**TABLE, "x": X + 1}}, "another run: the column 'x' changed$"),
        ({"table": {**TABLE, "y": np.where(X > 0.5, "yes", "no")}}, "another run: the column 'y' changed$"),
        ({"table": {**TABLE, "z": X}}, "the column 'z' was not used before$"),
        ({"table": {"x": X, "y": TABLE["y"]}}, "the column 'kind' is no longer used$"),
        ({"columns": ["x"]}, r'columns was not set, is \["x"\]'),
        ({"modalities": {"x": "category"}}, "another run: modalities.x.name was not set, is category$"),
    ],
)
def test_another_run_is_refused_with_what_differs(change, told, finished, counted):
    before = (finished / "model" / "manifest.json").read_bytes()
    with pytest.raises(ConfigError) as caught:
        fit(finished, **change)
    assert re.search(told, caught.value.finding)
    assert "--overwrite" in caught.value.cure
    assert (finished / "model" / "manifest.json").read_bytes() == before and counted == []


def test_what_changes_no_result_makes_no_other_run(finished, counted):
    fit(finished, prepare={"store": str(finished / "store")}, device="cpu", train={"checkpoint": 5.0})
    assert counted == []


def test_overwrite_replaces_the_run_once_the_new_model_is_complete(finished, monkeypatch):
    before = {p.name: p.read_bytes() for p in finished.iterdir() if p.is_file()}
    model = (finished / "model" / "manifest.json").read_bytes()

    def fails(data, spec, control):
        run_trial(data, spec, control)
        return TrialResult(spec, error=TrainingError("the loss is nan in epoch 2"))

    with monkeypatch.context() as patch:
        patch.setattr(RUN, fails)
        with pytest.raises(TrainingError):
            fit(finished, epochs=3, overwrite=True)
    assert (finished / "model" / "manifest.json").read_bytes() == model
    after = {p.name: p.read_bytes() for p in finished.iterdir() if p.is_file() and p.name in before}
    assert after == before
    replaced = fit(finished, epochs=3, overwrite=True)
    assert len(replaced.history) == 3
    assert len(json.loads((finished / "history.json").read_text())["epochs"]) == 3
    assert len(fit(finished, epochs=3).history) == 3


def test_an_unfinished_run_is_continued(tmp_path, monkeypatch, counted):
    """It ends with the weights of a run that was not stopped."""
    expected = fit(tmp_path / "whole", epochs=4, train={"checkpoint": 0})
    stopped = False

    def stop(event):
        nonlocal stopped
        if event.epoch == 2 and not stopped:
            stopped = True
            raise KeyboardInterrupt

    class Stop(sensorium.Callback):
        def on_epoch_end(self, event):
            stop(event)

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "cut", epochs=4, train={"checkpoint": 0}, callbacks=[Stop()])
    assert (tmp_path / "cut" / "checkpoint.safetensors").exists()
    found = fit(tmp_path / "cut", epochs=4, train={"checkpoint": 0})
    assert np.array_equal(found.predict_proba(TABLE), expected.predict_proba(TABLE))
    assert not (tmp_path / "cut" / "checkpoint.safetensors").exists()


def test_a_model_that_was_put_there_is_no_finished_run(tmp_path, counted):
    fit(tmp_path / "a")
    other = fit(tmp_path / "b", seed=3)
    other.save(tmp_path / "a" / "model")
    fit(tmp_path / "a")
    assert counted == ["plain"] * 3


def test_a_folder_with_a_model_of_unknown_origin_is_refused(finished):
    (finished / "run.json").unlink()
    with pytest.raises(ConfigError, match="earlier version"):
        fit(finished)
    fit(finished, overwrite=True)


@pytest.mark.slow
def test_a_comparison_is_not_replaced_by_another_table(tmp_path):
    settings = {"fusions": ["concat"], "baselines": ["none"], "epochs": 1, "progress": False, "out": tmp_path}
    table = {**TABLE, "note": [f"word{k} of many" for k in range(90)]}
    first = sensorium.compare(table, "y", **settings)
    assert sensorium.compare(table, "y", **settings).to_json() == first.to_json()
    with pytest.raises(ConfigError, match="the column 'x' changed"):
        sensorium.compare({**table, "x": X + 1}, "y", **settings)
    sensorium.compare({**table, "x": X + 1}, "y", overwrite=True, **settings)


@pytest.mark.slow
def test_overwrite_trains_a_comparison_again(tmp_path, counted):
    settings = {"fusions": ["concat"], "baselines": ["none"], "epochs": 1, "progress": False, "out": tmp_path}
    table = {**TABLE, "note": [f"word{k} of many" for k in range(90)]}
    for overwrite, trained in ((False, 3), (False, 0), (True, 3)):
        counted.clear()
        sensorium.compare(table, "y", overwrite=overwrite, **settings)
        assert len(counted) == trained


@pytest.mark.slow
def test_a_comparison_trains_a_network_again_whose_weights_are_damaged(tmp_path, counted, capsys):
    settings = {"fusions": ["concat"], "baselines": ["none"], "epochs": 1, "out": tmp_path}
    table = {**TABLE, "note": [f"word{k} of many" for k in range(90)]}
    first = sensorium.compare(table, "y", **settings)
    weights = tmp_path / "concat" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    counted.clear()
    capsys.readouterr()
    again = sensorium.compare(table, "y", **settings)
    told = [line for line in capsys.readouterr().err.splitlines() if "damaged" in line]
    assert counted == ["concat"] and [one.runs for one in again.results] == [one.runs for one in first.results]
    assert len(told) == 1 and told[0].startswith("? concat: trained again") and "SHA-256" in told[0]
    sensorium.load(tmp_path / "concat")


def without(*names):
    """Damage a record: remove keys of what the run was made of, with the checksum as in earlier versions."""

    def damage(content):
        record = json.loads(content)
        made_of = {key: value for key, value in record["made_of"].items() if key not in names}
        return json.dumps({"made_of": made_of, "model": record["model"]}).encode()

    return damage


def naming(file):
    """Damage a record: name a file that a run does not write, without a checksum."""

    def damage(content):
        record = json.loads(content)
        return json.dumps({"made_of": record["made_of"], "model": record["model"], "files": {file: "h"}}).encode()

    return damage


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: b"[" * 200_000, "nested too deeply"),
        (lambda content: content[:-9], "delimiter|Expecting"),
        (lambda content: b"\xff", "utf-8"),
        (lambda content: b"null", "not a JSON object"),
        (lambda content: b"{}", "its entry 'made_of', 'model' or 'files' is missing"),
        (lambda content: b'{"made_of": 3, "model": 1}', "its entry 'made_of', 'model' or 'files' is missing"),
        (lambda content: b'{"made_of": {}, "model": ""}', "lacks command, version.sensorium"),
        (without("hash.table"), "'made_of' lacks hash.table"),
        (naming("../x"), "which is not a file name"),
        (naming("x" * 5000), "which is not a file name"),
        (lambda content: content.replace(b'"train.epochs": 2', b'"train.epochs": 3'), "checksum"),
        (lambda content: content.replace(b'"seed": 0', b'"seed": null'), "checksum"),
    ],
)
def test_a_damaged_record_is_an_error_that_says_so(damage, reason, finished, counted):
    record = finished / "run.json"
    assert damage(record.read_bytes()) != record.read_bytes()
    record.write_bytes(damage(record.read_bytes()))
    with pytest.raises(ArtifactError, match=f"the record of the run is damaged: .*({reason})") as caught:
        fit(finished)
    assert caught.value.place == str(record) and "--overwrite" in caught.value.cure
    fit(finished, overwrite=True)
    fit(finished)
    assert counted == ["plain"]


def test_a_record_of_an_earlier_version_tells_that_the_table_changed(finished, counted):
    """It has one hash of the whole table, and no checksum."""
    record = finished / "run.json"
    made_of = json.loads(record.read_bytes())["made_of"]
    of_columns = [name for name in made_of if name.startswith("hash.") and name != "hash.table"]
    assert len(of_columns) == 7  # cells and reading of x, kind and y, and the order of the columns
    record.write_bytes(without(*of_columns)(record.read_bytes()))
    fit(finished)
    assert counted == []
    with pytest.raises(ConfigError, match="another run: the table changed\n"):
        fit(finished, table={**TABLE, "x": X + 1})


def test_only_columns_that_are_read_decide_in_any_order(tmp_path, counted):
    """The excluded column may change, go, and stand elsewhere."""
    first = fit(tmp_path, table={**TABLE, "note": ["a"] * 90}, exclude=["note"])
    tables = [{**TABLE, "note": list(range(90))}, {"y": TABLE["y"], "note": [1.5] * 90, **TABLE}]
    tables.append({name: TABLE[name] for name in ("kind", "y", "x")} | {"note": ["a"] * 90})
    for table in tables:
        again = fit(tmp_path, table=table, exclude=["note"])
        assert np.array_equal(again.predict_proba(TABLE), first.predict_proba(TABLE))
    assert counted == ["plain"]


def test_an_unfinished_run_is_not_continued_with_columns_in_another_order(tmp_path):
    """Its weights are in the order of the columns."""

    class Stop(sensorium.Callback):
        def on_epoch_end(self, event):
            if event.epoch == 2:
                raise KeyboardInterrupt

    table = {"a": X, "b": X + 1, "y": TABLE["y"]}
    swapped = {"b": X + 1, "a": X, "y": TABLE["y"]}
    settings = {"epochs": 4, "train": {"checkpoint": 0}}
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, table=table, callbacks=[Stop()], **settings)
    with pytest.raises(ConfigError, match="the order of the columns changed"):
        fit(tmp_path, table=swapped, **settings)
    with pytest.raises(TrainingError, match="the order of the columns changed"):
        fit(tmp_path, table=swapped, resume=True, **settings)
    fit(tmp_path, table=table, **settings)


def test_what_another_column_teaches_of_notation_makes_another_run(write, tmp_path):
    """The cells of x are the same; the other column decides which sign is decimal."""
    rows = [f"1.{row:03};{'3,25' if row % 2 else '4,5'};{'yes' if row % 3 else 'no'}" for row in range(90)]
    german = write("german.csv", "\n".join(["x;note;y", *rows]))
    fit(tmp_path / "run", table=german, exclude=["note"])
    english = write("english.csv", german.read_text().replace(",", "."))
    with pytest.raises(ConfigError, match="another run: the reading of column 'x' changed\n"):
        fit(tmp_path / "run", table=english, exclude=["note"])


def test_a_series_file_that_changed_makes_another_run(write, tmp_path, counted):
    """Its numbers are in no cell of the table."""
    for row in range(90):
        write(f"{row}.csv", f"v\n{row % 7}\n{row % 5}\n{row % 3}\n")
    lines = [json.dumps({"load": f"'{row}.csv'", "x": X[row], "y": TABLE["y"][row]}) for row in range(90)]
    table = write("t.jsonl", "\n".join(lines))
    fit(tmp_path / "run", table=table)
    fit(tmp_path / "run", table=table)
    assert counted == ["plain"]
    write("41.csv", "v\n6\n")
    with pytest.raises(ConfigError, match="another run: the set of files in column 'load' changed"):
        fit(tmp_path / "run", table=table)


FILES = ["config.yaml", "split.parquet", "history.json", "metrics.json", "predictions.parquet", "problems.jsonl"]


@pytest.mark.parametrize("name", spread(FILES, ["config.yaml", "metrics.json", "predictions.parquet"]))
def test_a_finished_run_without_one_of_its_files_is_an_error(name, finished, counted):
    (finished / name).unlink()
    with pytest.raises(ArtifactError, match=f"the run is finished, but {name} is missing") as caught:
        fit(finished)
    assert caught.value.place == str(finished) and "--overwrite" in caught.value.cure
    assert counted == [] and not (finished / name).exists()
    fit(finished, overwrite=True)
    fit(finished)
    assert counted == ["plain"]


def test_a_finished_run_with_changed_files_is_an_error_that_lists_them(finished):
    for name in ("history.json", "predictions.parquet"):
        content = bytearray((finished / name).read_bytes())
        content[len(content) // 2] ^= 1
        (finished / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=r"but history\.json has changed, predictions\.parquet has changed"):
        fit(finished)


def test_overwrite_replaces_a_run_whose_predictions_are_cut_off(finished, counted):
    path = finished / "predictions.parquet"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ArtifactError, match=r"the run is finished, but predictions\.parquet has changed"):
        fit(finished)
    fit(finished, overwrite=True)
    fit(finished)
    assert counted == ["plain"]


def test_settings_of_a_finished_run_may_be_annotated(finished, counted):
    (finished / "config.yaml").write_bytes((finished / "config.yaml").read_bytes() + b"# the one of the paper\n")
    fit(finished)
    assert counted == []


@pytest.mark.slow
def test_a_comparison_in_a_folder_with_a_damaged_record_is_refused(tmp_path):
    settings = {"fusions": ["concat"], "baselines": ["none"], "epochs": 1, "progress": False, "out": tmp_path}
    table = {**TABLE, "note": [f"word{k} of many" for k in range(90)]}
    sensorium.compare(table, "y", **settings)
    (tmp_path / "run.json").write_bytes(b"{}")
    with pytest.raises(ArtifactError, match="the record of the run is damaged"):
        sensorium.compare(table, "y", **settings)
    sensorium.compare(table, "y", overwrite=True, **settings)


def test_a_folder_in_place_of_a_file_is_refused_before_training(tmp_path, counted):
    fit(tmp_path)
    (tmp_path / "metrics.json").unlink()
    (tmp_path / "metrics.json").mkdir()
    before = (tmp_path / "config.yaml").read_bytes()
    with pytest.raises(ConfigError, match=r"not a file: metrics\.json"):
        fit(tmp_path, epochs=3, overwrite=True)
    assert counted == ["plain"] and (tmp_path / "config.yaml").read_bytes() == before


@pytest.mark.slow
def test_a_run_that_overwrites_and_was_stopped_is_continued(tmp_path):
    fit(tmp_path, seed=4)
    settings = {"epochs": 4, "train": {"checkpoint": 0}, "overwrite": True}
    expected = fit(tmp_path / "whole", **settings)

    epochs = []

    class Stop(sensorium.Callback):
        def on_epoch_end(self, event):
            epochs.append(event.epoch)
            if len(epochs) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, callbacks=[Stop()], **settings)
    assert len(fit(tmp_path, seed=4).history) == 2  # the earlier run is still there
    found = fit(tmp_path, callbacks=[Stop()], **settings)
    assert epochs in ([1, 2, 3, 4], [1, 2, 2, 3, 4])  # the event of an epoch comes before its checkpoint
    assert np.array_equal(found.predict_proba(TABLE), expected.predict_proba(TABLE))


def test_a_comparison_does_not_go_into_the_folder_of_a_fit(tmp_path):
    fit(tmp_path)
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="holds the run of a fit"):
            sensorium.compare(
                TABLE,
                "y",
                out=tmp_path,
                overwrite=overwrite,
                epochs=1,
                progress=False,
                columns=["x", "kind"],
                towers={"a": ["x"], "b": ["kind"]},
            )


def test_a_finished_model_that_is_damaged_is_told_with_the_cure(tmp_path):
    fit(tmp_path)
    weights = tmp_path / "model" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(sensorium.ArtifactError) as caught:
        fit(tmp_path)
    assert "--overwrite" in caught.value.cure


def test_a_finished_run_with_another_technique_is_refused(tabular, tmp_path):
    """A technique without options is one too."""
    settings = {"out": tmp_path / "run", "epochs": 1, "progress": False}
    sensorium.fit(tabular, "label", **settings)
    with pytest.raises(ConfigError, match=r"train\.techniques\.auxiliary was not set, is \{\}"):
        sensorium.fit(tabular, "label", train={"techniques": {"auxiliary": {}}}, **settings)


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\t"])
def test_settings_of_a_run_are_used_again_whatever_its_columns_are_called(mark, tmp_path):
    table = {f"a{mark}b": [1.0, 2.0, 3.0, 4.0] * 10, "y": ["u", "u", "v", "v"] * 10}
    chosen = {"modalities": {f"a{mark}b": "category"}, "exclude": []}
    sensorium.fit(table, "y", config=chosen, epochs=1, width=8, out=tmp_path / "run", progress=False)
    again = sensorium.fit(table, config=tmp_path / "run" / "config.yaml", progress=False)
    assert again.columns == {f"a{mark}b": "category"}
