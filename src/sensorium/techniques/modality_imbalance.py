"""Diagnose modality imbalance: measure each modality during training; the model is not changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from pydantic import PositiveInt
from torch import Tensor

from sensorium.model.card import ModalitySigns
from sensorium.table import Rows
from sensorium.tasks import Task
from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._diagnosis import diagnose
from sensorium.techniques._probe import EncodedRows, encode_rows, evaluate, fit_probe, sample_rows

ALL = "all"
STEPS = 8  # gradients are measured in one of this many steps
SHARE, FEWEST = 20, 32  # after an epoch, one training row in 20 is evaluated, at least 32


class ModalityImbalance(Technique):
    """Signs of modality imbalance per epoch, and a diagnosis of the final model.

    Per modality: the gradient norm of its tower (mean over one step in eight, before clipping); loss and metric of the
    fused model when it is given only this modality, on training and validation rows, and when it is given all others;
    at the end, a linear probe on its pooled tokens and the overfitting-to-generalisation ratio ΔO/ΔG of its unimodal
    predictions since before the first step (Wang et al. 2020, arXiv:1905.12681): by how much the gap between validation
    and training loss grew per unit that the validation loss fell.

    Args:
        context: of the training.
        every: epochs between two evaluations, each on a twentieth of the training rows, or 32.
        rows: maximum number of training rows, and of validation rows, for the evaluation before the first step and at
            the end.
    """

    joint = True
    watches = True
    norms: Tensor

    def __init__(self, context: TrainingContext, *, every: PositiveInt = 1, rows: PositiveInt = 512) -> None:
        super().__init__(context)
        self.every, self.metric = every, context.task.watch
        self.names = [tower.name for tower in context.model.every_tower]
        chosen = {"train": context.train_rows, "validation": context.validation_rows}
        self._rows: dict[str, Rows] = {name: sample_rows(part, rows) for name, part in chosen.items() if len(part)}
        few = min(rows, max(FEWEST, len(context.train_rows) // SHARE))
        self._few = {name: sample_rows(part, few) for name, part in self._rows.items()}
        self.epochs: list[dict[str, Any]] = []
        self.steps = 0  # in this epoch
        self.register_buffer("norms", torch.zeros(len(self.names), device=next(context.model.parameters()).device))

    def begin_epoch(self, number: int) -> None:
        self.norms.zero_()
        self.steps = 0
        if number == 1:
            self.epochs.append({"number": 0, "gradient_norm": None, **self._figures(self._encode(self._rows), "alone")})

    def gradients(self, step: Step) -> None:
        self.steps += 1
        if self.steps % STEPS != 1:
            return
        for place, tower in enumerate(self.context.model.every_tower):
            found = [parameter.grad for parameter in tower.parameters() if parameter.grad is not None]
            if found:
                self.norms[place] += torch.nn.utils.get_total_norm(found)

    def end_epoch(self, number: int) -> None:
        if number % self.every == 0:
            norms = (self.norms / max(1, -(-self.steps // STEPS))).tolist()
            figures = self._figures(self._encode(self._few), "alone", "without")
            self.epochs.append(
                {"number": number, "gradient_norm": dict(zip(self.names, norms, strict=True)), **figures}
            )

    def report(self) -> dict[str, Any]:
        """Return signs and diagnosis of the final model, and the figures of each epoch."""
        seen = self._encode(self._rows)
        figures, probes = self._figures(seen, "alone", "without"), self._probes(seen)
        part = "validation" if "validation" in seen else "train"
        signs = {
            name: ModalitySigns(
                alone=figures["alone"][name][part]["metric"],
                alone_train=figures["alone"][name]["train"]["metric"],
                without=figures["without"][name][part]["metric"],
                probe=probes[name],
                overfit_ratio=_overfit_ratio(self.epochs[0]["alone"][name], figures["alone"][name]),
                gradient_norm=_mean([e["gradient_norm"][name] for e in self.epochs if e["gradient_norm"]]),
            )
            for name in self.names
        }
        whole, chance = (figures[key][part]["metric"] for key in (ALL, "chance"))
        found = diagnose(signs, chance, metric=self.metric, task=_task_name(self.context.task))
        return _plain(
            {
                "metric": self.metric,
                "rows": part,
                "all": whole,
                "chance": chance,
                "modalities": {name: sign.to_json() for name, sign in signs.items()},
                "diagnosis": found.to_json(),
                "epochs": self.epochs,
            }
        )

    def get_extra_state(self) -> dict[str, Any]:
        """Return the state for checkpoints that is not in buffers."""
        return {"epochs": self.epochs, "steps": self.steps}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.epochs, self.steps = list(state["epochs"]), int(state["steps"])

    def _encode(self, chosen: Mapping[str, Rows]) -> dict[str, EncodedRows]:
        towers = range(len(self.names))
        ways = {ALL: [True for _ in towers]}
        ways |= {f"alone {name}": [place == own for place in towers] for own, name in enumerate(self.names)}
        ways |= {f"without {name}": [place != own for place in towers] for own, name in enumerate(self.names)}
        return {part: encode_rows(self.context, rows, ways) for part, rows in chosen.items()}

    def _figures(self, seen: dict[str, EncodedRows], *kinds: str) -> dict[str, Any]:
        """Return loss and metric: all modalities, the mean prediction, each modality alone, all others."""
        found: dict[str, Any] = {kind: {name: {} for name in self.names} for kind in kinds} | {ALL: {}, "chance": {}}
        for part, what in seen.items():
            everything = torch.ones_like(what.present[:, 0])
            found[ALL][part] = self._evaluate(what, what.logits[ALL], everything)
            found["chance"][part] = self._evaluate(what, self._average.expand(len(what.present), -1), everything)
            for kind in kinds:
                for place, name in enumerate(self.names):
                    own = what.present[:, place]
                    there = own if kind == "alone" else (what.present.sum(1) - own.long()) > 0
                    found[kind][name][part] = self._evaluate(what, what.logits[f"{kind} {name}"], there)
        return found

    def _evaluate(self, seen: EncodedRows, logits: Tensor, there: Tensor) -> dict[str, float]:
        loss, metric = evaluate(self.context.task, self.metric, logits[there], seen.target[there])
        return {"loss": loss, "metric": metric}

    @cached_property
    def _average(self) -> Tensor:
        """Return the logits [1, k] of the mean prediction on the training rows."""
        context = self.context
        target = torch.from_numpy(context.target[context.train_rows]).to(self.norms.device)
        nothing = self.norms.new_zeros(len(target), 0)
        average: Tensor = fit_probe(context.task, nothing, target)(nothing[:1])
        return average

    def _probes(self, seen: dict[str, EncodedRows]) -> dict[str, float]:
        """Return modality → metric of a linear probe, fitted on the tokens of the training rows."""
        found, train = {}, seen["train"]
        judged = seen.get("validation", train)
        for place, name in enumerate(self.names):
            own, there = train.present[:, place], judged.present[:, place]
            if not own.any():
                found[name] = math.nan
                continue
            probe = fit_probe(self.context.task, train.pooled[place][own], train.target[own])
            found[name] = self._evaluate(judged, probe(judged.pooled[place]), there)["metric"]
        return found


def _task_name(task: Task) -> str:
    """Return the registered name of a task, which is the name of its file."""
    return type(task).__module__.rpartition(".")[2]


def _overfit_ratio(before: dict[str, Any], now: dict[str, Any]) -> float:
    """Return ΔO/ΔG; NaN without validation rows, or if their loss did not decrease."""
    if "validation" not in now:
        return math.nan
    gap_before, gap_now = (part["validation"]["loss"] - part["train"]["loss"] for part in (before, now))
    gain = before["validation"]["loss"] - now["validation"]["loss"]
    return (gap_now - gap_before) / gain if gain > 0 else math.nan


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _plain(value: Any) -> Any:
    """Return rounded JSON values, with null for undefined values."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
