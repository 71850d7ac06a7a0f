"""Commands other than `fit`: each option does what its help says, and each has a case here."""

import inspect
import json
import signal
import subprocess
import sys
import time

import pyarrow.csv
import pytest
from calls import answer, call, main

from sensorium.registry import commands
from sensorium.runtime.signals import CONTINUE

ELSEWHERE = {"model", "table", "target", "out", "json"}  # every other test gives them


def parameters(command):
    return set(inspect.signature(commands.load(command)).parameters) - ELSEWHERE


@pytest.fixture(scope="module")
def parted(tabular, tmp_path_factory):
    """The table with columns that name splits, yet are not called so, and settings in a file."""
    folder = tmp_path_factory.mktemp("parted")
    lines = tabular.read_text().splitlines()
    parts = ["train", "train", "train", "val", "test"] * 24
    path = folder / "t.csv"
    path.write_text("\n".join([f"{lines[0]},part", *(f"{line},{p}" for line, p in zip(lines[1:], parts, strict=True))]))
    (folder / "settings.yaml").write_text("columns: [number]\nmodalities: {number: category}\n")
    (folder / "width.yaml").write_text("width: 8\n")
    return path


def filled(flags, folder):
    return [str(folder / flag) if flag.endswith(".yaml") else flag for flag in flags]


def used(found):
    return {column["name"]: column["modality"] for column in found["columns"] if column["modality"]}


# Option → flags, and what is then seen.
INSPECT = {
    "columns": (["--columns", "text"], lambda found: list(used(found)) == ["text"]),
    "exclude": (["--exclude", "text, part"], lambda found: list(used(found)) == ["number", "category"]),
    "modality": (["--modality", "number=category"], lambda found: used(found)["number"] == "category"),
    "task": (["--task", "multilabel"], lambda found: found["target"]["task"] == "multilabel"),
    "split_column": (["--split-column", "part"], lambda found: found["split"]["rows"]["train"] == 72),
    "seed": (["--seed", "3"], lambda found: "seed 3" in found["split"]["how"]),
    "config": (["--config", "settings.yaml"], lambda found: used(found) == {"number": "category"}),
    "assign": (["--set", "split.test=0.5"], lambda found: found["split"]["rows"]["test"] == 60),
    "every": (["--every"], lambda found: found["every"]),
}
PAGE = {"html", "quiet"}  # see tests/report/test_inspection_page.py


def test_every_option_of_inspect_has_a_case():
    assert parameters("inspect") - PAGE == set(INSPECT)


@pytest.mark.slow
@pytest.mark.parametrize("name", INSPECT)
def test_an_option_of_inspect_does_what_it_says(name, parted):
    flags, seen = INSPECT[name]
    assert not seen(answer("inspect", parted, "--target", "label"))
    assert seen(answer("inspect", parted, "--target", "label", *filled(flags, parted.parent)))


def found_in(run, name):
    """What the model of a comparison says of itself."""
    return json.loads((run / name / "model.json").read_text())


def told(run):
    return json.loads((run / "comparison.json").read_text())


def columns_of(run, name):
    return [column["name"] for column in found_in(run, name)["columns"]]


