"""Epochs, steps, early stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sensorium.augment import Augmentations, augment
from sensorium.batch import Batch
from sensorium.config import TrainConfig
from sensorium.errors import TrainingError
from sensorium.metrics import lower_is_better, score
from sensorium.model import FusionModel, infer
from sensorium.prepare.loader import Loader
from sensorium.progress import Bar, Reporter
from sensorium.tasks import Task
from sensorium.techniques import Course, Step, Technique, build_techniques, chosen_techniques
from sensorium.train.optimizer import make_optimizer, make_schedule

Rows = npt.NDArray[np.int64]

STEPS = 1500  # optimiser steps that the default number of epochs aims at
FEWEST, MOST = 5, 60  # epochs
LARGEST_BATCH, SMALLEST_BATCH, BATCHES = 64, 8, 20  # a default batch leaves this many batches in an epoch, if it can
CHANCE = 0x5EED  # keeps the draws of augmentations apart from the order of rows
LOOK = 16  # steps between two looks at the loss: each look waits for an accelerator


@dataclass(frozen=True)
class Training:
    """What a run of the loop works on.

    Attributes:
        augmentations: change the cells of its training rows alone.
        taught: a teacher's scores of all rows.
    """

    model: FusionModel
    task: Task
    loader: Loader
    train_rows: Rows
    validation_rows: Rows
    target: npt.NDArray[Any]
    augmentations: Augmentations
    taught: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Epoch:
    """One line of the history; `metric` is the watched one on the validation rows, NaN without such rows."""

    number: int
    loss: float
    validation_loss: float
    metric: float
    learning_rate: float
    rows_per_second: float
    seconds: float


@dataclass
class History:
    """How training went; `techniques` holds what each of them has to report."""

    watched: str
    epochs: list[Epoch] = field(default_factory=list)
    best: int = 0
    techniques: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Null for what is not defined."""
        epochs = [{key: _finite(value) for key, value in asdict(epoch).items()} for epoch in self.epochs]
        return {"watched": self.watched, "best": self.best, "epochs": epochs, "techniques": self.techniques}


def _finite(value: float) -> float | None:
    """JSON knows no NaN."""
    return value if math.isfinite(value) else None


def train(job: Training, config: TrainConfig, seed: int, report: Reporter, keep: Callable[[], None]) -> History:
    """Train until the epochs are over or patience is; the model ends with the weights of its best epoch.

    Args:
        job: model, task, batches, rows.
        config: the loop's settings.
        seed: of the order of rows, of augmentations and mixtures.
        report: where progress is told.
        keep: called after each epoch that is the best so far, with those weights in the model.

    Raises:
        TrainingError: the loss is no number any more.
    """
    size, epochs = batch_size(config, len(job.train_rows)), epoch_count(config, len(job.train_rows))
    history = History(config.metric or job.task.watch)
    techniques = build_techniques(chosen_techniques(config), _course(job, config))
    parts = nn.ModuleList([job.model, *techniques.values()])
    optimizer = make_optimizer(parts, config)
    schedule = make_schedule(optimizer, config, epochs * math.ceil(len(job.train_rows) / size))
    shuffle = torch.Generator().manual_seed(seed)
    chance = torch.Generator(next(job.model.parameters()).device).manual_seed(seed ^ CHANCE)
    mixture = np.random.default_rng(seed)
    best: dict[str, Tensor] = {}
    with report.bar("training", epochs * len(job.train_rows)) as bar:
        for number in range(1, epochs + 1):
            start, rate = time.perf_counter(), float(schedule.get_last_lr()[0])
            steps = _Steps(job, config, parts, optimizer, schedule, bar, chance, mixture)
            loss = steps.run(job.loader.shuffled(job.train_rows, size, shuffle), number)
            spent = time.perf_counter() - start
            _check_answers(job, config, number)
            validation_loss, metric = _validate(job, history.watched, size)
            figures = (loss, validation_loss, metric, rate, len(job.train_rows) / spent, spent)
            history.epochs.append(Epoch(number, *figures))
            bar.note(f"epoch {number}/{epochs}, loss {loss:.3f}, validation {history.watched} {metric:.3f}")
            if _is_best(history):
                history.best = number
                best = _trained_weights(job.model)
                keep()
            elif config.patience and number - history.best >= config.patience:
                break
    job.model.load_state_dict(best, strict=False)
    history.techniques = {name: technique.report() for name, technique in techniques.items()}
    return history


def _course(job: Training, config: TrainConfig) -> Course:
    count = len(job.train_rows)
    size, epochs = batch_size(config, count), epoch_count(config, count)
    rows = job.train_rows, job.validation_rows
    return Course(job.model, job.task, job.loader, *rows, job.target, size, epochs, job.taught)


def _trained_weights(model: FusionModel) -> dict[str, Tensor]:
    """A copy of all that training changes."""
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name: value.detach().clone() for name, value in model.state_dict().items() if name not in frozen}


