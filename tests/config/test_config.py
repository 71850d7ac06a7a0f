"""Settings: every key does something, layers lie over each other, all faults are told together."""

import numpy as np
import pytest
from trained import fit, print_of

import sensorium
from sensorium.config import Choice, Config, SplitConfig, TableConfig, overlay
from sensorium.errors import ConfigError

ROWS = 60


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Columns that splits can go by, semicolons, a spelling of missing cells of its own."""
    random = np.random.default_rng(0)
    lines = ["number;remark;person;day;part;label"]
    for row in range(ROWS):
        label = "ab"[row % 2]
        number = "none of it" if row == 5 else f"{random.normal():.3f}"
        part = ("train", "train", "dev", "test")[row // 2 % 4]
        lines.append(
            f"{number};good word{row} of many {label}{label};p{row // 4};2026-01-{1 + row % 28:02d};{part};{label}"
        )
    path = tmp_path_factory.mktemp("table") / "t.csv"
    path.write_text("\n".join(lines))
    return path


TOP = {
    "target": "person",
    "task": "multilabel",
    "columns": ["remark"],
    "exclude": ["remark"],
    "modalities": {"number": "category"},
    "encoders": {"remark": "text_cnn"},
    "augment": {"number": ["noise"]},
    "towers": {"mine": ["number", "day"]},
    "fusion": "late",
    "head": "cosine",
    "width": 16,
    "seed": 1,
}
TABLE = {"separator": ";", "missing": ["", "none of it"]}
SPLIT = {"column": "part", "group": "person", "time": "day", "stratify": False, "validation": 0.3, "test": 0.3}


@pytest.fixture(scope="module")
def usual(table):
    return print_of(fit(table))


def test_every_key_has_a_case():
    """Those left out (`calibrate`, `device`, `preset`, `tasks`, `threads` …, some of groups) have their own tests."""
    groups = {"table", "split", "prepare", "train"}
    elsewhere = {"calibrate", "conformal", "device", "preset", "tasks", "threads", "threshold"}
    assert set(Config.model_fields) - groups - elsewhere == set(TOP)
    beside = {"allow_outside", "comment", "encoding", "lists", "query", "quotes", "series", "skip_rows", "targets"}
    beside |= {"query_timeout", "remote", "windows", "decimal", "thousands", "currency", "censored", "labels", "order"}
    assert set(TableConfig.model_fields) - beside == set(TABLE)
    assert set(SplitConfig.model_fields) - {"span", "day_first"} == set(SPLIT)


@pytest.mark.parametrize("key", sorted(set(TOP) - {"towers"}))
def test_every_top_key_does_something(key, table, usual):
    assert print_of(fit(table, **{key: TOP[key]})) != usual


def test_towers_are_encoded_together(table):
    model = fit(table, towers=TOP["towers"])
    assert {tower.name: tower.columns for tower in model.fitted.blueprint.towers}["mine"] == ["number", "day"]


@pytest.mark.parametrize("key", SPLIT)
def test_every_key_of_split_does_something(key, table, usual):
    assert print_of(fit(table, split={key: SPLIT[key]})) != usual


def test_the_keys_of_table_do_something(table):
    assert sensorium.inspect(table, config={"table": {"separator": "|"}}).columns[0].name.startswith("number;")
    number = sensorium.inspect(table, config={"table": {"missing": TABLE["missing"]}}).columns[0]
    assert (number.modality, number.missing) == ("number", 1)
    assert sensorium.inspect(table).columns[0].missing == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"widht": 3}, "did you mean 'width'"),
        ({"train": {"epoch": 3}}, "did you mean 'epochs'"),
        ({"width": "wide"}, "width"),
        ({"fusion": "gatd"}, "did you mean 'gated'"),
        ({"fusion": {"name": "gated", "per_featur": True}}, "did you mean 'per_feature'"),
        ({"fusion": {"name": "gated", "per_feature": "some"}}, "per_feature"),
        ({"encoders": {"remrk": "text_cnn"}}, "did you mean 'remark'"),
        ({"encoders": {"remark": "image_cnn"}}, "does not take text"),
        ({"encoders": {"remark": "efficientnet_lite0"}}, "with the weights 'efficientnet_lite0' does not take text"),
        ({"encoders": {"remark": "efficientnet_lite1"}}, "(?=.*'efficientnet_lite0')(?=.*'efficientnet_lite2')"),
        ({"encoders": {"remark": "efficientnet_lite0"}}, "one of: .*bilstm.*minilm"),
        ({"encoders": {"remark": {"name": "bilstm", "hiden": 3}}}, "did you mean 'hidden'"),
        ({"modalities": {"number": {"bin": 3}}}, "did you mean 'bins'"),
        ({"modalities": {"number": "numbr"}}, "did you mean 'number'"),
        ({"augment": {"remark": ["token_dropuot"]}}, "did you mean 'token_dropout'"),
        ({"augment": {"remrk": ["token_dropout"]}}, "did you mean 'remark'"),
        ({"augment": {"remark": ["flip"]}}, r"'flip' does not fit text(.|\n)*it fits image(.|\n)*token_dropout"),
        ({"augment": {"category": ["noise"], "remark": ["shift", "erase"]}}, "3 faults"),
        ({"augment": {"number": {"noise": {"sdt": 1}}}}, "did you mean 'std'"),
        ({"augment": {"number": {"noise": {"std": 0}}}}, "greater than 0"),
        ({"augment": {"number": "noise"}}, "a list of names, or names with their options"),
        ({"towers": {"both": ["remark", "number"]}}, "does not take|encodes one column"),
        ({"task": "multclass"}, "did you mean 'multiclass'"),
        ({"device": "gpu"}, "cannot use device 'gpu'"),
        ({"seed": 2**63}, "seed"),
        ({"split": {"span": ["day", "day"]}}, "split.span needs split.time"),
        (
            {"split": {"validation": 0.6, "test": 0.4}},
            r"split.validation \+ split.test must be below 1, so that rows are left to train on; got 0.6 \+ 0.4 = 1",
        ),
        ({"encoders": {"remark": {"name": "module", "hidden": 3}}}, "unknown option 'hidden'"),
        ({"encoders": {"remark": {"name": "text_transformer", "heads": 3}}}, "heads: one of 1, 2, 4, 8, 16"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(given, message, table):
    with pytest.raises(ConfigError, match=message):
        fit(table, **given)


def test_a_named_choice_starts_from_its_own_options():
    below = {"fusion": {"name": "gated", "per_feature": False}}
    assert overlay(below, {"fusion": {"name": "late"}}) == {"fusion": {"name": "late"}}
    assert overlay(below, {"fusion": {"per_feature": True}})["fusion"] == {"name": "gated", "per_feature": True}
    assert overlay({"fusion": "late"}, {"fusion": {"weights": "learned"}})["fusion"] == {
        "name": "late",
        "weights": "learned",
    }


def test_all_faults_are_told_together():
    given = {"widht": 3, "seed": -1, "train": {"epoch": 3, "warmup": 2}, "split": {"test": "much"}}
    with pytest.raises(ConfigError) as caught:
        Config.gather(given)
    for place in ("widht", "seed", "train.epoch", "train.warmup", "split.test"):
        assert f"where: {place}" in str(caught.value)


def test_keywords_lie_over_the_settings_file(table, write):
    below = write("s.yaml", "target: label\nwidth: 8\nseed: 3\ntrain: {epochs: 2, batch_size: 9}\n")
    settings = {"width": 16, "train": {"batch_size": 7}, "epochs": 1}
    config = sensorium.fit(table, config=below, progress=False, **settings).fitted.config
    assert (config.width, config.seed, config.train.epochs, config.train.batch_size) == (16, 3, 1, 7)
    assert config.train.learning_rate == Config().train.learning_rate


def test_a_choice_is_a_name_or_a_name_with_options():
    assert Config.gather({"fusion": "late"}).fusion == Choice.of("late")
    assert Config.gather({"fusion": {"name": "late", "weights": "learned"}}).fusion.options == {"weights": "learned"}


def test_the_short_name_of_a_group_stands_for_the_group():
    config = Config.gather({"train": {"epochs": 9}}, {"unfreeze": {"epochs": 1}})
    assert config.train.unfreeze is not None
    assert (config.train.epochs, config.train.unfreeze.epochs) == (9, 1)
    assert Config.gather({"remote": {"private": True}}).table.remote.private
    with pytest.raises(ConfigError, match=r"unfreeze and train\.unfreeze are both set"):
        Config.gather({"unfreeze": {"epochs": 1}, "train": {"unfreeze": {"epochs": 2}}})
    with pytest.raises(ConfigError, match="did you mean 'unfreeze'"):
        Config.gather({"unfreze": {"epochs": 1}})


@pytest.mark.parametrize(
    ("given", "place", "cure"),
    [
        (
            {"fusion": {"weighted_sum": {"alpha": 2}}},
            "fusion",
            "write {'name': 'weighted_sum', 'alpha': 2}",
        ),
        ({"head": {"cosine": {}}}, "head", "write 'cosine'"),
        ({"encoders": {"remark": {"gru": {"size": 8}}}}, "encoder of 'remark'", "write {'name': 'gru', 'size': 8}"),
        ({"modalities": {"number": {"category": {}}}}, "modality of column 'number'", "write 'category'"),
    ],
)
def test_a_name_in_the_place_of_an_option_is_explained(given, place, cure, table):
    """It does not mention the default, which nobody chose."""
    with pytest.raises(ConfigError, match=r"is a registered (fusion|head|encoder|modality), not an option") as found:
        fit(table, **given)
    assert (found.value.place, found.value.cure) == (place, cure)
    assert "concat" not in str(found.value)