# Option → flags, the model that is looked at, and what is seen.
COMPARE = {
    "fusions": (["--fusions", "late"], lambda run: (run / "late").is_dir() and not (run / "concat").exists()),
    "baselines": (["--baselines", "none"], lambda run: not told(run)["best_baseline"]),
    "blend": (["--blend"], lambda run: told(run)["finding"]["blend"] and (run / "blend").is_dir()),
    "seeds": (["--seeds", "2"], lambda run: told(run)["seeds"] == [0, 1]),
    "folds": (["--folds", "2"], lambda run: told(run).get("cross_validation", {}).get("folds") == 2),
    "repeats": (
        ["--folds", "2", "--repeats", "2"],
        lambda run: told(run).get("cross_validation", {}).get("repeats") == 2,
    ),
    "columns": (["--columns", "text,number"], lambda run: columns_of(run, "concat") == ["number", "text"]),
    "exclude": (["--exclude", "part"], lambda run: "part" not in columns_of(run, "concat")),
    "modality": (
        ["--modality", "number=category"],
        lambda run: found_in(run, "tabular")["columns"][0]["modality"] == "category",
    ),
    "task": (["--task", "multilabel"], lambda run: found_in(run, "concat")["task"]["name"] == "multilabel"),
    "epochs": (["--epochs", "2"], lambda run: len(found_in(run, "concat")["card"]["history"]["epochs"]) == 2),
    "split_column": (
        ["--split-column", "part"],
        lambda run: found_in(run, "concat")["data"]["split_rows"]["test"] == 24,
    ),
    "stream": (["--stream"], lambda run: found_in(run, "concat")["config"]["prepare"]["stream"]),
    "seed": (["--seed", "9"], lambda run: found_in(run, "concat")["config"]["seed"] == 9),
    "device": (["--device", "cpu"], lambda run: found_in(run, "concat")["config"]["device"] == "cpu"),
    "config": (["--config", "width.yaml"], lambda run: found_in(run, "concat")["members"][0]["network"]["width"] == 8),
    "assign": (["--set", "width=8"], lambda run: found_in(run, "concat")["members"][0]["network"]["width"] == 8),
}


def compared(table, out, *flags):
    result = call(
        "compare", table, "--target", "label", "--fusions", "concat", "--epochs", "1", "--out", out, "--quiet", *flags
    )
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture(scope="module")
def usual(parted, tmp_path_factory):
    return compared(parted, tmp_path_factory.mktemp("usual"))


def test_every_option_of_compare_has_a_case():
    assert parameters("compare") - {"quiet", "overwrite", "workers"} == set(COMPARE)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPARE)
def test_an_option_of_compare_does_what_it_says(name, parted, usual, tmp_path):
    flags, seen = COMPARE[name]
    assert not seen(usual)
    assert seen(compared(parted, tmp_path, *filled(flags, parted.parent)))


# Option → flags, and what the adapted model then says.
ADAPT = {
    "method": (["--method", "tent"], lambda model: model["card"]["adapted"]["method"] == "tent"),
    "seed": (["--method", "tent", "--seed", "5"], None),
    "device": (["--device", "cpu"], None),
    "option": (["--option", "prior=3"], lambda model: model["card"]["adapted"]["options"] == {"prior": 3}),
    "assign": (["--set", "table.query_timeout=9"], None),
    "quiet": (["--quiet"], None),
}


def adapted(run, made, out, *flags):
    result = call("adapt", run, made, "--out", out, *flags)
    assert result.exit_code == 0, result.output
    return result, json.loads((out / "model.json").read_text()), (out / "weights.safetensors").read_bytes()


def test_every_option_of_adapt_has_a_case():
    assert parameters("adapt") == set(ADAPT)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, (_, seen) in ADAPT.items() if seen])
def test_an_option_of_adapt_does_what_it_says(name, run, made, tmp_path):
    flags, seen = ADAPT[name]
    assert not seen(adapted(run, made, tmp_path / "plain")[1])
    assert seen(adapted(run, made, tmp_path / "other", *flags)[1])