def batch_size(config: TrainConfig, rows: int) -> int:
    """As set; by default 64, less where the rows are few."""
    return config.batch_size or int(np.clip(rows // BATCHES, SMALLEST_BATCH, LARGEST_BATCH))


def epoch_count(config: TrainConfig, rows: int) -> int:
    """As set; by default as many as give about `STEPS` steps."""
    per_epoch = math.ceil(rows / batch_size(config, rows))
    return config.epochs or int(np.clip(math.ceil(STEPS / per_epoch), FEWEST, MOST))


@dataclass
class _Steps:
    job: Training
    config: TrainConfig
    parts: nn.ModuleList  # the model, then the techniques
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LambdaLR
    bar: Bar
    chance: torch.Generator
    mixture: np.random.Generator

    def run(self, batches: Any, epoch: int) -> float:
        """One epoch; returns its mean loss."""
        self.parts.train()
        for technique in self._techniques:
            technique.begin_epoch(epoch)
        total, count, waiting = 0.0, 0, list[Tensor]()
        for batch in batches:
            waiting.append(self._update(batch, epoch))
            count += 1
            if len(waiting) == LOOK:
                total += self._look(waiting, epoch)
            self.bar.advance(len(batch.present))
        for technique in self._techniques:
            technique.end_epoch(epoch)
        return (total + self._look(waiting, epoch)) / count

    @property
    def _techniques(self) -> list[Technique]:
        return [part for part in self.parts if isinstance(part, Technique)]

    def _update(self, batch: Batch, epoch: int) -> Tensor:
        """One step of the optimiser, the batch taken in as many parts as are set; returns its loss."""
        self.optimizer.zero_grad(set_to_none=True)
        rows = torch.arange(len(batch.present), device=batch.present.device)
        losses = list[Tensor]()
        for part in rows.chunk(self.config.accumulate):
            whole = len(part) == len(rows)
            step, loss = self._answer(batch if whole else batch.take(part), epoch)
            loss = loss if whole else loss * (len(part) / len(rows))
            loss.backward()
            losses.append(loss.detach())
        for technique in self._techniques:
            technique.gradients(step)
        if self.config.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.parts.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self.schedule.step()
        return torch.stack(losses).sum()

    def _answer(self, batch: Batch, epoch: int) -> tuple[Step, Tensor]:
        batch = augment(batch, self.job.augmentations, self.chance)
        tokens, present = self.job.model.encode(batch, self._hide(batch))
        step = Step(batch, tokens, present, self.job.model.decide(tokens, present), epoch, self.chance)
        loss = self._loss(step.logits, step.target)
        for technique in self._techniques:
            loss = technique.loss(step, loss)
        return step, loss

    def _loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Of the rows, or of mixtures of two: mixup (Zhang et al. 2017, arXiv:1710.09412) of the fused features.

        Words and categories can't be mixed, what they are fused into can (Verma et al. 2018, arXiv:1806.05236). The
        head is linear, so that its answers to mixed features are its mixed answers.
        """
        loss = self.job.task.loss
        if not self.config.mixup:
            return loss(logits, target)
        share = float(self.mixture.beta(self.config.mixup, self.config.mixup))
        other = torch.randperm(len(target), generator=self.chance, device=self.chance.device)
        mixed = share * logits + (1 - share) * logits[other]
        return share * loss(mixed, target) + (1 - share) * loss(mixed, target[other])

    def _hide(self, batch: Batch) -> Tensor | None:
        """Modality dropout: each is hidden in a share of the rows, yet every row keeps one of those that it has.

        The share is the same in every batch, so that tensors keep their sizes: others would fragment the memory.
        """
        chance = self.config.modality_dropout
        if not chance or len(self.job.model.towers) < 2:
            return None
        present = self.job.model.present(batch)
        luck = torch.rand(present.shape, device=present.device)
        keeper = luck.masked_fill(~present, -1).argmax(1, keepdim=True)
        rank = luck.scatter(1, keeper, 2).argsort(0).argsort(0)
        return (rank < round(chance * len(present))).scatter(1, keeper, False)

    def _look(self, waiting: list[Tensor], epoch: int) -> float:
        total = float(torch.stack(waiting).sum()) if waiting else 0.0
        waiting.clear()
        if not math.isfinite(total):
            raise _diverged(f"the loss is {total} in epoch {epoch}", self.config)
        return total


def _diverged(finding: str, config: TrainConfig) -> TrainingError:
    cure = f"a lower rate: --set train.learning_rate={config.learning_rate / 10:g}"
    return TrainingError(finding, rule="finite numbers", cure=cure)


def _check_answers(job: Training, config: TrainConfig, epoch: int) -> None:
    """The last step of an epoch may break the weights after its loss was taken."""
    rows = job.train_rows[: batch_size(config, len(job.train_rows))]
    if not np.isfinite(infer(job.model, job.loader, rows, len(rows))).all():
        raise _diverged(f"the answers are no numbers any more after epoch {epoch}", config)


def _validate(job: Training, watched: str, size: int) -> tuple[float, float]:
    """Loss and watched metric on the validation rows, NaN without any."""
    if not len(job.validation_rows):
        return math.nan, math.nan
    logits = infer(job.model, job.loader, job.validation_rows, size)
    truth = job.target[job.validation_rows]
    loss = float(job.task.loss(torch.from_numpy(logits), torch.from_numpy(truth)))
    return loss, float(score(watched, job.task.outcome(job.task.scores(logits), truth))[0])


def _is_best(history: History) -> bool:
    """By the watched metric, then by the loss; without validation rows the last epoch is the best."""
    if history.best == 0 or math.isnan(history.epochs[-1].validation_loss):
        return True
    return _rank(history.epochs[-1], history.watched) > _rank(history.epochs[history.best - 1], history.watched)


def _rank(epoch: Epoch, watched: str) -> tuple[float, float]:
    metric = 0.0 if math.isnan(epoch.metric) else -epoch.metric if lower_is_better(watched) else epoch.metric
    return metric, -epoch.validation_loss
