"""Models trained on a table that was prepared once."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from sensorium import __version__
from sensorium.augment import Augmentations, build_augmentations
from sensorium.config import Choice, Config, TrainConfig
from sensorium.encoders import FeatureEncoder, Pretrained, Static
from sensorium.evaluate.drift import sketch_columns
from sensorium.experiment._checks import check_features
from sensorium.experiment._content import hash_columns
from sensorium.experiment._job import Job
from sensorium.experiment._start import frozen_of, take_weights
from sensorium.findings import Problems
from sensorium.metrics import Outcome, score
from sensorium.model import Blueprint, FittedModel, FusionModel, build_network, calibrate, check_buildable, plan_model
from sensorium.prepare import Prepared, at_rows
from sensorium.prepare.loader import Loader
from sensorium.prepare.streamed import Streamed
from sensorium.split import SeenRows, add_fit
from sensorium.table import Column
from sensorium.train import (
    Checkpoint,
    History,
    Pretraining,
    Training,
    freeze,
    pretrain,
    train,
)

Rows: TypeAlias = npt.NDArray[np.int64]

CONTENT = "content of column "  # what a run that is resumed must have in common, as a person reads it


@dataclass(frozen=True)
class Variant:
    """What tells one model of an experiment from another.

    Attributes:
        towers: names of those to use; None for all.
        fusion: instead of the settings' own.
        seed: of initial weights, order of rows and chance, instead of the settings' own; the split stays.
        settings: laid over the settings' own: of encoders, width, training. What was prepared stays.
    """

    towers: Sequence[str] | None = None
    fusion: Choice | None = None
    seed: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """A model and how it did.

    Attributes:
        bundle: the model.
        history: of its training.
        outcomes: `validation` and `test` → truth and answers, for the splits that have rows.
        seconds: spent training, and pre-training.
        pretraining: how that went, where it was asked for.
    """

    bundle: FittedModel
    history: History
    outcomes: Mapping[str, Outcome]
    seconds: float
    pretraining: Pretraining | None = None

    def validated(self, metric: str) -> float:
        """A metric on all validation rows, of the model as it is kept; NaN where it is not defined."""
        return float(score(metric, self.outcomes["validation"])[0])


@dataclass
class Experiment(Job):
    """A prepared table on which any number of models are trained: what `fit` does once and `compare` many times.

    Takes what a `Job` takes.
    """

    towers_of: Mapping[str, FusionModel] = field(default_factory=dict, init=False)

    def from_towers(self, models: Mapping[str, FusionModel], train: TrainConfig) -> Experiment:
        """The same rows: towers begin with the weights that they have in these models, and their encoders stay so.

        Args:
            models: tower → a trained model that has it.
            train: the settings of what is left to train.
        """
        other = copy.copy(self)
        frozen = train.model_copy(update={"freeze": [*train.freeze, *(f"{name}.encoder" for name in models)]})
        other.config, other.towers_of = self.config.model_copy(update={"train": frozen}), models
        return other

    def go_on(self, start: FittedModel, config: Config) -> Experiment:
        """Another stage on the same rows: a model of this experiment trains on, by other settings of training.

        Encoders that are frozen no more are given cells again instead of their kept features.
        """
        stage = copy.copy(self)
        stage.config, stage.start, stage.blueprint = config, start, start.blueprint
        stage.kept, stage.frozen = list(range(self.task.outputs)), frozen_of(start)
        names = [t.columns[0] for t in self.blueprint.towers if t.name in self.frozen and t.name not in stage.frozen]
        if names:
            cells = self._read({name: self.learnt[name] for name in names})
            stage.prepared = Prepared({**self.prepared.columns, **cells.columns}, self.prepared.problems)
        return stage

    def check_variant(self, variant: Variant) -> None:
        """Raises ConfigError where a model of this variant can't be built; takes no time and no memory to speak of."""
        blueprint = self._blueprint(variant, self._settings(variant))
        learnt = {name: self.learnt[name] for tower in blueprint.towers for name in tower.columns}
        check_buildable(blueprint, learnt, self.task, self.modules)

    def train(
        self,
        variant: Variant = Variant(),
        keep: Callable[[FittedModel], None] | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Trained:
        """Train one model from the seed, and let it answer the test rows.

        Args:
            variant: towers, fusion, settings.
            keep: called with the best model so far, after each epoch that is better.
            checkpoint: where the run's state is kept as it goes on, and taken up from.
        """
        return self.finish(self.learn(variant, keep, checkpoint=checkpoint))

    def learn(
        self,
        variant: Variant = Variant(),
        keep: Callable[[FittedModel], None] | None = None,
        *,
        checkpoint: Checkpoint | None = None,
        enough: Callable[[], bool] = lambda: False,
    ) -> Trained:
        """Train one model from the seed; of the splits only the validation rows are answered.

        Args:
            variant, keep, checkpoint: as for `train`.
            enough: asked after each epoch whether to end here.
        """
        seed = self.config.seed if variant.seed is None else variant.seed
        accelerators = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(accelerators):
            torch.manual_seed(seed)
            bundle = self._new_bundle(variant)
            prepared = self.prepared.only(bundle.learnt)
            job = Training(
                model=bundle.network,
                task=self.task,
                loader=Loader(prepared, self.target, self.device),
                train_rows=self._with_something(prepared, "train"),
                validation_rows=self._with_something(prepared, "validation"),
                target=self.target,
                augmentations=self._augmentations(bundle),
                teacher_scores=self._teacher_scores,
                unlabelled_rows=self._known(prepared, np.flatnonzero(np.isin(self.used, self.unlabelled))),
                enough=enough,
            )
            kept = checkpoint and replace(checkpoint, made_of=self._made_of(bundle, job))
            with self._reading_features([bundle.network]):
                return self._run(bundle, job, seed, keep=keep, checkpoint=kept)

    def _run(
        self,
        bundle: FittedModel,
        job: Training,
        seed: int,
        *,
        keep: Callable[[FittedModel], None] | None,
        checkpoint: Checkpoint | None,
    ) -> Trained:
        config = bundle.config.train
        before = self._pretrained(job, config, seed, checkpoint) if config.pretrain else None
        checkpoint = checkpoint and replace(checkpoint, before=before.to_state() if before else None)
        saved = (lambda: keep(bundle)) if keep else (lambda: None)
        history = train(job, config, seed, report=self.report, keep=saved, checkpoint=checkpoint)
        seconds = history.seconds + (before.history.seconds if before else 0)
        bundle.card |= {
            "history": history.to_json(),
            "pretraining": before and before.to_json(),
            "seconds": round(seconds, 3),
        }
        if bundle.config.calibrate == "temperature":
            self._calibrate(bundle, job.validation_rows)
        outcomes = {"validation": self.outcome(bundle, "validation")} if len(self.rows("validation")) else {}
        return Trained(bundle, history, outcomes, seconds, before)

    def _pretrained(
        self, job: Training, config: TrainConfig, seed: int, checkpoint: Checkpoint | None
    ) -> Pretraining | None:
        """How pre-training went; a run that is taken up has it behind it, in the weights of its checkpoint."""
        if checkpoint and checkpoint.taken_up:
            before = checkpoint.kept_before()
            return Pretraining.restore(before) if before else None
        return pretrain(job, config, seed, self.report)

    def _made_of(self, bundle: FittedModel, job: Training) -> dict[str, Any]:
        """What tells this run from others: with the same, on the same machine, it takes the same course."""
        rows = hashlib.sha256()
        for part in (job.train_rows, job.validation_rows, job.unlabelled_rows, job.target, job.teacher_scores):
            rows.update(b"" if part is None else np.ascontiguousarray(part).tobytes())
        versions = {"sensorium": __version__, "torch": torch.__version__}
        hashes = {"table": self.fingerprint, "set of training rows and labels": rows.hexdigest()}
        hashes |= {f"{CONTENT}{name!r}": found for name, found in hash_columns(self, bundle.learnt).items()}
        if self.start is not None:
            hashes["model that is continued"] = self.start.digest()
        return bundle.config.model_dump(mode="json") | {"version": versions, "hash": hashes}

    def finish(self, trained: Trained) -> Trained:
        """Let a model answer the test rows, and tell on its card how much each modality counts."""
        bundle, outcomes = trained.bundle, dict(trained.outcomes)
        prepared = self.prepared.only(bundle.learnt)
        with self._reading_features([member.network for member in bundle.members]):
            if len(self.rows("test")):
                outcomes["test"] = self.outcome(bundle, "test")
            self._gather_streamed()
            found = [self._with_something(prepared, split) for split in ("validation", "train")]
            bundle.card |= {"shares": bundle.modality_weights(prepared, found[0] if len(found[0]) else found[1])}
            if "calibration" in bundle.card:
                bundle.card["calibration"]["test"] = self._calibrated(bundle, outcomes.get("test"))
        bundle.card |= {"problems": len(self.problems)}
        return replace(trained, outcomes=outcomes)

    def _calibrate(self, bundle: FittedModel, rows: Rows) -> None:
        found = calibrate(
            self.task, bundle.logits(self.prepared.only(bundle.learnt), rows), self.target[rows], self.config.seed
        )
        if found:
            bundle.temperature = found.temperature
            bundle.card["calibration"] = found.to_json()

    def _calibrated(self, bundle: FittedModel, after: Outcome | None) -> dict[str, list[float]] | None:
        """What the temperatures changed on the test rows: before, after."""
        if after is None:
            return None
        others = [replace(member, temperature=1.0) for member in bundle.others]
        before = self.outcome(replace(bundle, temperature=1.0, others=others), "test")
        return {name: [float(score(name, x)[0]) for x in (before, after)] for name in ("log_loss", "ece")}

    @contextmanager
    def _reading_features(self, networks: Sequence[FusionModel]) -> Iterator[None]:
        """Within, frozen encoders are passed over: their features were computed beforehand."""
        with ExitStack() as stack:
            for network in networks:
                stack.enter_context(network.reading_features(self.frozen))
            yield

    def _gather_streamed(self) -> None:
        """What was wrong with cells that were first looked at in training."""
        for found in self.prepared.columns.values():
            if isinstance(found, Streamed):
                self.problems.extend(at_rows(Problems(found.take_problems()), self.used))

    def outcome(self, bundle: FittedModel, split: str) -> Outcome:
        """Truth and answers of a split's rows."""
        rows = self.rows(split)
        return self.task.outcome(bundle.scores(self.prepared.only(bundle.learnt), rows), self.target[rows])

    def _with_something(self, prepared: Prepared, split: str) -> Rows:
        return self._known(prepared, self.rows(split))

    def _known(self, prepared: Prepared, rows: Rows) -> Rows:
        """Those of the prepared rows that have a value in some column."""
        return rows[prepared.has_any()[rows]]

    def _augmentations(self, bundle: FittedModel) -> Augmentations:
        return build_augmentations(self.augmented, {name: what.encoder_spec() for name, what in bundle.learnt.items()})

    def _new_bundle(self, variant: Variant) -> FittedModel:
        config = self._settings(variant)
        blueprint = self._blueprint(variant, config)
        check_features(blueprint, self.blueprint, self.frozen)
        learnt = {name: self.learnt[name] for tower in blueprint.towers for name in tower.columns}
        network = build_network(blueprint, learnt, self.task, copy.deepcopy(dict(self.modules)))
        assert self.config.target is not None
        bundle = FittedModel(
            config=config,
            target=self.config.target,
            kinds={name: self.kinds[name] for name in learnt},
            learnt=learnt,
            task_name=self.task_name,
            task=self.task,
            prior=self.task.prior(self.target[self.rows("train")]),
            blueprint=blueprint,
            network=self._with_weights(network).to(self.device),
            card=self._card() | {"augment": {name: self.augmented[name] for name in learnt if name in self.augmented}},
            views={name: owner for name, owner in self.table.views.items() if name in learnt},
        )
        return replace(bundle, seen=self._seen_rows(bundle))

    def _seen_rows(self, bundle: FittedModel) -> list[SeenRows]:
        """Of this fit, and of those before; a table that lacks a column of the model tells nothing."""
        before, cells = self.start.seen if self.start else (), bundle.row_cells
        if any(name not in self.table for name in cells.columns):
            return list(before)
        return add_fit(before, SeenRows.of(self.table, cells, self.split.rows("train"), self.split.rows("test")))

    def _with_weights(self, network: FusionModel) -> FusionModel:
        """Give encoders what they know from elsewhere or by counting; frozen weights are one tensor for all models."""
        for tower in network.every_tower:
            if isinstance(tower.encoder, FeatureEncoder) and tower.name in self.frozen:
                tower.encoder.backbone = self.frozen[tower.name].backbone
            elif isinstance(tower.encoder, Pretrained | Static) and self.start is None:
                self._make_ready(tower.encoder, tower.columns[0])
        if self.start is not None:
            take_weights(network, self.start.network, self.kept)
        for tower in network.every_tower:
            if tower.name in self.towers_of:
                tower.load_state_dict(self.towers_of[tower.name].tower(tower.name).state_dict())
        freeze(network, self.config.train.freeze)
        return network

    def _settings(self, variant: Variant) -> Config:
        if not variant.settings:
            return self.config
        return Config.gather(self.config.model_dump(mode="json"), variant.settings)

    def _blueprint(self, variant: Variant, config: Config) -> Blueprint:
        blueprint = self.blueprint
        if variant.fusion or variant.settings:
            config = config.model_copy(update={"fusion": variant.fusion}) if variant.fusion else config
            blueprint = plan_model(self.learnt, self.kinds, config)
        if variant.towers is None:
            return blueprint
        towers = [tower for tower in blueprint.towers if tower.name in variant.towers]
        return replace(blueprint, towers=towers)

    def _cells(self) -> list[Column]:
        """The columns, and those that objects are made of."""
        found = [self.table.column(name) for name in self.table.columns]
        return [*found, *(part for column in found for part in column.parts.values())]

    def _card(self) -> dict[str, Any]:
        return {
            "table": self.table.name,
            "fingerprint": self.fingerprint,
            "rows": self.split.sizes(),
            "unlabelled": {"rows": len(self.unlabelled), "learnt_from_by": self.learners},
            "split": self.split.how,
            "split_column": self.split_column,
            "split_digest": self.split.digest,
            "text": self._texts(),
            "columns": [asdict(plan) for plan in self.plans],
            "problems": len(self.problems),
            "notes": list(self.table.notes),
            "notices": [group.to_json() for group in self.notices.groups()],
            "statistics": sketch_columns(self.prepared, self.learnt, self.rows("train"), self._vectors()),
        }

    def _texts(self) -> list[str]:
        """Columns that are text, and those that were where a model is continued."""
        found = [column.name for column in self._cells() if column.is_string]
        return list(dict.fromkeys([*found, *(self.start.card["text"] if self.start else ())]))

    def _vectors(self) -> list[str]:
        """Columns that stand as features of a frozen encoder."""
        return [tower.columns[0] for tower in self.blueprint.towers if tower.name in self.frozen]
