"""Which strategies a fit needs, and whether they go together."""

import pytest

from sensorium.config import Config
from sensorium.errors import ConfigError
from sensorium.strategies import Budget, Request, Strategy, choose_strategies


def chosen(config=None, **asked):
    return [type(strategy).__name__ for strategy in choose_strategies(Request(Config.gather(config or {}), **asked))]


@pytest.mark.parametrize(
    ("config", "asked", "names"),
    [
        ({}, {}, ["Plain"]),
        ({"train": {"imbalance": "auto"}}, {}, ["Imbalance"]),
        ({"train": {"unfreeze": {}}}, {"continues": True}, ["Plain", "Unfreeze", "Continued"]),
        ({}, {"budget": Budget(60)}, ["Search"]),
    ],
)
def test_settings_switch_strategies_on(config, asked, names):
    assert chosen(config, **asked) == names


def test_all_conflicts_are_reported_at_once():
    config = {"train": {"imbalance": "always", "unfreeze": {}}}
    with pytest.raises(ConfigError) as caught:
        chosen(config, budget=Budget(60), continues=True)
    for place in ("train.imbalance", "train.unfreeze", "start"):
        assert f"{place} cannot be combined with a budget" in str(caught.value)


def test_a_strategy_of_another_package_decides_itself_whether_it_is_on(monkeypatch):
    class Twice(Strategy):
        """Switched on by a setting that `Config` does not have, or by the seed."""

        SETTING = "train.twice"

        @classmethod
        def is_on(cls, request):
            return super().is_on(request) or request.config.seed == 22

        def run(self, session, so_far):
            return so_far

    from sensorium.registry import strategies

    monkeypatch.setattr(strategies, "names", lambda: ["plain", "twice"])
    real = strategies.load
    monkeypatch.setattr(strategies, "load", lambda name: Twice if name == "twice" else real(name))
    assert chosen() == ["Plain"]
    assert chosen({"seed": 22}) == ["Twice"]
