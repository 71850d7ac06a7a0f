"""Which preset a fit has, and what presets do with settings and tables that they do not support."""

import importlib
import json
import textwrap

import numpy as np
import pytest
from typer.testing import CliRunner

import sensorium
from sensorium import registry as registry_module
from sensorium.api import gather_config
from sensorium.cli._main import make_app
from sensorium.cli._options import settings as flags
from sensorium.config import Config
from sensorium.errors import ConfigError, UnknownNameError
from sensorium.planning import continued_settings, make_plan
from sensorium.presets import FitSetup, choose_preset
from sensorium.registry import Registry, presets, strategies
from sensorium.runtime.progress import Silent
from sensorium.strategies import Budget, Request
from sensorium.table import open_table

PAIR = """
    from sensorium.errors import ConfigError
    from sensorium.strategies import Strategy
    from sensorium.strategies._base import trained
    from sensorium.trials import TrialSpec


    class Pair(Strategy):
        CONFLICTS = {"start": "it begins anew", "prepare.stream": "it reads twice", "train.teacher": "it has none"}

        def check(self, plan):
            if plan.labels.task_name != "binary":
                raise ConfigError(f"a pair has no task {plan.labels.task_name}")

        def run(self, session, so_far):
            first, second = (session.run(TrialSpec(f"seed {seed}", seed=seed)) for seed in (1, 2))
            return trained(second)
"""
GRAND = """
    from sensorium.presets import Preset


    class Grand(Preset):
        STRATEGY = "pair"

        def settings(self, schema, config):
            return {"width": 8 if schema.task_name == "binary" else 24, "train": {"epochs": 1, "patience": 3}}
"""
QUICK = {"epochs": 1, "width": 8}


@pytest.fixture
def grand(tmp_path, monkeypatch):
    """A preset of another package: `grand`, whose strategy `pair` trains two networks of binary targets."""
    packages = {found.package: [f"{tmp_path.name}_{found.kind}"] for found in (presets, strategies)}
    monkeypatch.setattr(registry_module, "_plugin_packages", lambda group: packages.get(group, []))
    for found, name, code in ((presets, "grand", GRAND), (strategies, "pair", PAIR)):
        folder = tmp_path / packages[found.package][0]
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / f"{name}.py").write_text(textwrap.dedent(code))
        monkeypatch.syspath_prepend(tmp_path)
        fresh = Registry(found.kind, found.package, contract=found.contract)
        monkeypatch.setitem(vars(found), "entries", fresh.entries)
        monkeypatch.setattr(found, "_checked", set())
    importlib.invalidate_caches()
    return "grand"


@pytest.fixture
def default_grand(grand, monkeypatch):
    """The preset `grand` as the default one."""
    monkeypatch.setattr("sensorium.presets._choose.DEFAULT_PRESET", grand)
    return grand


def chosen(config=None, **asked):
    found = choose_preset(Request(Config.gather(config or {}), **asked))
    return found.name, found.reason


def rows(labels=("a", "b"), n=48):
    random = np.random.default_rng(0)
    return {"x": random.normal(size=n).tolist(), "y": [labels[row % len(labels)] for row in range(n)]}


def test_a_blend_is_the_default():
    assert chosen() == ("good", "the default")


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (flags(None, None, fusion="late"), "fusion"),
        (flags(None, None, train__epochs=3), "train.epochs"),
        (flags(None, ["encoders.plot=bilstm"]), "encoders"),
        (flags(None, ["epochs=3", "head=cosine"]), "head, train.epochs"),
        (gather_config(None, {"train": {"techniques": ["ogm_ge"]}}, {})[0], "train.techniques"),
        (gather_config(None, None, {"towers": {"both": ["a", "b"]}})[0], "towers"),
        (gather_config(None, None, {"epochs": 2})[0], "train.epochs"),
    ],
    ids=["flag", "flag of a group", "set", "short names", "config", "keyword", "short keyword"],
)
def test_settings_that_describe_one_network_mean_this_network(default_grand, config, named):
    config = config if isinstance(config, Config) else Config.gather(config)
    found = choose_preset(Request(config))
    assert (found.name, found.reason) == ("fast", f"because these settings describe one network: {named}")
    assert choose_preset(Request(config.model_copy(update={"preset": default_grand}))).name == default_grand


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"seed": 3},
        {"learning_rate": 0.1},
        {"encoders": {}},
        {"train": {"techniques": {}, "epochs": None}},
        {"width": 9},
    ],
    ids=str,
)
def test_other_settings_leave_the_default(default_grand, config):
    assert chosen(config) == (default_grand, "the default")


def test_yaml_names_one_network(default_grand, write):
    path = write("s.yaml", "train: {epochs: 4}\n")
    assert choose_preset(Request(gather_config(None, path, {})[0])).name == "fast"
    assert choose_preset(Request(gather_config(None, path, {"preset": default_grand})[0])).name == default_grand


def test_unknown_presets_name_the_known_ones():
    with pytest.raises(UnknownNameError, match="there is no preset 'fats'") as caught:
        chosen({"preset": "fats"})
    assert "'fast'" in caught.value.cure and caught.value.place == "preset"


@pytest.mark.parametrize("value", ["few", "none"])
def test_values_of_the_earlier_setting_name_its_new_name(value):
    with pytest.raises(UnknownNameError, match=r"train\.preset was renamed train\.few_labels") as caught:
        sensorium.fit(rows(), "y", preset=value, progress=False)
    assert caught.value.cure == f"--set train.few_labels={value} (Python: train={{'few_labels': '{value}'}})"


