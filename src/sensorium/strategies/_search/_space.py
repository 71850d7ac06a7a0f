"""Search space: fusion, encoders, learning rate, width and dropout, except what the settings fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sensorium.config import Choice, Config
from sensorium.errors import SensoriumError
from sensorium.metrics import metrics_of
from sensorium.model import TowerPlan, can_calibrate, plan_model
from sensorium.planning import Plan
from sensorium.registry import Entry, encoders
from sensorium.trials import TrialSpec

Choices: TypeAlias = Mapping[str, Any]

FUSIONS = ("concat", "late", "attention", "gated", "weighted_sum", "low_rank", "transformer", "bottleneck")
RATES = (5e-4, 1e-2)
WIDTHS = (64, 128, 256)
HIDDEN = (0.0, 0.15, 0.3, 0.45)  # modality dropout
DROPOUTS = (None, 0.0, 0.3)  # the encoders' own, none, much
ENCODER = "encoder of "
PLAIN = "plain fit"  # name of the candidate that changes nothing


@dataclass(frozen=True)
class Space:
    """Search space of a fit.

    Attributes:
        names: choice → values, beginning with that of a plain fit.
        rate: the learning rate of a plain fit; None if the settings fix it.
    """

    names: dict[str, list[Any]]
    rate: float | None

    @property
    def plain(self) -> dict[str, Any]:
        """Return the choices of a plain fit."""
        choices = {name: values[0] for name, values in self.names.items()}
        return choices if self.rate is None else {**choices, "learning_rate": self.rate}

    def firsts(self) -> Iterator[dict[str, Any]]:
        """Return the choices of the first candidates: the plain fit, then one or two changes that often help."""
        yield self.plain
        changes: list[dict[str, Any]] = [
            {"learning_rate": 4e-3, "modality_dropout": 0.15},
            {"fusion": "low_rank"},  # early: it is the first to see what only all modalities together tell
            {"fusion": "late"},
            *({name: values[1]} for name, values in self.names.items() if name.startswith(ENCODER)),
            {"fusion": "attention"},
            {"fusion": "gated", "learning_rate": 1e-3},
            {"width": 256, "dropout": 0.3},
        ]
        for change in changes:
            if all(name in self.plain and self._allows(name, value) for name, value in change.items()):
                yield self.plain | change

    def _allows(self, name: str, value: Any) -> bool:
        return name == "learning_rate" or value in self.names[name]


def open_space(plan: Plan) -> Space:
    """Return the choices with several values that the settings do not fix and the towers support."""
    config, towers = plan.config, plan.blueprint.towers
    names: dict[str, list[Any]] = {}
    if len(towers) > 1:
        if "fusion" not in config.model_fields_set:
            names["fusion"] = _own_first(config.fusion.name or "concat", FUSIONS)
        if "modality_dropout" not in config.train.model_fields_set:
            names["modality_dropout"] = _own_first(config.train.modality_dropout, HIDDEN)
    for tower in towers:
        fitting = _fitting(plan, tower)
        if len(fitting) > 1:
            names[ENCODER + tower.name] = fitting
    if "width" not in config.model_fields_set:
        names["width"] = _own_first(config.width, WIDTHS)
    if any(_takes_dropout(tower.encoder) and not _named(plan, tower) for tower in towers):
        names["dropout"] = list(DROPOUTS)
    rate = None if "learning_rate" in config.train.model_fields_set else config.train.learning_rate
    return Space(names, rate)


def _own_first(own: Any, others: Sequence[Any]) -> list[Any]:
    return [own, *(value for value in others if value != own)]


def spec_of(plan: Plan, name: str, choices: Choices, towers: list[str] | None = None) -> TrialSpec:
    """Return the trial with these choices."""
    settings: dict[str, Any] = {"encoders": {}}
    for tower in plan.blueprint.towers:
        if _named(plan, tower):
            continue
        encoder = choices.get(ENCODER + tower.name, tower.encoder)
        dropout = (
            {"dropout": choices["dropout"]} if choices.get("dropout") is not None and _takes_dropout(encoder) else {}
        )
        settings["encoders"][tower.name] = {"name": encoder, **dropout}
    train = {name: choices[name] for name in ("learning_rate", "modality_dropout") if name in choices}
    settings |= {"train": train} | ({"width": choices["width"]} if "width" in choices else {})
    fusion = Choice.of(choices["fusion"]).model_dump(mode="json") if "fusion" in choices else None
    return TrialSpec(name, towers, fusion, settings=settings)


def has_probabilities(plan: Plan) -> bool:
    """Return whether the task has probabilities that a temperature scales."""
    return can_calibrate(metrics_of(plan.labels.task_name))


def words(choices: Choices, plain: Choices) -> str:
    """Describe the differences to a plain fit."""
    changed = [f"{_say(name)} {_short(value)}" for name, value in choices.items() if value != plain.get(name)]
    return ", ".join(changed) or PLAIN


def _say(name: str) -> str:
    return name.removeprefix(ENCODER) if name.startswith(ENCODER) else name.replace("_", " ")


def _short(value: Any) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def _named(plan: Plan, tower: TowerPlan) -> bool:
    """Return whether the settings name the encoder of a tower."""
    keys = {tower.name, *tower.columns, *(plan.kinds[column] for column in tower.columns)}
    return bool(keys & set(plan.config.encoders))


def _fitting(plan: Plan, tower: TowerPlan) -> list[str]:
    """Return the encoders that support the prepared cells of a tower, the modality's default first."""
    if _named(plan, tower):
        return [tower.encoder]
    kinds = {plan.kinds[column] for column in tower.columns}
    others = [
        name
        for name, entry in encoders.entries.items()
        if name != tower.encoder and kinds <= set(entry.literal("ACCEPTS", ())) and _learns(entry)
    ]
    return [tower.encoder, *(name for name in others if _can_be_planned(plan, tower, name))]


def _learns(entry: Entry) -> bool:
    """Return whether an encoder is trained from scratch: no user module, no pretrained or counted weights."""
    return entry.name != "module" and not any(
        hasattr(entry.load(), method) for method in ("load_pretrained", "learn_features")
    )


def _can_be_planned(plan: Plan, tower: TowerPlan, encoder: str) -> bool:
    change = {"encoders": {tower.name: encoder}}
    try:
        plan_model(plan.learnt, plan.kinds, Config.gather(plan.config.model_dump(mode="json"), change), plan.modules)
    except SensoriumError:
        return False
    return True


def _takes_dropout(encoder: str) -> bool:
    return any(option.name == "dropout" for option in encoders.entry(encoder).options())
