"""What may be read, fetched, run and written is for the caller to say: a saved model never widens it."""

import hashlib
import http.server
import json
import sqlite3
import threading
from contextlib import closing

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import sensorium
from sensorium.cli._main import make_app
from sensorium.config import Config, caller_only, every_setting, split_saved
from sensorium.errors import ArtifactError, ConfigError
from sensorium.testing import make_pretrained, make_table

ROWS = 30

# Settings that neither widen what is read, fetched, run or written, nor how long: a model may bring them along.
HARMLESS = {
    "": "target, task, tasks, columns, exclude, modalities, encoders, augment, towers, fusion, head, width, preset, "
    "calibrate, conformal, threshold, seed, device, threads",
    "table": "encoding, separator, skip_rows, comment, quotes, missing, decimal, thousands, currency, censored, "
    "labels, order, lists, targets, series",
    "table.windows": "entity, time, values, target, length, horizon, predict, every, since",
    "split": "column, group, time, day_first, span, stratify, validation, test",
    "prepare": "identify, stream",
    "train": "epochs, batch_size, accumulate, learning_rate, optimizer, weight_decay, schedule, warmup, clip_norm, "
    "patience, stop_at_plateau, metric, select_by, stop_by, modality_dropout, mixup, "
    "precision, compile, checkpoint, soup, freeze, "
    "techniques, few_labels, imbalance, class_weight, outliers, target_transform, loss",
    "train.unfreeze": "epochs, layers, learning_rate_scale",
    "train.pretrain": "techniques, epochs, batch_size, learning_rate",
}


@pytest.mark.unit
def test_every_setting_is_looked_at():
    """A new setting is named above, or has CALLER_ONLY in its annotation: whoever adds it decides."""
    named = {f"{group}.{name}".lstrip(".") for group, names in HARMLESS.items() for name in names.split(", ")}
    assert {name for name, marked in every_setting() if not marked} == named
    assert {"table.query", "table.allow_outside", "prepare.store", "train.teacher"} <= set(caller_only())


@pytest.mark.unit
def test_settings_are_parted_whole():
    """Each of the caller's settings is told and taken away, the others stay as they are."""
    values = {"table": {"query": "SELECT 1 AS a", "encoding": "cp1252"}, "prepare": {"store": "/tmp/x", "stream": True}}
    kept, names = split_saved(Config.gather(values).model_dump(mode="json"))
    assert names == ["table.query", "prepare.store"]
    assert (kept["table"]["encoding"], kept["prepare"]["stream"]) == ("cp1252", True)
    assert "query" not in kept["table"] and "store" not in kept["prepare"]
    assert Config.model_validate(kept).table.query is None


