"""Networks and classical models that may become members of a blend."""

import numpy as np
import pytest

from blend_rows import WORDS, make_rows
from sensorium.blending import NetworkFolds, main_network, network_candidate
from sensorium.blending._classical import MOST_SINGLES, classical_models
from sensorium.config import Config
from sensorium.errors import TrainingError
from sensorium.planning import plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.train import History
from sensorium.trials import TrialResult, TrialSpec


class Log(Silent):
    def __init__(self):
        super().__init__()
        self.lines = []

    def log(self, line, *, once=""):
        self.lines.append(line)


def prepared(table, **settings):
    return plan_and_prepare(open_table(table), Config.gather({"target": "label", **settings}), Silent())


def test_folds_without_validation_rows_take_the_epochs_to_the_best_one_also_of_a_search():
    """In order of time, most folds learn from no validation row, which could stop them. A search sets the epochs."""
    rows = make_rows()
    del rows["split"]
    split = {"time": "day", "validation": 0.3}
    data = prepared({**rows, "day": list(range(len(rows["label"])))}, split=split, exclude=["day"])
    specs = []

    def train(asked):
        specs.extend(asked)
        return [TrialResult(spec, error=TrainingError("enough")) for spec in asked]

    spec = TrialSpec("network", settings={"train": {"epochs": 60, "learning_rate": 0.01}})
    main = TrialResult(spec, history=History("roc_auc", best=3))
    with pytest.raises(TrainingError, match="enough"):
        network_candidate(data, main, train, NetworkFolds(5, 5))
    has_validation = [len(each.data(data).rows("validation")) > 0 for each in specs]
    assert {*has_validation} == {False, True}
    assert [each.settings["train"]["epochs"] for each in specs] == [60 if own else 3 for own in has_validation]
    assert {each.settings["train"]["learning_rate"] for each in specs} == {0.01}


def test_the_card_of_a_blend_is_not_that_of_a_network_that_failed():
    failed, collapsed, trained = (
        TrialResult(TrialSpec("failed"), error=TrainingError("it diverged")),
        TrialResult(TrialSpec("collapsed"), collapsed=True),
        TrialResult(TrialSpec("trained")),
    )
    assert main_network([failed, collapsed, trained]) is trained
    assert main_network([collapsed, failed]) is collapsed


@pytest.mark.parametrize(("texts", "singles"), [(MOST_SINGLES, True), (MOST_SINGLES + 1, False)])
def test_many_modalities_that_are_not_tried_alone_are_reported(texts, singles):
    random, log = np.random.default_rng(0), Log()
    columns = {f"text {place}": [" ".join(random.choice(WORDS, 9)) for _ in range(40)] for place in range(texts)}
    data = prepared({**columns, "label": ["no", "yes"] * 20}, modalities=dict.fromkeys(columns, "text"))
    assert len(data.plan.towers) == texts
    assert any(model.is_single for model in classical_models(data, log)) == singles
    assert len(log.lines) == (not singles)
    assert singles or f"{texts}, more than {MOST_SINGLES}" in log.lines[0]
