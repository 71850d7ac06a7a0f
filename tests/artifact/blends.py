"""Blends of a network, a linear model and boosted trees that are fitted on the same rows."""

from dataclasses import replace

import sensorium
from sensorium.config import Config
from sensorium.model import EstimatorMember
from sensorium.planning import plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.trials import TrialSpec, run_trial

COLUMNS = ["text", "number", "category", "image"]
WEIGHTS = [0.5, 0.2, 0.3]
KINDS = ("linear", "trees")


def blended(table, target="label", **settings):
    columns = [name for name in COLUMNS if name != target]
    config = {"columns": columns, "width": 32, "prepare": {"store": "none"}, **settings}
    model = sensorium.fit(table, target, epochs=1, config=config, progress=False)
    data = plan_and_prepare(open_table(table), Config.gather(config, {"target": target}), Silent())
    towers = {tower.name: list(tower.columns) for tower in data.plan.blueprint.towers}
    others = [
        EstimatorMember(kind, run_trial(data, TrialSpec(kind, baseline=kind)).estimator, towers) for kind in KINDS
    ]
    members = [*model.fitted.members, *others]
    return sensorium.Model(replace(model.fitted, members=members, member_weights=WEIGHTS))
