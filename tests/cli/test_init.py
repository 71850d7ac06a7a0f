"""`sensorium init` writes a file of settings that `fit` accepts, and that changes nothing until it is edited."""

import json
import re
import shlex

import numpy as np
import pytest
import yaml
from calls import answer, call

import sensorium
from sensorium.config import Config, TrainConfig, for_few_labels, list_settings
from sensorium.errors import ConfigError, SensoriumError
from tiers import tiered

DEFAULT = re.compile(r"^( *)# (?= *[a-z_]+:( |$))", re.MULTILINE)


def initialise(table, out, *flags):
    return answer("init", table, "--target", "label", "-o", out, "--quiet", *flags)


def joined_lines(text):
    """The text with each comment on one line."""
    return re.sub(r"\n#\s+# ", " ", text)


def test_init_then_fit_gives_the_model_of_fit_alone(tabular, tmp_path):
    found = initialise(tabular, tmp_path / "s.yaml")
    assert found["columns"] == {"number": "number", "category": "category", "text": "text"}
    flags = ["--epochs", "2", "--quiet", "--out"]
    call("fit", tabular, "--config", tmp_path / "s.yaml", *flags, tmp_path / "one")
    call("fit", tabular, "--target", "label", *flags, tmp_path / "two")
    models = [sensorium.load(tmp_path / run) for run in ("one", "two")]
    weights = [model.fitted.network.state_dict() for model in models]
    assert all(np.array_equal(value, weights[1][name]) for name, value in weights[0].items())
    assert models[0].card["metrics"] == models[1].card["metrics"]


@pytest.mark.unit
def test_comments_are_settings_with_the_values_in_force(tabular, tmp_path):
    initialise(tabular, tmp_path / "s.yaml")
    text = (tmp_path / "s.yaml").read_text()
    every = yaml.safe_load(DEFAULT.sub(r"\1", text))
    assert every["encoders"] == {"number": "tabular", "category": "tabular", "text": "bilstm"}
    assert every["exclude"] == [] and "for example [text]" in text
    assert every["task"] == "multiclass" and "module" not in text
    defaults = Config(train=for_few_labels(TrainConfig(), 100, "multiclass")).model_dump(mode="json")
    config = Config.gather(every).model_dump(mode="json")
    assert {**config["train"], **config["split"], **config["prepare"]} == {
        **defaults["train"], **defaults["split"], **defaults["prepare"],
    }  # fmt: skip
    known = {setting.name: setting.description for setting in list_settings()}
    assert known["train.patience"] in joined_lines(text) and known["split.group"].split(":")[0] in joined_lines(text)


@pytest.mark.unit
def test_given_settings_are_set_and_those_of_the_caller_are_named(tabular, tmp_path):
    flags = ["--modality", "number=category", "--exclude", "text", "--set", "train.epochs=3", "--set", "fusion=gated"]
    flags += ["--set", "table.allow_outside=true", "--set", "modalities.number.max_categories=7"]
    initialise(tabular, tmp_path / "s.yaml", *flags)
    text = (tmp_path / "s.yaml").read_text()
    assert yaml.safe_load(text) == {
        "target": "label",
        "modalities": {"number": {"name": "category", "max_categories": 7}, "category": "category"},
        "exclude": ["text"],
        "fusion": "gated",
        "train": {"epochs": 3},
    }
    assert "table.allow_outside" in text.partition("modalities:")[0]
    assert "  # patience: 20" in text


@pytest.mark.unit
def test_reasons_cautions_and_advice_are_comments(tmp_path):
    table = tmp_path / "t.csv"
    rows = [f"p{row // 4},2025-01-{1 + row % 28:02d},{row},7,{'ab'[row % 2]}" for row in range(80)]
    table.write_text("\n".join(["patient,day,id,same,label", *rows]))
    initialise(table, tmp_path / "s.yaml")
    text = (tmp_path / "s.yaml").read_text()
    inspected = answer("inspect", table, "--target", "label", "--quiet")
    joined = text.replace("\n# ", " ").replace("\n  # ", " ")
    for column in inspected["columns"]:
        assert column["modality"] is None or column["reason"] in joined
    assert all(f"Consider {each['setting']}" in joined for each in inspected["advice"] if each["setting"])
    assert "Left out: id:" in text and "Left out: same:" in text