def forge(folder, **settings):
    """Write settings of `table` and `prepare` into a saved model, with a manifest that fits."""
    path, manifest = folder / "model.json", folder / "manifest.json"
    model, listed = json.loads(path.read_text()), json.loads(manifest.read_text())
    for group, values in settings.items():
        model["config"][group] |= values
    path.write_text(json.dumps(model))
    content = path.read_bytes()
    listed["files"]["model.json"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest.write_text(json.dumps(listed))


def picture(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(path)


@pytest.fixture
def server():
    """An address of this machine, and what it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/x.png", asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def pictures(tmp_path):
    """A table of pictures, and a model of it that is saved."""
    folder = tmp_path / "data"
    for row in range(ROWS):
        picture(folder / f"p/{row}.png", 40 + 150 * (row % 2))
    lines = ["photo,label", *(f"p/{row}.png,{'ab'[row % 2]}" for row in range(ROWS))]
    (folder / "t.csv").write_text("\n".join(lines))
    model = sensorium.fit(folder / "t.csv", "label", epochs=1, width=512, progress=False)
    model.save(tmp_path / "m")
    return folder / "t.csv", tmp_path / "m"


@pytest.fixture
def hostile(pictures, server, tmp_path):
    """A forged model, and a table whose cells lead out of its folder and to an address of this machine."""
    table, model = pictures
    picture(tmp_path / "secret.png", 10)
    forge(model, table={"allow_outside": True}, prepare={"store": str(tmp_path / "stolen"), "max_gigabytes": 1e-9})
    cells = ["../secret.png", str(tmp_path / "secret.png"), server[0]]
    other = table.parent / "other.csv"
    lines = [f"{cell},{'ab'[row % 2]}" for row, cell in enumerate(cells)]
    other.write_text("\n".join(["photo,label", *lines, *table.read_text().splitlines()[1:]]))
    return other, model


def outside(problems):
    return sorted(problem.row for problem in problems if problem.row is not None and "outside" in problem.reason)


def told(problems):
    return [problem for problem in problems if "is not saved with models" in problem.reason]


def predicted(model, table):
    return model.predictions(table).problems


def evaluated(model, table):
    return model.evaluate(table, "all").problems


def adapted(model, table):
    return model.adapt(table).fit_problems


def continued(model, table):
    return sensorium.fit(table, start=model, epochs=1, progress=False).fit_problems


@pytest.mark.parametrize("use", [predicted, evaluated, adapted, continued])
def test_a_forged_model_reaches_nothing(use, hostile, server, tmp_path):
    table, model = hostile
    problems = use(sensorium.load(model) if use is not continued else model, table)
    assert outside(problems) == [0, 1, 2]
    assert len(told(problems)) == 1 and "table.allow_outside" in told(problems)[0].reason
    assert not server[1] and not (tmp_path / "stolen").exists()


def test_neither_does_a_copy_of_it(hostile, server, tmp_path):
    table, model = hostile
    sensorium.load(model).adapt(table).save(tmp_path / "again")
    loaded = sensorium.load(tmp_path / "again")
    problems = predicted(loaded, table)
    assert outside(problems) == [0, 1, 2]
    assert told(problems) and not server[1]


def test_the_caller_may_allow_it(hostile):
    table, model = hostile
    allowed = {"table": {"allow_outside": True, "remote": {"private": True}}}
    loaded = sensorium.load(model, config=allowed)
    problems = predicted(loaded, table)
    assert {problem.row for problem in problems if problem.row is not None} == {2}
    assert not told(problems)
    problems = sensorium.fit(table, start=model, epochs=1, progress=False, config=allowed).fit_problems
    assert {problem.row for problem in problems if problem.row is not None} == {2}
    assert not told(problems)


def run(*words):
    found = CliRunner().invoke(make_app(), list(map(str, words)))
    assert found.exit_code == 0, found.output
    return found.output


@pytest.mark.parametrize("command", ["predict", "evaluate", "adapt", "quantize", "fit"])
def test_commands_take_it_from_the_command_line_alone(command, hostile, server, tmp_path):
    table, model = hostile
    words = {
        "predict": ["predict", model, table, "-o", tmp_path / "a.csv", "--json"],
        "evaluate": ["evaluate", model, table, "--split", "all", "--json"],
        "adapt": ["adapt", model, table, "--out", tmp_path / "b"],
        "fit": ["fit", table, "--from", model, "--epochs", "1", "--out", tmp_path / "c", "--json"],
        "quantize": ["quantize", model, "--out", tmp_path / "d", "--table", table, "--json"],
    }[command]
    output = run(*words)
    assert not server[1] and not (tmp_path / "stolen").exists()
    allowed = run(*words, "--set", "table.allow_outside=true", "--set", "table.remote.private=true")
    assert server[1]
    if command != "quantize":  # which tells figures alone
        assert "is not saved with models" in output and "does not bring along" not in allowed


def test_a_model_brings_no_query_along(tmp_path):
    path = tmp_path / "t.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE a (x REAL, label TEXT)")
        connection.executemany("INSERT INTO a VALUES (?, ?)", [(row / 7, "ab"[row % 2]) for row in range(ROWS)])
    config = {"table": {"query": "SELECT * FROM a WHERE x < 100"}}
    model = sensorium.fit(path, "label", epochs=1, progress=False, config=config)
    model.save(tmp_path / "m")
    assert "x < 100" not in (tmp_path / "m" / "model.json").read_text()
    forge(tmp_path / "m", table={"query": "SELECT 1 AS x, 'a' AS label"})
    loaded = sensorium.load(tmp_path / "m")
    found = loaded.predictions(path)
    assert len(found) == ROWS
    (problem,) = told(found.problems)
    assert "table.query" in problem.reason and "--set table.query=" in problem.cure
    loaded = sensorium.load(tmp_path / "m", config={"table": {"query": "SELECT * FROM a WHERE x < 1"}})
    found = loaded.predictions(path)
    assert len(found) == 7 and not told(found.problems)


def test_nothing_else_is_changed_after_the_fit(pictures):
    _, model = pictures
    for given, message in (
        ({"table": {"encoding": "cp1252"}}, "table.encoding cannot be changed"),
        ({"fusion": "gated"}, "fusion cannot be changed"),
        ({"train": {"teacher": "m"}}, "train.teacher cannot be changed"),
        ({"table": {"alow_outside": True}}, "did you mean 'allow_outside'"),
    ):
        with pytest.raises(ConfigError, match=message):
            sensorium.load(model, config=given)


def test_a_name_that_a_forged_model_lists_is_not_told(pictures):
    table, model = pictures
    path = model / "model.json"
    content = json.loads(path.read_text()) | {"caller_settings": ["rm -rf /", "table.query"]}
    path.write_text(json.dumps(content))
    forge(model)
    loaded = sensorium.load(model)
    assert "rm -rf" not in told(predicted(loaded, table))[0].reason


@pytest.mark.slow
def test_a_pretrained_model_is_never_looked_for_when_a_model_is_loaded(tmp_path, monkeypatch):
    import huggingface_hub

    folder = make_pretrained("text", tmp_path / "text")
    table = make_table(tmp_path, rows=ROWS, modalities=["text"])
    encoders = {"text": {"name": "pretrained_text", "model": str(folder)}}
    sensorium.fit(table, "label", epochs=1, progress=False, encoders=encoders).save(tmp_path / "m")
    asked = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *names, **_: asked.append(names))
    path = tmp_path / "m" / "model.json"
    content = json.loads(path.read_text())
    content["members"][0]["network"]["towers"][0]["options"] |= {"config": None, "model": "evil/model"}
    path.write_text(json.dumps(content))
    forge(tmp_path / "m")
    with pytest.raises(ArtifactError, match="lacks the settings of a pretrained model"):
        sensorium.load(tmp_path / "m")
    assert not asked


@pytest.mark.unit
def test_settings_of_a_model_name_no_other_model_to_fetch():
    pytest.importorskip("transformers")
    from sensorium.encoders._backbone_settings import as_settings

    settings = as_settings({"model_type": "vit", "attn_implementation": "evil/kernel", "hidden_size": 32})
    assert "evil" not in str(settings._attn_implementation)
    settings = as_settings({"model_type": "detr", "backbone": "evil/model", "use_pretrained_backbone": True})
    assert "evil" not in str(settings)
