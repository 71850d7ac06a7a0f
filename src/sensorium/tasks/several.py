"""Task of several targets that one model predicts together."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from sensorium.config import Config, key_of
from sensorium.errors import ConfigError, SchemaError, did_you_mean, raise_together
from sensorium.files.state import from_saved, reading_saved
from sensorium.findings import Guess, Problem
from sensorium.labels import LabelReading
from sensorium.metrics import Outcome, Part, lower_is_better
from sensorium.registry import tasks
from sensorium.table import FILE_FIELDS, Column, Files, Floats
from sensorium.tasks._base import EncodedTarget, Label, Task, Temperature
from sensorium.tasks._infer import in_seconds, infer_task
from sensorium.tasks._learn import options_of
from sensorium.tasks._order import check_order_is_used
from sensorium.tasks._side_by_side import SideBySide, join

if TYPE_CHECKING:
    from torch import Tensor

SETTINGS = ("train.target_transform", "train.loss", "train.outliers", "table.order", "threshold")


class _SavedParts(BaseModel):
    """Saved fields, which are validated before the parts are read."""

    model_config = ConfigDict(strict=True)
    parts: dict[str, dict[str, Any]]
    kinds: dict[str, str]


@dataclass(frozen=True)
class Several(Task):
    """Multi-task learning with the mean of the targets' losses, each over the rows with a known label.

    The parts' labels, logits and scores are concatenated in the order of the targets. See Caruana 1997, "Multitask
    learning".

    Attributes:
        parts: target → its own task.
        kinds: target → registered name of its task.
        dtypes: target → dtype of the labels as its task encodes them.
        widths: target → number of values of one label; 0 for a plain number.
    """

    watch: ClassVar[str] = "mean_score"

    parts: dict[str, Task]
    kinds: dict[str, str]
    dtypes: dict[str, str]
    widths: dict[str, int]

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if not pa.types.is_struct(column.data.type) or FILE_FIELDS & set(column.parts):
            return None
        return cls.claim(column, Config())

    @classmethod
    def claim(cls, column: Column, config: Config) -> Guess:
        """Return the claim on a column of objects, with the task of each target by the settings."""
        found, cautions = {}, list[str]()
        for name, part in column.parts.items():
            kind, guess = infer_task(part, config.model_copy(update={"task": config.tasks.get(name)}))
            found[name], seconds = (kind, guess), in_seconds(part)
            if guess.caution != seconds:
                change = f"to change the task: --set {shlex.quote(key_of('tasks', name))}=…"
                cautions.append(f"{name}: {kind}: {guess.reason} ({change})")
            cautions += [f"{name}: {seconds}"] if seconds else []
        reason = ", ".join(f"{name}: {kind}" for name, (kind, _) in found.items())
        return Guess(0.99, f"several targets: {reason}", "; ".join(cautions))

    @classmethod
    def learn(
        cls, column: Column, class_weight: str, *, kinds: Mapping[str, str] | None = None, **options: Any
    ) -> Self:
        """Learn the task of each target.

        Args:
            column: one object per row, its fields the targets.
            class_weight: rule for class weights, for targets with classes.
            kinds: target → registered name of its task; inferred by default.
            **options: of the tasks that have them.

        Raises:
            SchemaError: the labels are not objects, or a target cannot be learned.
            ConfigError: `kinds` names an unknown target, or no target can use an option of regression or an order.
        """
        if not pa.types.is_struct(column.data.type):
            raise SchemaError("only one target", place=f"column {column.name!r}", cure="omit --task (Python: task=)")
        for name in kinds or {}:
            if name not in column.parts:
                cure = did_you_mean(name, column.parts)
                raise ConfigError(f"unknown target {name!r}", place=f"tasks.{name}", cure=cure)
        raise_together([
            SchemaError("no training row has a label", place=f"column {name!r}", cure="use another split, or remove it")
            for name, part in column.parts.items()
            if not len(part.values)
        ])  # fmt: skip
        ordered = Config.model_validate({"table": {"order": options.get("order", {})}})
        chosen = {n: (kinds or {}).get(n) or infer_task(part, ordered)[0] for n, part in column.parts.items()}
        _check_used(chosen, options)
        check_order_is_used(options.get("order", {}), chosen)
        learnt = {
            n: (own := tasks.load(kind)).learn(column.parts[n], class_weight, **options_of(own, options))
            for n, kind in chosen.items()
        }
        encoded = {n: part.encode(column.parts[n]).values for n, part in learnt.items()}
        dtypes = {n: str(values.dtype) for n, values in encoded.items()}
        return cls(learnt, chosen, dtypes, {n: math.prod(v.shape[1:]) if v.ndim > 1 else 0 for n, v in encoded.items()})

    def extend(self, column: Column, class_weight: str) -> tuple[Self, list[int]]:
        """Extend the task of each target by new labels."""
        parts, kept, start = {}, list[int](), 0
        for name, part in self.parts.items():
            parts[name], own = part.extend(column.parts[name], class_weight)
            kept += [start + place for place in own]
            start += parts[name].outputs
        widths = {n: part.encode(column.parts[n]).values.shape[1:] for n, part in parts.items()}
        return replace(self, parts=parts, widths={n: math.prod(w) if w else 0 for n, w in widths.items()}), kept

    def with_reading(self, reading: LabelReading) -> Self:
        """Return the task with another reading of labels, one for each target."""
        parts = {name: part.with_reading(reading.parts.get(name, part.reading)) for name, part in self.parts.items()}
        return replace(self, parts=parts, reading=reading)

    def looked_at(self, labels: Column) -> Self:
        return replace(self, parts={name: part.looked_at(labels.parts[name]) for name, part in self.parts.items()})

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        states = {name: part.state() for name, part in self.parts.items()}
        arrays = {f"{i}.{key}": a for i, (_, own) in enumerate(states.values()) for key, a in own.items()}
        parts = {name: json for name, (json, _) in states.items()}
        return {"parts": parts, "kinds": self.kinds, "dtypes": self.dtypes, "widths": self.widths}, arrays

    @classmethod
    def restore(cls, json: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Restore a task from `state`.

        Raises:
            ArtifactError: a field is missing, unknown, of another type or out of range, or two fields do not match.
        """
        with reading_saved(cls.__name__):
            saved = _SavedParts.model_validate(json)
            states, kinds = saved.parts, saved.kinds
            if not states or states.keys() != kinds.keys() or "several" in kinds.values():
                raise ValueError("parts and kinds have different targets")
        parts = {}
        for place, (name, own) in enumerate(states.items()):
            mine = {key.partition(".")[2]: a for key, a in arrays.items() if key.partition(".")[0] == str(place)}
            parts[name] = tasks.load(kinds[name]).restore(own, mine)
        reading = LabelReading(parts={name: part.reading for name, part in parts.items()})
        with reading_saved(cls.__name__):
            found = from_saved(cls, {**json, "parts": parts, "reading": reading})
            found.check()
            return found

    def check(self) -> None:
        for name, part in self.parts.items():
            empty = part.encode(Column(name, pa.nulls(1, pa.string()), Files(Path()))).values
            width = math.prod(empty.shape[1:]) if empty.ndim > 1 else 0
            if (self.dtypes.get(name), self.widths.get(name)) != (str(empty.dtype), width):
                raise ValueError(f"labels of {name!r} are {empty.dtype} of width {width}")
        if not self.dtypes.keys() == self.widths.keys() == self.parts.keys():
            raise ValueError("dtypes and widths have different targets")

    @property
    def outputs(self) -> int:
        return sum(part.outputs for part in self.parts.values())

    @property
    def labels(self) -> list[Label]:
        """Return `target=label` for each class, and the target's name for a value."""
        return [
            f"{name}={label}" if part.labels else name
            for name, part in self.parts.items()
            for label in part.labels or [name]
        ]

    def encode(self, column: Column) -> EncodedTarget:
        values, known, problems = [], [], []
        for name, part in self.parts.items():
            found = part.encode(column.parts[name])
            wide = found.values.reshape(len(column), -1).astype(np.float64)
            values.append(np.where(found.known[:, None], wide, np.nan))
            known.append(found.known)
            problems += found.problems
        return EncodedTarget(np.concatenate(values, 1), np.any(known, 0), problems)

    def each(self, target: EncodedTarget) -> dict[str, tuple[Task, EncodedTarget]]:
        found = {}
        for (name, part), own in zip(self.parts.items(), self._columns.labels(target.values), strict=True):
            known = np.isfinite(own).all(1)
            values = self._columns.encoded(name, np.where(known[:, None], own, 0))
            found[name] = part, EncodedTarget(values, known, [])
        return found

    def without_outliers(self, target: EncodedTarget, rows: npt.NDArray[np.bool_]) -> EncodedTarget:
        values, problems = target.values.copy(), list(target.problems)
        pairs = zip(self.each(target).items(), self._columns.labels(values), strict=True)
        for (name, (part, labels)), own in pairs:
            found = part.without_outliers(labels, rows)
            own[labels.known & ~found.known] = np.nan  # a view of `values`
            problems += [replace(problem, column=name) for problem in found.problems]
        return EncodedTarget(values, np.isfinite(values).any(1), problems)

    def findings(self, column: str) -> list[Problem]:
        return [problem for name, part in self.parts.items() for problem in part.findings(name)]

    def losses(self, logits: Tensor, target: Tensor) -> list[Tensor]:
        """Return the loss of each target, 0 if none of the rows has its label."""
        found = []
        for name, part, own, truth in zip(
            self.parts, self.parts.values(), self._columns.logits(logits), self._columns.labels(target), strict=True
        ):
            known = truth.isfinite().all(1)
            empty = not bool(known.any())
            found.append(own.sum() * 0 if empty else part.loss(own[known], self._columns.encoded(name, truth[known])))
        return found

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        losses = self.losses(logits, target)
        return sum(losses[1:], losses[0]) / len(losses)

    @property
    def targets(self) -> list[str]:
        return list(self.parts)

    @property
    def target_tasks(self) -> dict[str, str]:
        return dict(self.kinds)

    @property
    def has_classes(self) -> bool:
        return any(part.has_classes for part in self.parts.values())

    def logits_of_each(self, logits: Any) -> dict[str, Any]:
        return dict(zip(self.parts, self._columns.logits(logits), strict=True))

    def scaled(self, logits: Any, temperature: Temperature) -> Any:
        """Divide the logits of each target by its temperature, or all by the same."""
        if isinstance(temperature, float | int):
            return super().scaled(logits, temperature)
        parts = zip(self._columns.logits(logits), temperature, strict=True)
        return join([own / float(divisor) for own, divisor in parts])

    def scores_of_each(self, scores: Floats) -> dict[str, Floats]:
        return {name: own for name, _, own in self._columns.scores(scores)}

    def tempered(self, scores: Floats, temperature: Temperature) -> Floats:
        """Divide the log-probabilities of each target by its temperature, or of all by the same."""
        each = [temperature] * len(self.parts) if isinstance(temperature, float | int) else temperature
        own = zip(self._columns.scores(scores), each, strict=True)
        changed = [part.tempered(mine, divisor).reshape(len(scores), -1) for (_, part, mine), divisor in own]
        return np.concatenate(changed, 1)

    def mixed(self, scores: Floats, prior: Sequence[float], share: Temperature) -> Floats:
        """Mix the probabilities of each target with its prior, by its share or all by the same."""
        each = [share] * len(self.parts) if isinstance(share, float | int) else share
        priors = self.scores_of_each(np.array(prior, np.float64)[None])
        own = zip(self._columns.scores(scores), each, strict=True)
        changed = [part.mixed(mine, priors[name][0], s).reshape(len(scores), -1) for (name, part, mine), s in own]
        return np.concatenate(changed, 1)

    def scores(self, logits: npt.NDArray[np.floating[Any]]) -> Floats:
        own = zip(self.parts.values(), self._columns.logits(logits), strict=True)
        return np.concatenate([part.scores(mine).reshape(len(logits), -1) for part, mine in own], 1)

    @property
    def corrects_bias(self) -> bool:
        return any(part.corrects_bias for part in self.parts.values())

    def corrected(self, logits: npt.NDArray[np.floating[Any]], target: npt.NDArray[Any]) -> Self:
        parts, own = {}, zip(self._columns.logits(logits), self._columns.labels(target), strict=True)
        for (name, part), (mine, truth) in zip(self.parts.items(), own, strict=True):
            known = np.isfinite(truth).all(1)
            parts[name] = part.corrected(mine[known], self._columns.encoded(name, truth[known]))
        return replace(self, parts=parts)

    def prior(self, values: npt.NDArray[Any]) -> list[float]:
        found: list[float] = []
        for (name, part), truth in zip(self.parts.items(), self._columns.labels(values), strict=True):
            found += part.prior(self._columns.encoded(name, truth[np.isfinite(truth).all(1)]))
        return found

    def check_prior(self, prior: Sequence[float]) -> None:
        scores = np.array(prior, np.float64)[None]
        for name, part, own in self._columns.scores(scores):
            try:
                part.check_prior(own.reshape(-1).tolist())
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None

    def predicted(self, scores: Floats) -> npt.NDArray[Any]:
        found = [part.predicted(own).reshape(len(scores), -1) for _, part, own in self._columns.scores(scores)]
        return np.concatenate([own.astype(np.float64) for own in found], 1)

    def decode(self, predicted: npt.NDArray[Any]) -> Sequence[Any]:
        """Return one `{target: label}` per row, None for unknown labels."""
        columns = {}
        for (name, part), own in zip(self.parts.items(), self._columns.labels(predicted), strict=True):
            known = np.isfinite(own).all(1)
            answers = iter(part.decode(self._columns.encoded(name, own[known])))
            columns[name] = [next(answers) if there else None for there in known]
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def answers(self, scores: Floats) -> dict[str, Any]:
        own = self._columns.scores(scores)
        return {f"{name}.{kind}": cells for name, part, mine in own for kind, cells in part.answers(mine).items()}

    def outcome(self, scores: Floats, truth: npt.NDArray[Any]) -> Outcome:
        parts = {}
        for (name, part, own), mine in zip(self._columns.scores(scores), self._columns.labels(truth), strict=True):
            known = np.isfinite(mine).all(1)
            outcome = part.outcome(own, self._columns.encoded(name, np.where(known[:, None], mine, 0)))
            main = "r2" if lower_is_better(part.watch) else part.watch
            parts[name] = Part(self.kinds[name], main, known, outcome)
        return Outcome(truth, scores, self.predicted(scores), parts)

    def describe(self) -> str:
        return "; ".join(f"{name}: {part.describe()}" for name, part in self.parts.items())

    @property
    def _columns(self) -> SideBySide:
        return SideBySide(self.parts, self.dtypes, self.widths)


def _check_used(kinds: Mapping[str, str], options: Mapping[str, Any]) -> None:
    """Check that options of regression are set only if the task of a target uses them."""
    used = {setting for kind in kinds.values() for setting in tasks.entry(kind).literal("SETTINGS", ())}
    raise_together([
        ConfigError("no target is an amount", place=f"train.{name}", rule="a setting of regression", cure="auto")
        for name in ("target_transform", "loss")
        if options.get(name, "auto") != "auto" and f"train.{name}" not in used
    ])  # fmt: skip


def targets_of(task: Task) -> dict[str, Task]:
    """Return the task of each of several targets, or a single task under the name ""."""
    return dict(task.parts) if isinstance(task, Several) else {"": task}