@pytest.mark.slow
def test_the_other_options_of_adapt(run, made, tmp_path):
    found = [adapted(run, made, tmp_path / str(seed), "--method", "tent", "--seed", seed) for seed in (0, 5)]
    assert found[0][2] != found[1][2]
    assert adapted(run, made, tmp_path / "set", *ADAPT["assign"][0])
    with pytest.raises(ValueError, match="prior is an option of adabn") as caught:
        call("adapt", run, made, "--out", tmp_path / "no", "--set", "prior=3")
    assert caught.value.cure == "--option prior=3"
    quiet = adapted(run, made, tmp_path / "quiet", *ADAPT["quiet"][0])[0]
    assert (quiet.stdout, quiet.stderr) == ("", "")
    assert adapted(run, made, tmp_path / "cpu", *ADAPT["device"][0])
    with pytest.raises(ValueError, match="cannot use device 'cuda:99'"):
        call("adapt", run, made, "--out", tmp_path / "gpu", "--device", "cuda:99")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="already there"):
        call("adapt", tmp_path / "no model", made, "--out", tmp_path / "notes")


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (
            "evaluate",
            {
                "assign",
                "by",
                "coverage",
                "coverage_per",
                "curves",
                "device",
                "find_slices",
                "metrics",
                "per_class",
                "prevalence",
                "quiet",
                "slice_by",
                "split",
                "subsets",
                "threshold",
            },
        ),
        ("predict", {"by", "device", "keep", "quiet", "safe_csv", "coverage", "coverage_per", "threshold", "assign"}),
    ],
)
def test_a_device_that_is_not_there_is_refused_by_those_that_use_a_model(command, options, run, made, tmp_path):
    assert parameters(command) == options
    out = ["-o", tmp_path / "a.csv"] if command == "predict" else []
    with pytest.raises(ValueError, match="cannot use device 'cuda:99'"):
        call(command, run, made, *out, "--device", "cuda:99")
    assert answer(command, run, made, *out, "--device", "cpu")


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "validation", "test", "all"])
def test_evaluate_takes_every_split(split, run, made):
    import sensorium

    found = sensorium.load(run).evaluate(made, split).to_json()
    assert answer("evaluate", run, made, "--split", split) == {**found, "notices": []}


def test_evaluate_and_predict_take_slices_and_units(run, made, tmp_path):
    found = answer("evaluate", run, made, "--slice", "category,present", "--slice", "number", "--find-slices")
    assert list(found["slices"]["columns"]) == ["category", "present", "number"]
    assert {"examined", "found", "next"} <= found["slices"]["search"].keys()
    told = call("evaluate", run, made, "--slice", "category", "--split", "all").stdout
    assert "change from other rows" in told and "few rows" in told
    units = answer("predict", run, made, "-o", tmp_path / "units.csv", "--by", "category")["units"]
    with pytest.raises(ValueError, match="rows of one 'category' have different labels"):
        call("evaluate", run, made, "--by", "category", "--split", "all")
    assert 1 < units < 160
    assert (tmp_path / "units.csv").read_text().startswith('"rows","category","prediction"')


def test_evaluate_takes_subsets(run, made):
    found = answer("evaluate", run, made, "--subsets")
    towers = {name for result in found["subsets"]["results"] for name in result["modalities"]}
    assert len(found["subsets"]["results"]) == {4: 15, 5: 11}[len(towers)]
    assert set(found["subsets"]["shares"]) == towers
    told = call("evaluate", run, made, "--subsets").stdout
    assert "Shapley value" in told
    assert "image + audio" in told or "all but one" in told


def test_evaluate_measures_a_coverage(run, made):
    found = answer("evaluate", run, made, "--coverage", "0.8", "--coverage-per", "all")["coverage"]
    assert (found["level"], found["per"]) == (0.8, "all")
    assert found["interval"][0] <= found["coverage"] <= found["interval"][1]
    assert "coverage of 0.8 prediction sets" in call("evaluate", run, made, "--coverage", "0.8").stdout


