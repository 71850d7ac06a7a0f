"""Settings as text: assignments of the command line, settings files, names that hold dots and quotes."""

import shlex

import pytest

from sensorium.config import as_yaml, parse_assignments, read_yaml, set_option
from sensorium.errors import ConfigError

pytestmark = pytest.mark.unit


def test_assignments_are_yaml():
    assert parse_assignments(["train.epochs=3", "columns=[a, b]", "fusion.name=late", "seed=5"]) == {
        "train": {"epochs": 3},
        "columns": ["a", "b"],
        "fusion": {"name": "late"},
        "seed": 5,
    }


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ('modalities."clip.sound".mels', ["modalities", "clip.sound", "mels"]),
        ('modalities."scan.KVP"', ["modalities", "scan.KVP"]),
        ('"a.b".c', ["a.b", "c"]),
        ('a."b', ["a", '"b']),
        ('a."b"c', ["a", '"b"c']),
        ("a..b", ["a", "", "b"]),
    ],
)
def test_a_name_with_a_dot_stands_in_quotes(key, keys):
    found = parse_assignments([f"{key}=1"])
    for part in keys:
        found = found[part]
    assert found == 1


@pytest.mark.parametrize("text", [*"#,|'*&%@`!>-?:;=\" \t", "---", "'tis", "a #b", "2026-02-31", "a: b: c", "|x", "<<"])
def test_a_value_that_yaml_cannot_read_is_text(text):
    assert parse_assignments([f"table.comment={text}"]) == {"table": {"comment": text}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, None) for text in ("", "~", "null")),
        *((text, "") for text in ("''", '""')),
        *((text, "#") for text in ("'#'", '"#"')),
        ("[]", []),
        ("{a: 1}", {"a": 1}),
        ('["", -99999]', ["", -99999]),
        ("3 # epochs", 3),
        ("'null'", "null"),
    ],
)
def test_other_values_are_read_as_yaml(text, value):
    assert parse_assignments([f"a={text}"]) == {"a": value}


@pytest.mark.parametrize("text", ["[1,", "[", "{a: 1", "['a]"])
def test_a_list_that_is_not_closed_names_its_setting(text):
    with pytest.raises(ConfigError) as caught:
        parse_assignments([f"table.missing={text}"])
    assert caught.value.place == "table.missing" and "bracket" in caught.value.cure


@pytest.mark.parametrize("name", ["v", "a.b", "Tsd.", "x=y", 'a "b".c', '"q"', "a b", ".", "ü", "it's", '"'])
def test_a_printed_setting_sets_what_it_names(name):
    option, text = shlex.split(set_option(name, "decimal", ","))
    assert option == "--set"
    assert parse_assignments([text]) == {"modalities": {name: {"decimal": ","}}}
    assert parse_assignments([f"split.time={as_yaml(name)}"]) == {"split": {"time": name}}


@pytest.mark.parametrize(
    ("wrong", "message"), [("epochs", "sets nothing"), ("=3", "sets nothing"), ("columns=[a", "sets no value")]
)
def test_an_assignment_that_is_none_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        parse_assignments(["seed=1", wrong])


@pytest.mark.parametrize("content", ["a: [", "- 1\n- 2", "\xff"])
def test_a_settings_file_that_is_none_is_refused(content, write):
    with pytest.raises(ConfigError) as caught:
        read_yaml(write("s.yaml", content.encode("latin-1")))
    assert "s.yaml" in caught.value.place


def test_a_key_is_set_once():
    with pytest.raises(ConfigError, match=r"train\.epochs is set twice"):
        parse_assignments(["train.epochs=3", "width=8", "train.epochs=1"])
    assert parse_assignments(["width=8", "width=8"]) == {"width": 8}
    assert parse_assignments(["fusion=gated", "fusion.per_feature=true"]) == {
        "fusion": {"name": "gated", "per_feature": True}
    }


@pytest.mark.parametrize(
    "assignments",
    [
        ["train={epochs: 2}", "train={epochs: 3}"],
        ["train={epochs: 2}", "train.epochs=3"],
        ["fusion=gated", "fusion.name=late"],
        ["fusion.per_feature=false", "fusion=gated"],
        ["train.techniques.pmr.alpha=0.5", "train.techniques=[pmr]"],
    ],
)
def test_no_assignment_is_lost_to_another(assignments):
    with pytest.raises(ConfigError, match=r"is set twice|replaces"):
        parse_assignments(assignments)


@pytest.mark.parametrize(
    ("assignments", "found"),
    [
        (["train={epochs: 2}", "train.epochs= 2"], {"train": {"epochs": 2}}),
        (["train={epochs: 2}", "train.seed=3"], {"train": {"epochs": 2, "seed": 3}}),
        (["train.techniques=[pmr]", "train.techniques.pmr.alpha=1"], {"train": {"techniques": {"pmr": {"alpha": 1}}}}),
    ],
)
def test_assignments_that_agree_are_joined(assignments, found):
    assert parse_assignments(assignments) == found
