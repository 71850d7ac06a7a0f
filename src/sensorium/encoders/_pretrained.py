"""What encoders around a pretrained `transformers` model have in common."""

from __future__ import annotations

import hashlib
import inspect
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, TypeAlias

import torch
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.encoders.vector_mlp import VectorMLP
from sensorium.errors import ConfigError
from sensorium.hub import CONFIG, find_model, missing_extra, read_json

Tune: TypeAlias = Literal["frozen", "last", "lora", "full"]
Pool: TypeAlias = Literal["mean", "first"]


class Pretrained(nn.Module):
    """A pretrained model, its states pooled to one vector, and a small network of our own over that.

    Frozen, the vectors of all cells are computed once and kept, and only the small network is trained.

    Args:
        model: a folder, or a name on the hub.
        config: the model's `config.json`.
        tune: what of it is trained: nothing, its last layers, low-rank additions to its matrices, everything.
        pool: mean of the states of real tokens, or the first state.
        size: width of the token that comes out.
        dropout: in our own network.

    Class attributes:
        part: which half of a model of two (CLIP, SigLIP) is meant; others are taken whole.
    """

    part: ClassVar[str]

    def __init__(
        self, model: str, config: dict[str, Any], tune: Tune, pool: Pool, *, size: int, dropout: float
    ) -> None:
        super().__init__()
        self.model, self.tune, self.pool, self._config = model, tune, pool, config
        self.backbone = _take_part(_from_config(config), self.part)
        features = _features(self.backbone.config)
        self.norm = nn.LayerNorm(features, elementwise_affine=False)
        self.head = VectorMLP(features, size=size, dropout=dropout)
        self.width, self.features_width = size, features

    @property
    def frozen(self) -> bool:
        """Are its features the same throughout training?"""
        return self.tune == "frozen"

    def choose_trained(self, layers: int, rank: int, rate: float, decay: float) -> None:
        """Let the gradient reach what `tune` says; lower layers learn more slowly (Howard and Ruder 2018,
        arXiv:1801.06146).

        Args:
            layers: how many of the last ones, for `last`.
            rank: of the additions, for `lora` (Hu et al. 2021, arXiv:2106.09685).
            rate: learning rate of the model's own weights, as a share of the others'.
            decay: of that share, from each layer to the one below.
        """
        if self.tune == "lora":
            self.backbone = _with_additions(self.backbone, rank)
            return
        blocks = _blocks(self.backbone)
        first = {"frozen": len(blocks), "last": max(0, len(blocks) - layers), "full": 0}[self.tune]
        trained = {id(p) for block in blocks[first:] for p in block.parameters()}
        for parameter in self.backbone.parameters():
            parameter.requires_grad_(self.tune == "full" or id(parameter) in trained)
            parameter.rate = rate * decay ** len(blocks)  # type: ignore[attr-defined]  # read by the optimiser
        for depth, block in enumerate(reversed(blocks)):
            for parameter in block.parameters():
                parameter.rate = rate * decay**depth  # type: ignore[attr-defined]

    def load_pretrained(self) -> None:
        """Take the weights of the folder or of the hub; until then they are random.

        Raises:
            ConfigError: they are not there, or not of this model.
        """
        own, found = self.backbone.state_dict(), _read_weights(self.model, self.part)
        found = {name if name in own else _below_additions(name): value for name, value in found.items()}
        self.backbone.load_state_dict(found | {name: own[name] for name in own if "lora_" in name})

    def identity(self) -> str:
        """A hash of all that the features depend on."""
        found = hashlib.sha256(f"{type(self).__name__} {self.pool} {self._config}".encode())
        for name, value in self.backbone.state_dict().items():
            found.update(name.encode() + value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        return found.hexdigest()

    def train(self, mode: bool = True) -> Pretrained:
        """A frozen model stays as it is when it answers."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(self, cells: Cells) -> Tokens:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            features = self.features(cells)
        return self.from_features(Cells(features, cells.present))

    def from_features(self, cells: Cells) -> Tokens:
        """What `features` gave → one token."""
        return self.head(cells)

    def features(self, cells: Cells) -> Tensor:
        """Cells → (b, features_width), each row of mean 0 and deviation 1."""
        states = self.states(cells)
        if states.dim() == 4:  # a map (b, d, h, w)
            states = states.flatten(2).transpose(1, 2)
        if self.pool == "first":
            return self.norm(states[:, 0])
        mask = cells.mask if cells.mask is not None and cells.mask.shape == states.shape[:2] else None
        return self.norm(states.mean(1) if mask is None else Tokens(states, mask).pooled())

    def states(self, cells: Cells) -> Tensor:
        """Cells → the model's last states, (b, t, d) or (b, d, h, w)."""
        raise NotImplementedError


def read_config(model: str) -> dict[str, Any]:
    """A model's `config.json`.

    Raises:
        ConfigError: there is no such model.
    """
    return read_json(find_model(model), CONFIG)


def _from_config(config: dict[str, Any]) -> nn.Module:
    try:
        from transformers import AutoConfig, AutoModel
        from transformers.utils import logging
    except ImportError:
        raise missing_extra() from None
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    settings = {name: value for name, value in config.items() if name not in ("model_type", "auto_map", "dtype")}
    try:
        return AutoModel.from_config(AutoConfig.for_model(config["model_type"], **settings), trust_remote_code=False)
    except (KeyError, ValueError) as error:
        kind = config.get("model_type")
        raise ConfigError(f"transformers builds no {kind!r} model: {error}", place=f"model_type: {kind}") from None


def _take_part(model: Any, part: str) -> nn.Module:
    """The part, or the encoder of a pair, or all; without a pooler that would be trained for nothing."""
    model = getattr(model, part) if hasattr(model, part) else model
    found: Any = model.get_encoder() if model.config.is_encoder_decoder else model
    pooler = getattr(found, "pooler", None)
    if isinstance(pooler, nn.Module) and list(pooler.parameters()):
        found.pooler = None
    return found


def _features(config: Any) -> int:
    sizes = getattr(config, "hidden_sizes", None)
    return int(sizes[-1] if sizes else config.hidden_size)


def _blocks(model: nn.Module) -> list[nn.Module]:
    """The layers one above the other: the longest list of modules there is."""
    lists: Iterator[nn.ModuleList] = (part for part in model.modules() if isinstance(part, nn.ModuleList))
    return list(max(lists, key=len, default=[]))


def _with_additions(model: nn.Module, rank: int) -> nn.Module:
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise missing_extra() from None
    settings = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of the two libraries to each other
        added: Any = get_peft_model(model, settings)
    return added.base_model.model


def _below_additions(name: str) -> str:
    """What a weight is called once low-rank additions stand beside it."""
    owner, _, leaf = name.rpartition(".")
    return f"{owner}.base_layer.{leaf}"


def _read_weights(model: str, part: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from transformers import AutoModel

    try:
        whole = AutoModel.from_pretrained(find_model(model), use_safetensors=True, trust_remote_code=False)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ConfigError(f"the weights can't be read: {error}", place=f"model: {model}") from None
    return _take_part(whole.float(), part).state_dict()


def takes(model: nn.Module, argument: str) -> bool:
    """Has the model's forward an argument of this name?"""
    return argument in inspect.signature(model.forward).parameters