def test_predict_adds_sets_for_a_coverage(run, made, tmp_path):
    import sensorium
    from sensorium.table import open_table

    notices = answer("predict", run, made, "--out", tmp_path / "a.jsonl", "--coverage", "0.8")["notices"]
    sets = [json.loads(line)["prediction_set"] for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    wanted = sensorium.load(run).predictions(made, coverage=0.8)
    assert sets == wanted.to_arrow()["prediction_set"].to_pylist()
    assert any("coverage 0.8 holds for all rows together" in notice["reason"] for notice in notices)
    for option in (["--coverage", "1.5"], ["--coverage", "0.8", "--coverage-per", "row"]):
        with pytest.raises(ValueError, match="coverage"):
            call("predict", run, made, "--out", tmp_path / "b.csv", *option)
    assert len(open_table(tmp_path / "a.jsonl")) == 160


def test_quiet_predictions_say_nothing_at_all(run, made, tmp_path):
    result = call("predict", run, made, "--out", tmp_path / "a.csv", "--quiet")
    assert (result.stdout, result.stderr) == ("", "")
    assert pyarrow.csv.read_csv(tmp_path / "a.csv").num_rows == 160


def test_predictions_that_cannot_be_written_are_told_before_the_work(run, made, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for out in (tmp_path / "nowhere" / "a.csv", tmp_path / "folder.csv", tmp_path / "a.ods"):
        with pytest.raises(ValueError, match=r"\.ods|folder"):
            call("predict", tmp_path / "no model", made, "--out", out)


def test_list_takes_one_kind(tmp_path):
    assert parameters("list") == {"kind", "name", "quiet"}
    assert list(answer("list", "fusions")) == ["fusions"]


@pytest.mark.parametrize("command", commands.names())
def test_help_has_an_example_that_can_be_parsed(command):
    """Every option that an example uses is one of the command's."""
    text = call(command, "--help").stdout
    (example,) = [line for line in text.splitlines() if line.strip().startswith("Example: ")]
    words = example.split()
    assert words[1:3] == ["sensorium", command]
    assert all(word in text.replace(example, "") for word in words if word.startswith("-"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit"], "TABLE"),
        (["fit", "t.csv", "--no-such"], "--no-such"),
        (["fit", "t.csv", "--epochs", "many"], "an integer, at least 1"),
        (["compare", "t.csv", "--seed", "-1"], "'--seed': it must be an integer, at least 0"),
        (["predict", "model", "t.csv"], "--out"),
        (["evaluate", "model"], "TABLE"),
        (["inspect"], "TABLE"),
        (["demo", "--epochs", "0"], "--epochs"),
        (["list", "fusions", "gated", "more"], "more"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(arguments, message):
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"), [(["fit", "--json", "--no-such"], "--no-such"), (["evaluate", "model", "--json"], "TABLE")]
)
def test_wrong_usage_is_an_object_with_json(arguments, said):
    found = main(*arguments)
    told = json.loads(found.stdout)
    assert found.returncode == 2
    assert set(told) == {"error", "kind", "finding", "place", "rule", "cure", "faults"}
    assert said in told["finding"] and said in found.stderr
    assert told["place"] == f"sensorium {arguments[0]}" and "--help" in told["cure"]


@pytest.mark.slow
def test_an_interrupted_fit_ends_without_a_traceback(tabular, tmp_path):
    fit = ["fit", tabular, "--target", "label", "--epochs", "100000", "--set", "train.patience=100000"]
    command = [sys.executable, "-m", "sensorium", *map(str, fit), "--out", str(tmp_path), "--json"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "run.json").exists():
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    output, said = child.communicate()
    assert child.returncode == 130
    assert output == ""
    assert said.splitlines()[-1] in ("interrupted", f"interrupted: {CONTINUE}")
    assert "Traceback" not in said


@pytest.mark.parametrize("command", [name.rstrip("_") for name in commands.names()])
def test_shared_options_are_spelt_alike(command):
    """`--json`, `--quiet`, `-o/--out`: wherever there is one; arguments are TABLE and MODEL."""
    usage, _, help_text = call(command, "--help").stdout.partition("\n")
    assert "--json" in help_text and "-q, --quiet" in help_text
    assert ("--out" in help_text) == ("-o, --out" in help_text)
    arguments = usage.partition("[OPTIONS]")[2].split()
    assert all(name.strip("[]").isupper() for name in arguments) and not set(usage) & set("{}<>")


def test_quiet_commands_that_only_read_print_nothing(run, made):
    for arguments in (["evaluate", run, made], ["list", "fusions"], ["inspect", made]):
        found = call(*arguments, "--quiet")
        assert (found.exit_code, found.stdout, found.stderr) == (0, "", "")


LIBRARY = """
import logging, sys, warnings
from sensorium.cli import _main, _show
show = _show.show
def noisy(*arguments):
    warnings.warn("a library warns")
    logging.getLogger("library").warning("a library logs")
    show(*arguments)
_show.show = noisy
sys.argv = ["sensorium", *sys.argv[1:]]
_main.main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("quiet", [["-q"], []])
def test_quiet_commands_show_no_warnings_of_libraries(quiet):
    command = [sys.executable, "-c", LIBRARY, "list", "fusions", *quiet]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0
    assert ("a library warns" in found.stderr, "a library logs" in found.stderr) == (not quiet, not quiet)
    assert bool(found.stdout) == (not quiet)
