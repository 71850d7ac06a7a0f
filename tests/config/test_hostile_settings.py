"""Settings that make no sense are errors that name the setting, in few words, whatever their size and form."""

import pytest

import sensorium
from sensorium.config import Config, read_yaml
from sensorium.errors import ConfigError, SchemaError

pytestmark = pytest.mark.unit

TABLE = {"x": [row % 7 / 3 for row in range(40)], "note": [f"seen {row} of them" for row in range(40)]}
TABLE |= {"y": ["a", "b"] * 20}
HUGE = 10**5000  # Python refuses to write it


def nested(levels):
    """A mapping in a mapping in a mapping …"""
    found = {}
    for _ in range(levels):
        found = {"a": found}
    return found


def endless():
    """A list that holds itself, as `&a [*a]` in YAML."""
    found = []
    found.append(found)
    return found


def refused(**settings):
    with pytest.raises(ConfigError) as caught:
        sensorium.fit(TABLE, "y", progress=False, **settings)
    assert len(str(caught.value)) < 2000
    return caught.value


@pytest.mark.parametrize("value", [HUGE, nested(40), -1, float("nan"), "x" * 10_000], ids=type)
def test_a_wrong_value_is_an_error_of_its_setting(value):
    assert refused(train={"epochs": value}).place == "train.epochs"


@pytest.mark.parametrize("value", [nested(5000), endless(), {"a": endless()}], ids=["deep", "endless", "inside"])
@pytest.mark.parametrize("name", ["modalities", "towers", "encoders"])
def test_settings_without_end_are_refused(name, value):
    with pytest.raises(ConfigError, match="nested too deeply, or refer to themselves"):
        Config.gather({name: value})


@pytest.mark.slow
def test_yaml_that_grows_without_bounds_is_refused(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    path = tmp_path / "config.yaml"
    path.write_text("\n".join(lines))
    assert "refer to themselves" in refused(config=path).finding


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"width": 10**30}, "width"),
        ({"encoders": {"note": {"name": "bilstm", "hidden": 10**20}}}, "encoders.note.hidden"),
        ({"encoders": {"note": {"name": "text_cnn", "embedding": 2**31}}}, "encoder 'text_cnn' of 'note'"),
        ({"fusion": {"name": "attention", "queries": 2**40}}, "fusion 'attention'"),
        ({"encoders": {"x": {"name": "pretrained_series", "config": 7}}}, "encoder 'pretrained_series' of 'x'"),
    ],
)
def test_an_option_without_bounds_of_its_own_has_some(settings, place):
    assert refused(modalities={"note": "text"}, **settings).place == place


def test_half_a_character_is_no_word_for_a_missing_cell():
    assert refused(config={"table": {"missing": ["\ud800"]}}).place == "table.missing"


def test_numbers_for_words_are_refused_by_the_modality():
    assert "missing" in refused(modalities={"x": {"name": "date", "missing": True}}).finding


def test_an_error_lists_some_of_many_names():
    with pytest.raises(SchemaError, match=r"and [0-9,]+ more") as caught:
        sensorium.fit(TABLE, "y", modalities={"x": {"name": "scan_tag", "attribute": "\x00"}}, progress=False)
    assert len(str(caught.value)) < 3000


@pytest.mark.parametrize(
    ("place", "value"),
    [("config", 7), ("config", [[]]), ("encoders", 7), ("encoders", [[]]), ("target", 7), ("target", [[]])],
)
def test_an_argument_of_another_form_is_an_error_that_names_it(place, value):
    with pytest.raises(ConfigError) as caught:
        sensorium.fit(TABLE, **{"target": "y", "progress": False, place: value})
    assert caught.value.place == place and caught.value.rule


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("width: 8\nwidth: 16\n", "'width' is there twice"),
        ("train:\n  epochs: 1\n  epochs: 2\n", "line 3"),
        ("modalities: {1: text, 0x1: number}\n", "'0x1' is there twice"),
        ("modalities: {yes: text, true: number}\n", "'true' is there twice"),
        ("width: " + "[" * 5000, "nested too deeply"),
        ("seed: 2026-02-31\n", "day is out of range"),
    ],
)
def test_a_file_of_settings_is_read_without_loss_or_not_at_all(tmp_path, text, said):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_yaml(path)


def test_a_merged_mapping_may_be_overridden(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: &a {epochs: 1, seed: 2}\nb: {<<: *a, epochs: 3}\n")
    assert read_yaml(path)["b"] == {"epochs": 3, "seed": 2}
    path.write_text("a: &a {epochs: 1}\nb: &b {seed: 2}\nc: {<<: *a, <<: *b, =: 3}\n")
    assert read_yaml(path)["c"] == {"epochs": 1, "seed": 2, "=": 3}
    path.write_text("c: {inner: &p {<<: &q {epochs: 1, size: 8}, epochs: 2}, <<: *p, size: 4}\n")
    assert read_yaml(path)["c"] == {"inner": {"epochs": 2, "size": 8}, "epochs": 2, "size": 4}