UNSUPPORTED = [
    ({"prepare": {"stream": True}}, {}, "prepare.stream", "it reads twice"),
    ({"train": {"teacher": "t"}}, {}, "train.teacher", "it has none"),
    ({}, {"continues": True}, "start", "it begins anew"),
]


@pytest.mark.parametrize(("config", "asked", "place", "reason"), UNSUPPORTED, ids=lambda value: str(value)[:30])
def test_the_default_gives_way_to_what_it_does_not_support(default_grand, config, asked, place, reason):
    assert chosen(config, **asked) == ("fast", f"as grand cannot be used: {place} is set ({reason})")


def test_a_given_preset_refuses_all_that_it_does_not_support(grand):
    config = {"preset": grand, "prepare": {"stream": True}, "train": {"teacher": "t"}}
    with pytest.raises(ConfigError) as caught:
        chosen(config, continues=True)
    assert [fault.place for fault in caught.value.faults] == ["start", "prepare.stream", "train.teacher"]
    assert "start cannot be combined with the preset grand" in str(caught.value)


def test_two_strategies_cannot_both_train(grand):
    with pytest.raises(ConfigError, match="a budget and the preset grand cannot be combined"):
        FitSetup.of(Request(Config(preset=grand), budget=Budget(60)))


def test_a_continued_model_does_not_hand_on_its_preset(grand):
    assert "preset" not in continued_settings(Config(preset=grand))
    assert chosen(continued_settings(Config(preset=grand)), continues=True)[0] == "fast"


def test_a_fit_logs_its_preset_once_and_keeps_it_with_the_model(tmp_path, capsys):
    model = sensorium.fit(rows(), "y", out=tmp_path / "run", train={"batch_size": 16}, **QUICK)
    assert capsys.readouterr().err.count("preset: fast, because these settings describe one network: train.epochs") == 1
    assert model.card["preset"] == {
        "name": "fast",
        "reason": "because these settings describe one network: train.epochs",
        "settings": {},
        "backbones": [],
    }
    assert sensorium.load(tmp_path / "run").card["preset"] == model.card["preset"]
    assert "\npreset: fast\n" in (tmp_path / "run" / "config.yaml").read_text()
    again = sensorium.fit(rows(), "y", out=tmp_path / "run", preset="fast", train={"batch_size": 16}, **QUICK)
    assert "already finished" in capsys.readouterr().err  # auto and fast are the same run
    assert again.fitted.digest() == model.fitted.digest()


def test_fast_has_the_weights_of_the_default():
    models = [sensorium.fit(rows(), "y", progress=False, **QUICK, **own) for own in ({}, {"preset": "fast"})]
    assert models[0].fitted.digest() == models[1].fitted.digest()


def test_a_preset_trains_with_its_strategy_and_settings_that_are_not_set(grand, capsys):
    table = {**rows(), "split": (["train"] * 4 + ["val", "test"]) * 8}
    model = sensorium.fit(table, "y", preset=grand, train={"patience": 5})
    config = model.fitted.config
    assert (config.width, config.train.epochs, config.train.patience) == (8, 1, 5)
    assert model.card["preset"]["name"] == config.preset == grand
    assert model.card["preset"]["settings"] == {"width": 8, "train.epochs": 1}
    report = capsys.readouterr().err
    assert "preset: grand, as set" in report
    assert "train.epochs: 1, from the preset; --set" in report and "train.patience: " not in report
    second = sensorium.fit(table, "y", seed=2, width=8, train={"epochs": 1, "patience": 5}, progress=False)
    np.testing.assert_array_equal(model.predict_proba(table), second.predict_proba(table))


def test_the_default_gives_way_to_a_table_that_it_does_not_support(default_grand, capsys):
    three = rows(labels=("a", "b", "c"))
    model = sensorium.fit(three, "y", train={"batch_size": 24, "patience": 1})
    assert "preset: fast, as grand cannot be used: a pair has no task multiclass" in capsys.readouterr().err
    assert (model.fitted.config.preset, model.fitted.config.width) == ("fast", Config().width)
    plain = sensorium.fit(three, "y", preset="fast", train={"batch_size": 24, "patience": 1}, progress=False)
    assert plain.fitted.digest() == model.fitted.digest()
    with pytest.raises(ConfigError, match="a pair has no task multiclass"):
        sensorium.fit(three, "y", preset=default_grand, progress=False)


def test_a_plan_that_the_default_did_not_change_is_kept(default_grand, monkeypatch):
    monkeypatch.setattr(presets.load(default_grand), "settings", lambda self, schema, config: {})
    calls = []

    def make(config, *, settle):
        calls.append(config.preset)
        return make_plan(open_table(rows(labels=("a", "b", "c")), config.table), config, Silent(), settle=settle)

    setup, plan = FitSetup.of(Request(Config.gather({"target": "y"}))).plan(make, Silent())
    assert (setup.preset.name, plan.config.preset, calls) == ("fast", "fast", [default_grand])
    assert [type(strategy).__name__ for strategy in setup.strategies] == ["Plain"]


def test_a_comparison_has_no_presets(grand):
    with pytest.raises(ConfigError, match="compare has no preset grand"):
        sensorium.compare(rows(), "y", preset=grand, progress=False)
    with pytest.raises(UnknownNameError, match="there is no preset 'grad'"):
        sensorium.compare(rows(), "y", preset="grad", progress=False)


def test_presets_are_listed():
    shown = CliRunner().invoke(make_app(), ["list", "presets", "--json"]).stdout
    assert json.loads(shown.splitlines()[-1])["presets"]["fast"] == presets.entry("fast").summary