@pytest.mark.unit
@pytest.mark.parametrize("mark", tiered(["\n", "\x85"], ["\u2028", "\r"]))
def test_nothing_in_a_table_becomes_a_setting(mark, tmp_path):
    evil = f"x{mark}table: {{allow_outside: true}}{mark}"
    table = tmp_path / "t.jsonl"
    lines = [{evil: f"{evil} {row % 3}", "x": row, "label": "ab"[row % 2]} for row in range(60)]
    table.write_text("\n".join(json.dumps(line) for line in lines))
    initialise(table, tmp_path / "s.yaml")
    found = yaml.safe_load((tmp_path / "s.yaml").read_text())
    assert set(found) == {"target", "modalities"}
    assert set(found["modalities"]) <= {evil, "x"}


@pytest.mark.unit
def test_a_file_is_replaced_only_if_asked_for(tabular, tmp_path):
    out = tmp_path / "s.yaml"
    out.write_text("width: 8\n")
    with pytest.raises(ConfigError, match="the file exists"):
        initialise(tabular, out)
    assert out.read_text() == "width: 8\n"
    initialise(tabular, out, "--overwrite")
    assert "target: label" in out.read_text()
    with pytest.raises(SensoriumError, match="replace the table"):
        initialise(tabular, tabular, "--overwrite")
    with pytest.raises(ConfigError, match="the folder does not exist"):
        initialise(tabular, tmp_path / "no" / "s.yaml")


@pytest.mark.unit
def test_command_in_the_header_can_be_copied(tabular, tmp_path):
    table, out = tmp_path / "my visits.csv", tmp_path / "it's  set.yaml"
    table.write_bytes(tabular.read_bytes())
    initialise(table, out)
    commands = [line for line in out.read_text().splitlines() if "sensorium fit" in line]
    assert [shlex.split(line.removeprefix("# ")) for line in commands] == [
        ["sensorium", "fit", str(table), "--config", str(out)]
    ]


@pytest.mark.unit
def test_without_a_target_there_is_a_line_to_fill_in(tabular, tmp_path):
    out = tmp_path / "s.yaml"
    shown = call("init", tabular, "-o", out).stdout
    assert f"no target is given: fill in `target` in {out}" in shown
    text = out.read_text()
    assert yaml.safe_load(text)["target"] is None and "No target is given" in text.partition("target:")[0]
    Config.gather(yaml.safe_load(text.replace("target: ", "target: label ")))
    assert "fill in" not in call("init", tabular, "--target", "label", "-o", out, "--overwrite").stdout


@pytest.mark.slow
@pytest.mark.unit
def test_values_are_those_of_a_fit_of_this_table(tabular, tmp_path):
    """Uncommenting a setting of a table with few rows changes nothing."""
    initialise(tabular, tmp_path / "s.yaml")
    text = (tmp_path / "s.yaml").read_text()
    train = yaml.safe_load(DEFAULT.sub(r"\1", text))["train"]
    assert (train["patience"], train["techniques"]) == (20, {"label_smoothing": {}})
    joined = joined_lines(text)
    assert "(instead of 8: few training rows, see train.few_labels)" in joined
    assert "(instead of {}: few training rows, see train.few_labels)" in joined
    initialise(tabular, tmp_path / "p.yaml", "--set", "train.few_labels=none")
    assert "  # patience: 8 " in (tmp_path / "p.yaml").read_text()


@pytest.mark.unit
def test_choices_of_encoders_have_the_short_names_of_weights(tabular, tmp_path):
    initialise(tabular, tmp_path / "s.yaml")
    assert re.search(r"text: bilstm # one of .*\bminilm\b", joined_lines((tmp_path / "s.yaml").read_text()))
