"""Every command: its JSON, its exit code, its words; what each option does."""

import inspect
import json
import re
import subprocess
import sys

import pyarrow as pa
import pytest
import typer
import yaml
from calls import answer, call, main
from pyarrow import csv, feather, parquet

import sensorium
from sensorium.cli import _main
from sensorium.errors import SensoriumError
from sensorium.registry import augmentations, commands, encoders, fusions, metrics, modalities, tasks
from tiers import tiered

FIT_KEYS = {
    "model",
    "task",
    "target",
    "columns",
    "fusion",
    "members",
    "epochs",
    "seconds",
    "metrics",
    "problems",
    "notices",
    "preset",
}


def fit(table, out, *more):
    return answer("fit", table, "--target", "label", "--epochs", "1", "--out", out, "--quiet", *more)


def process(*arguments):
    command = [sys.executable, "-m", "sensorium", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_fit_tells_what_it_made(tabular, tmp_path):
    found = fit(tabular, tmp_path / "run")
    assert set(found) == FIT_KEYS
    assert found["model"] == str(tmp_path / "run" / "model")
    assert (found["task"], found["target"], found["fusion"], found["epochs"]) == ("multiclass", "label", "concat", 1)
    assert found["columns"] == {"number": "number", "category": "category", "text": "text"}
    assert set(found["metrics"]) == {"val", "test"}
    assert {"accuracy", "f1_macro", "roc_auc", "log_loss", "ece", "mcc"} <= set(found["metrics"]["test"])
    assert found["seconds"] > 0
    assert found["problems"] == 0


def test_fit_from_a_model_reports_the_distribution_shift(run, made, tmp_path):
    found = answer("fit", made, "--from", run, "--epochs", "1", "--out", tmp_path / "run", "--quiet")
    assert set(found) == FIT_KEYS | {"moved"}
    assert set(found["moved"]) == {
        "from", "labels", "missing", "unused", "columns", "weights", "split", "answers", "metrics",
    }  # fmt: skip
    assert set(found["moved"]["weights"]) == {"image", "audio", "text", "tabular", "fusion", "head"}
    text = call("fit", made, "--from", run, "--epochs", "1", "--out", tmp_path / "run").stdout
    before, after = sensorium.load(run).evaluate(made, "test").metrics["accuracy"], found["metrics"]["test"]["accuracy"]
    change = f"{before:.4f} → {after:.4f}" if after != before else f"{before:.4f}, unchanged"
    assert "distribution shift since" in text and f"accuracy on the same 16 rows: {change}" in text
    assert re.search(r"\b1 epoch in \d[\d.]* s\n", text)


def test_adapt_saves_a_model_and_reports_the_distribution_shift(run, made, tmp_path):
    found = answer("adapt", run, made, "--out", tmp_path / "adapted", "--quiet")
    assert set(found) == {"model", "method", "rows", "moved", "problems"}
    assert (found["method"], found["rows"]) == ("adabn", 160)
    assert found["moved"]["weights"]["image"] > 0 == found["moved"]["weights"]["head"]
    kept = sensorium.load(tmp_path / "adapted")
    assert kept.card["moved"] == found["moved"]
    text = call("adapt", run, made, "--out", tmp_path / "adapted.zip").stdout
    assert "weights changed by: image" in text and f"model: {tmp_path / 'adapted.zip'}" in text


@pytest.mark.slow
def test_fit_within_a_budget_tells_of_the_search(tabular, tmp_path):
    found = fit(tabular, tmp_path / "run", "--budget", "1s")
    assert set(found) == FIT_KEYS | {"search"}
    assert found["search"]["budget"] == 1
    assert found["search"]["trials"] >= 3
    result = call("fit", tabular, "--target", "label", "--epochs", "1", "--out", tmp_path / "again", "--budget", "1s")
    assert "trainings in" in result.stdout
    assert "text alone" in result.stdout
    assert "chosen on the validation rows" in result.stdout


def test_fit_tells_whether_a_temperature_helped(tabular, tmp_path):
    settings = ["--set", "calibrate=temperature", "--set", "split.validation=0.5"]
    result = call("fit", tabular, "--target", "label", "--epochs", "2", "--out", tmp_path / "run", *settings)
    assert "temperature" in result.stdout
    assert saved(tmp_path / "run")["temperature"] == saved(tmp_path / "run")["card"]["calibration"]["temperature"]


def test_evaluate_tells_metrics_and_intervals(run, made):
    found = answer("evaluate", run, made)
    assert set(found) == {"n", "metrics", "intervals", "few", "notices"}
    assert found["few"] == {"rows": found["n"]}
    assert set(found["metrics"]) == set(found["intervals"])
    low, high = found["intervals"]["accuracy"]
    assert low <= found["metrics"]["accuracy"] <= high
    assert answer("evaluate", run, made, "--split", "all")["n"] == 160


def test_evaluate_computes_requested_metrics_and_those_of_each_class(run, made):
    found = answer("evaluate", run, made, "--metrics", "cohen_kappa, f1_macro", "--per-class")
    assert list(found["metrics"]) == list(found["intervals"]) == ["cohen_kappa", "f1_macro"]
    assert sum(own["rows"] for own in found["per_class"]) == found["n"]
    assert {"precision", "recall", "f1"} < set(found["per_class"][0]["metrics"])
    shown = call("evaluate", run, made, "--metrics", "accuracy", "--per-class").stdout
    assert f"few rows ({found['n']})" in shown
    assert "recall, 95% interval" in shown
    wrong = main("evaluate", run, made, "--metrics", "accuracies,f1_macro")
    assert wrong.returncode == 1
    assert "'accuracies'" in wrong.stderr and "'accuracy'" in wrong.stderr


@pytest.mark.slow
def test_fit_with_a_check_of_imbalance_reports_what_it_found(tabular, tmp_path):
    arguments = ["fit", tabular, "--target", "label", "--epochs", "1", "--out", tmp_path / "r", "--quiet"]
    assert "imbalance" not in answer(*arguments)
    found = answer(*arguments, "--check-imbalance", "--overwrite")["imbalance"]
    assert found["mitigation"]["results"][0]["name"] == "plain"
    assert set(found["signs"]["modalities"]) == {"tabular", "text"}
    told = call(*arguments[:-1], "--check-imbalance").stdout
    assert "modality imbalance on validation rows" in told
    assert "the figures of a modality are for the rows that have it" in told
    assert "linear probe" in told


@pytest.mark.parametrize(
    ("suffix", "read"),
    [
        (".parquet", parquet.read_table),
        (".csv", csv.read_csv),
        (".feather", feather.read_table),
        (".jsonl", lambda path: pa.Table.from_pylist([json.loads(line) for line in path.read_text().splitlines()])),
    ],
)
def test_predict_writes_one_row_a_row(suffix, read, run, made, tmp_path):
    out = tmp_path / f"answers{suffix}"
    assert answer("predict", run, made, "-o", out, "--quiet") == {"rows": 160, "out": str(out), "notices": []}
    found = read(out)
    assert found.num_rows == 160
    assert found.column_names[:2] == ["row", "prediction"]
    assert [entry.name for entry in tmp_path.iterdir()] == [out.name]


def test_compare_tells_singles_fusions_and_a_verdict(tabular, tmp_path):
    found = answer(
        "compare", tabular, "--target", "label", "--epochs", "1", "--fusions", "concat, late", "--out", tmp_path / "c",
        "--quiet",
    )  # fmt: skip
    assert set(found) == {
        "results", "best_single", "best_fused", "best_baseline", "difference", "baseline_difference", "helps",
        "recommended", "verdict", "finding", "seeds", "left_out", "notices", "few",
    }  # fmt: skip
    assert [result["name"] for result in found["results"]] == ["tabular", "text", "concat", "late", "linear", "trees"]
    for result in found["results"]:
        assert {"name", "modalities", "fusion", "metrics", "intervals", "runs", "seconds", "parameters"} < set(result)
        assert (result["gain"] is None) == (result["kind"] == "single")
    assert set(found["difference"]) == {"metric", "value", "interval", "p"}
    assert found["best_single"] in ("tabular", "text")
    assert found["best_fused"] in ("concat", "late")
    assert json.loads((tmp_path / "c" / "comparison.json").read_text()) == found


def test_inspect_tells_columns_target_and_split(made):
    found = answer("inspect", made, "--target", "label")
    assert {column["name"]: column["modality"] for column in found["columns"]} == {
        **{name: name for name in ("image", "audio", "text", "number", "category", "boolean", "date")},
        "label": None,
    }
    assert all(column["reason"] for column in found["columns"])
    assert found["target"]["task"] == "multiclass"
    assert sum(found["split"]["rows"].values()) == 160


def test_list_names_everything_with_its_options():
    found = answer("list")
    for plural, registry in {
        "modalities": modalities, "augmentations": augmentations, "encoders": encoders, "fusions": fusions,
        "tasks": tasks, "metrics": metrics,
    }.items():  # fmt: skip
        assert list(found[plural]) == registry.names()
        assert all(found[plural].values())
    text = call("list", "fusions").stdout
    for name in fusions.names():
        assert name in text
        assert all(option.name in text for option in fusions.entry(name).options())


@pytest.mark.parametrize("command", [name.rstrip("_") for name in commands.names()])
def test_help_says_what_a_command_does_and_every_option(command):
    found = call(command, "--help")
    assert found.exit_code == 0
    assert found.stdout.startswith("Usage: ")
    for line in found.stdout.splitlines():
        if line.strip().startswith("--"):
            assert len(line.split("  ")) > 1, f"no help: {line}"


NOTHING_BY_DEFAULT = {"--set", "--config", "--from", "--target"}


@pytest.mark.unit
def test_help_names_the_default_of_every_option_and_says_the_same_of_the_same_option():
    said, commands_ = {}, typer.main.get_command(_main.make_app()).commands
    for name, command in commands_.items():
        for option in (each for each in command.params if each.param_type_name == "option"):
            record = option.get_help_record(typer.Context(command))[1]
            if not option.is_flag and not option.required and option.opts[0] not in NOTHING_BY_DEFAULT:
                assert "default" in record or "without it" in record, f"{name} {option.opts[0]}: {record}"
            if option.opts[0] not in OWN_WORDS:
                said.setdefault(option.opts[0], {}).setdefault(option.help, []).append(name)
    differing = {flag: texts for flag, texts in said.items() if len(texts) > 1}
    assert not differing


# What they name differs: a run, a comparison, a file; rows of a table or of training; settings of a model or of a fit.
OWN_WORDS = {"--out", "--overwrite", "--epochs", "--set"}


def parameters(command):
    return set(inspect.signature(commands.load(command)).parameters)


# Option → flags, and what the saved model then says.
EFFECTS = {
    "start": (["--from", "MODEL"], lambda m: m["card"]["moved"]["from"] == m["card"]["table"]),
    "columns": (["--columns", "text"], lambda m: names(m) == ["text"]),
    "exclude": (["--exclude", "text, number"], lambda m: names(m) == ["category", "part"]),
    "modality": (["--modality", "number=category"], lambda m: m["columns"][0]["modality"] == "category"),
    "preset": (["--preset", "fast"], lambda m: m["card"]["preset"]["reason"] == "as set"),
    "fusion": (["--fusion", "late"], lambda m: m["members"][0]["network"]["fusion"] == "late"),
    "task": (["--task", "multilabel"], lambda m: m["task"]["name"] == "multilabel"),
    "epochs": (["--epochs", "2"], lambda m: len(m["card"]["history"]["epochs"]) == 2),
    "budget": (["--budget", "1s"], lambda m: m["card"]["search"]["budget"] == 1),
    "folds": (["--folds", "2"], lambda m: m["card"]["cross_validation"]["folds"] == 2),
    "repeats": (["--folds", "2", "--repeats", "2"], lambda m: m["card"]["cross_validation"]["repeats"] == 2),
    "split_column": (["--split-column", "part"], lambda m: m["data"]["split_rows"]["test"] == 24),
    "stream": (["--stream"], lambda m: m["config"]["prepare"]["stream"]),
    "check_imbalance": (["--check-imbalance"], lambda m: "imbalance" in m["card"]),
    "teacher": (["--teacher", "MODEL"], lambda m: "distillation" in m["card"]["history"]["techniques"]),
    "seed": (["--seed", "9"], lambda m: "seed 9" in m["data"]["split_rule"]),
    "device": (["--device", "cpu"], lambda m: m["config"]["device"] == "cpu"),
    "config": (["--config", "FILE"], lambda m: m["members"][0]["network"]["fusion"] == "gated"),
    "assign": (["--set", "fusion=attention"], lambda m: m["members"][0]["network"]["fusion"] == "attention"),
}
ELSEWHERE = {"table", "target", "out", "json", "quiet", "resume", "overwrite", "track"}  # other tests give them


def names(model):
    return [column["name"] for column in model["columns"]]


def saved(run):
    return json.loads((run / "model" / "model.json").read_text())


def test_every_option_of_fit_has_a_case():
    assert parameters("fit") - ELSEWHERE == set(EFFECTS)


@pytest.fixture
def parted(tabular, tmp_path):
    """The table with a column that names splits, yet is not called so."""
    lines = tabular.read_text().splitlines()
    parts = ["train", "train", "train", "val", "test"] * 24
    path = tmp_path / "t.csv"
    path.write_text("\n".join([f"{lines[0]},part", *(f"{line},{p}" for line, p in zip(lines[1:], parts, strict=True))]))
    (tmp_path / "settings.yaml").write_text("fusion: gated\n")
    return path


# These have a test of their own above, or all that they do is done by the tests of `fit`.
ALSO_ELSEWHERE = ["start", "budget", "check_imbalance", "epochs", "repeats", "exclude", "device", "seed", "preset"]


@pytest.mark.slow
@pytest.mark.parametrize("name", tiered([name for name in EFFECTS if name not in ALSO_ELSEWHERE], ALSO_ELSEWHERE))
def test_an_option_of_fit_does_what_it_says(name, parted, tmp_path):
    flags, seen = EFFECTS[name]
    places = {"FILE": str(tmp_path / "settings.yaml"), "MODEL": str(tmp_path / "fitted")}
    if "MODEL" in flags:
        fit(parted, tmp_path / "fitted")
    flags = [places.get(flag, flag) for flag in flags]
    fit(parted, tmp_path / "run", *flags)
    assert seen(saved(tmp_path / "run"))


def test_a_device_that_is_not_there_is_refused(tabular, tmp_path):
    with pytest.raises(SensoriumError, match="cannot use device 'cuda:99'"):
        fit(tabular, tmp_path / "run", "--device", "cuda:99")


def test_layers_of_settings_lie_over_each_other(tabular, tmp_path):
    """Defaults < file < flags < --set."""
    (tmp_path / "s.yaml").write_text("fusion: gated\nwidth: 16\nseed: 3\n")
    given = ["--config", tmp_path / "s.yaml", "--fusion", "late", "--set", "width=8"]
    fit(tabular, tmp_path / "run", *given)
    found = saved(tmp_path / "run")
    network = found["members"][0]["network"]
    assert (network["fusion"], network["width"], found["config"]["seed"]) == ("late", 8, 3)


def test_quiet_says_nothing_but_the_result(tabular, tmp_path):
    found = main("fit", tabular, "--target", "label", "--epochs", "1", "--out", tmp_path / "r", "--quiet", "--json")
    assert found.returncode == 0
    assert found.stderr == ""
    assert len(found.stdout.splitlines()) == 1


def test_without_json_a_person_reads_tables(tabular, tmp_path):
    """Short work without a terminal shows no progress."""
    found = main("fit", tabular, "--target", "label", "--epochs", "2", "--out", tmp_path / "r")
    assert "95% interval" in found.stdout
    assert f"model: {tmp_path / 'r' / 'model'}" in found.stdout
    assert not [line for line in found.stderr.splitlines() if not line.startswith(("?", "preset: "))]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["fit", "gone.csv", "--target", "y"], 1, "the table does not exist"),
        (["evaluate", "gone", "gone.csv"], 1, "the model does not exist"),
        (["list", "fusion"], 1, "did you mean 'fusions'"),
        (["predict", "gone", "gone.csv", "-o", "a.ods"], 1, "cannot write .ods files"),
        (["predict", "gone", "gone.csv", "-o", "a"], 1, "the name of the file has no suffix"),
        (["predict", "gone", "gone.csv", "-o", "nowhere/a.csv"], 1, "the folder does not exist"),
        (["fit", "gone.csv", "--epochs", "0"], 2, "--epochs"),
        (["fti"], 2, "fti"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(arguments, code, message):
    found = main(*arguments)
    assert found.returncode == code
    assert message in found.stderr
    assert "Traceback" not in found.stderr
    assert found.stdout == ""


@pytest.mark.slow
def test_with_json_a_mistake_is_an_object_too(tmp_path):
    found = process("fit", tmp_path / "gone.csv", "--target", "y", "--json")
    assert found.returncode == 1
    assert "the table does not exist" in found.stderr and "Traceback" not in found.stderr
    told = json.loads(found.stdout)
    assert "the table does not exist" in told["error"]
    assert told["kind"] == "TableError" and told["finding"] in told["error"] and "gone.csv" in told["place"]


def test_with_json_several_mistakes_are_objects_each(tabular, tmp_path):
    wrong = ["--set", "train.epochs=-1", "--set", "width=none"]
    found = json.loads(main("fit", tabular, "--target", "label", *wrong, "--json").stdout)
    assert sorted(fault["place"] for fault in found["faults"]) == ["train.epochs", "width"]
    assert all(fault["rule"] and not fault["faults"] for fault in found["faults"])


def test_mistakes_are_sensorium_errors_to_whoever_calls(tabular, tmp_path):
    with pytest.raises(SensoriumError, match="no column 'lable'"):
        call("fit", tabular, "--target", "lable", "--out", tmp_path / "r")


def test_help_cuts_no_summary():
    text = call("--help").stdout
    commands = text.partition("Commands:")[2]
    assert all(name in commands for name in ("adapt", "compare", "quantize")) and "..." not in commands


def test_the_version_is_told():
    assert call("--version").stdout == f"sensorium {sensorium.__version__}\n"


def test_augmentations_are_switched_on_by_name_and_told(tabular, tmp_path):
    on = ["--set", "augment.text=[token_dropout]", "--set", "augment.number.noise.std=0.3"]
    result = call("fit", tabular, "--target", "label", "--epochs", "1", "--out", tmp_path / "run", *on)
    assert "augmented in training: number by noise; text by token_dropout" in result.stdout
    settings = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["augment"]
    assert settings == {"text": {"token_dropout": {}}, "number": {"noise": {"std": 0.3}}}
    card = sensorium.load(tmp_path / "run").card["augment"]
    assert card["number"] == {"noise": {"probability": 1.0, "std": 0.3}}
