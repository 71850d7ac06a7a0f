"""The steps of an epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from sensorium.augment import augment
from sensorium.batch import Batch
from sensorium.runtime.progress import Bar
from sensorium.techniques import Step
from sensorium.train.state import State
from sensorium.train.validate import diverged

LOOK = 16  # steps between two looks at the loss: each look waits for an accelerator


class Steps:
    """Takes the steps of epochs.

    Args:
        state: what they change.
        bar: told of the rows.
    """

    def __init__(self, state: State, bar: Bar) -> None:
        self.state, self.job, self.config, self.bar = state, state.job, state.config, bar

    def run(self, after: Callable[[], None]) -> float:
        """An epoch, or what is left of it; returns its mean loss.

        Args:
            after: called after each step; the state is then one that can be kept.

        Raises:
            TrainingError: the loss is no number any more.
        """
        place, clock = self.state.place, time.perf_counter()
        self.state.parts.train()
        for batch in self._batches():
            place.batches += 1
            if len(batch.present):  # of streamed files it may turn out that none can be read
                place.steps += 1
                place.waiting.append(self._update(batch))
                if len(place.waiting) == LOOK:
                    self._look()
                self.bar.advance(len(batch.present))
            place.seconds, clock = place.seconds + time.perf_counter() - clock, time.perf_counter()
            after()
        for technique in self.state.techniques.values():
            technique.end_epoch(place.epoch)
        self._look()
        place.seconds += time.perf_counter() - clock
        return place.loss / place.steps

    def _batches(self) -> Iterator[Batch]:
        """Those of the epoch that are not done; the order is drawn from where the epoch's chance began."""
        place, streams = self.state.place, self.state.streams
        if place.batches:
            streams.draw_again()
        else:
            streams.begin_epoch()
            for technique in self.state.techniques.values():
                technique.begin_epoch(place.epoch)
        order = self.job.loader.order(self.job.train_rows, self.state.size, streams.shuffle)
        return self.job.loader.batches(order[place.batches :])

    def _update(self, batch: Batch) -> Tensor:
        """One step of the optimiser, the batch taken in as many parts as are set; returns its loss."""
        optimizer, precision = self.state.optimizer, self.state.precision
        optimizer.zero_grad(set_to_none=True)
        rows = torch.arange(len(batch.present), device=batch.present.device)
        losses = list[Tensor]()
        for part in rows.chunk(self.config.accumulate):
            whole = len(part) == len(rows)
            step, loss = self._answer(batch if whole else batch.take(part))
            loss = loss if whole else loss * (len(part) / len(rows))
            precision.backward(loss)
            losses.append(loss.detach())
        precision.unscale(optimizer)
        for technique in self.state.techniques.values():
            technique.gradients(step)
        if self.config.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.state.parts.parameters(), self.config.clip_norm)
        precision.step(optimizer)
        self.state.schedule.step()
        return torch.stack(losses).sum()

    def _answer(self, batch: Batch) -> tuple[Step, Tensor]:
        """A step's answers and its loss; from tokens and logits on all is float32."""
        model, streams = self.job.model, self.state.streams.rows
        batch = augment(batch, self.job.augmentations, streams)
        with self.state.precision.forward():
            tokens, present = model.encode(batch, self._hide(batch))
            tokens = [found.float() for found in tokens]
            logits = model.decide(tokens, present).float()
        step = Step(batch, tokens, present, logits, self.state.place.epoch, streams)
        loss = self._loss(step.logits, step.target) if self.job.supervised else _nothing(step.logits)
        for technique in self.state.techniques.values():
            loss = technique.loss(step, loss)
        return step, loss

    def _loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Of the rows, or of mixtures of two: mixup (Zhang et al. 2017, arXiv:1710.09412) of the fused features.

        Words and categories can't be mixed, what they are fused into can (Verma et al. 2018, arXiv:1806.05236). The
        head is linear, so that its answers to mixed features are its mixed answers.
        """
        loss, streams = self.job.task.loss, self.state.streams
        if not self.config.mixup:
            return loss(logits, target)
        share = float(streams.mixture.beta(self.config.mixup, self.config.mixup))
        other = torch.randperm(len(target), generator=streams.rows, device=streams.device)
        mixed = share * logits + (1 - share) * logits[other]
        return share * loss(mixed, target) + (1 - share) * loss(mixed, target[other])

    def _hide(self, batch: Batch) -> Tensor | None:
        """Modality dropout: each is hidden in a share of the rows, yet every row keeps one of those that it has.

        The share is the same in every batch, so that tensors keep their sizes: others would fragment the memory.
        """
        dropout = self.config.modality_dropout
        if not dropout or len(self.job.model.towers) < 2:
            return None
        present = self.job.model.present(batch)
        luck = torch.rand(present.shape, device=present.device)
        keeper = luck.masked_fill(~present, -1).argmax(1, keepdim=True)
        rank = luck.scatter(1, keeper, 2).argsort(0).argsort(0)
        return (rank < round(dropout * len(present))).scatter(1, keeper, False)

    def _look(self) -> None:
        """Add up the losses that wait.

        Raises:
            TrainingError: they are no numbers.
        """
        place = self.state.place
        total = float(torch.stack(place.waiting).sum()) if place.waiting else 0.0
        place.waiting.clear()
        if not math.isfinite(total):
            raise diverged(f"the loss is {total} in epoch {place.epoch}", self.config)
        place.loss += total


def _nothing(logits: Tensor) -> Tensor:
    """A loss of 0 that can go backward, where no technique adds a term to it, and moves nothing."""
    return logits.new_zeros((), requires_grad=True)
