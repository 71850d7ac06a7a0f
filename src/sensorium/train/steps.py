"""The training steps of an epoch."""

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

READ_EVERY = 16  # steps between two reads of the loss: each read waits for the accelerator


class Steps:
    """Runner of the training steps of epochs.

    Args:
        state: state of the training, which the steps change.
        bar: progress bar, which counts rows.
    """

    def __init__(self, state: State, bar: Bar) -> None:
        self.state, self.context, self.config, self.bar = state, state.context, state.config, bar

    def run(self, after: Callable[[], None]) -> float:
        """Run an epoch, or the rest of it in a resumed run; return its mean loss.

        Args:
            after: called after each step; the state can be saved then.

        Raises:
            TrainingError: the loss is not finite.
        """
        place, clock = self.state.place, time.perf_counter()
        self.state.parts.train()
        for batch in self._batches():
            place.batches += 1
            if len(batch.rows):  # empty if none of the streamed files can be read
                place.steps += 1
                place.waiting.append(self._update(batch))
                if len(place.waiting) == READ_EVERY:
                    self._read_losses()
                self.bar.advance(len(batch.rows))
            place.seconds, clock = place.seconds + time.perf_counter() - clock, time.perf_counter()
            after()
        for technique in self.state.techniques.values():
            technique.end_epoch(place.epoch)
        self._read_losses()
        place.seconds += time.perf_counter() - clock
        return place.loss / place.steps

    def _batches(self) -> Iterator[Batch]:
        """Return the unfinished batches of the epoch; a resumed epoch draws the same order again."""
        place, streams = self.state.place, self.state.streams
        if place.batches:
            streams.draw_again()
        else:
            streams.begin_epoch()
            for technique in self.state.techniques.values():
                technique.begin_epoch(place.epoch)
        order = self.context.loader.order(self.context.train_rows, self.context.batch_size, streams.shuffle)
        return self.context.loader.batches(order[place.batches :])

    def _update(self, batch: Batch) -> Tensor:
        """Run one step of the optimiser, with gradient accumulation over parts of the batch; return its loss."""
        optimizer, precision = self.state.optimizer, self.state.precision
        optimizer.zero_grad(set_to_none=True)
        rows = torch.arange(len(batch.rows), device=batch.rows.device)
        losses = list[Tensor]()
        for part in rows.chunk(self.config.accumulate):
            whole = len(part) == len(rows)
            step, loss = self._forward(batch if whole else batch.take(part))
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

    def _forward(self, batch: Batch) -> tuple[Step, Tensor]:
        """Run the forward pass; return the step and its loss. Tokens and logits are float32."""
        model, streams = self.context.model, self.state.streams.rows
        batch = augment(batch, self.context.augmentations, streams)
        with self.state.precision.forward():
            tokens, present = model.encode(batch, self._hide(batch))
            tokens = [found.float() for found in tokens]
            logits = model.decide(tokens, present).float()
        step = Step(batch, tokens, present, logits, self.state.place.epoch, streams)
        loss = self._loss(step.logits, step.target) if self.context.supervised else _zero_loss(step.logits)
        for technique in self.state.techniques.values():
            loss = technique.loss(step, loss)
        return step, loss

    def _loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of the task, with mixup (Zhang et al. 2017, arXiv:1710.09412) if it is set.

        Words and categories cannot be mixed, but fused features can (Verma et al. 2018, arXiv:1806.05236). The head is
        linear, so its logits of mixed features are the mixed logits.
        """
        loss, streams = self.context.task.loss, self.state.streams
        if not self.config.mixup:
            return loss(logits, target)
        share = float(streams.mixture.beta(self.config.mixup, self.config.mixup))
        other = torch.randperm(len(target), generator=streams.rows, device=streams.device)
        mixed = share * logits + (1 - share) * logits[other]
        return share * loss(mixed, target) + (1 - share) * loss(mixed, target[other])

    def _hide(self, batch: Batch) -> Tensor | None:
        """Modality dropout: hide each modality in a fraction of the rows; every row keeps at least one modality.

        The fraction is the same in every batch, so that tensors keep their sizes: other sizes would fragment memory.
        """
        dropout = self.config.modality_dropout
        if not dropout or len(self.context.model.towers) < 2:
            return None
        present = self.context.model.present(batch)
        luck = torch.rand(present.shape, device=present.device)
        keeper = luck.masked_fill(~present, -1).argmax(1, keepdim=True)
        rank = luck.scatter(1, keeper, 2).argsort(0).argsort(0)
        return (rank < round(dropout * len(present))).scatter(1, keeper, False)

    def _read_losses(self) -> None:
        """Read the pending losses from the device and add them up.

        Raises:
            TrainingError: they are not finite.
        """
        place = self.state.place
        total = float(torch.stack(place.waiting).sum()) if place.waiting else 0.0
        place.waiting.clear()
        if not math.isfinite(total):
            raise diverged(f"the loss is {total} in epoch {place.epoch}", self.config)
        place.loss += total


def _zero_loss(logits: Tensor) -> Tensor:
    """Return a loss of 0 with a gradient of 0, for steps to which no technique adds a term."""
    return logits.new_zeros((), requires_grad=True)
