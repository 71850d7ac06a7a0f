"""Base class of encoders with a pretrained `transformers` model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Fraction, Share
from sensorium.encoders._backbone import build_backbone, read_weights, recompute_states, unused
from sensorium.encoders._backbone_settings import check_kind
from sensorium.encoders._hash import hash_weights
from sensorium.encoders._layers import find_layers
from sensorium.encoders._low_rank import add_low_rank, below_additions
from sensorium.encoders._preprocessing import check_preprocessing
from sensorium.encoders._two_steps import TwoSteps
from sensorium.errors import ConfigError
from sensorium.files.pretrained_sources import CONFIG, find_model, read_json
from sensorium.modalities import EncoderSpec

Tune: TypeAlias = Literal["frozen", "last", "lora", "full"]
Pool: TypeAlias = Literal["mean", "first"]

PREPROCESSOR = "preprocessor_config.json"
PREPROCESSING = "preprocessing"  # what of it we need, kept beside the model's own settings


class Pretrained(TwoSteps):
    """Pretrained model with a small network on top: states (b, t, d) → pooled (b, d) → one token (b, 1, size).

    Args:
        encoder_spec: what the column's modality supplies.
        model: a folder with `config.json` and `*.safetensors`, a name on the Hugging Face hub, or packaged weights
            (`minilm`; see `sensorium list encoders`).
        tune: which weights are trained: `frozen` none, `last` those of the last layers, `lora` low-rank adapters,
            `full` all.
        layers: number of layers that `tune: last` trains.
        rank: rank of the low-rank adapters.
        learning_rate_scale: learning rate of the pretrained weights, as a fraction of `train.learning_rate`.
        layer_decay: factor of that fraction from each layer to the layer below.
        pool: `mean` averages the states of all real tokens, `first` takes the first state.
        checkpointing: gradient checkpointing: recompute the states within the layers for the gradient instead of
            storing them. Takes less memory and more time; the result is the same.
        size: width of the output token.
        dropout: dropout probability in the network on top of the model.
        config: the model's configuration; read from `model` by default.

    Class attributes:
        modality: the modality that the model must take.
        part: the half of a two-part model (CLIP, SigLIP) to use; other models are used whole.
    """

    modality: ClassVar[str]
    part: ClassVar[str] = ""
    backbone: Any  # a model of `transformers`, which has a config

    def __init__(
        self,
        encoder_spec: EncoderSpec,
        *,
        model: str = "",
        tune: Tune = "frozen",
        layers: Depth = 2,
        rank: PositiveInt = 8,
        learning_rate_scale: Share = 0.02,
        layer_decay: Share = 0.9,
        pool: Pool = "mean",
        checkpointing: bool = False,
        size: PositiveInt = 128,
        dropout: Fraction = 0.1,
        config: dict[str, Any] | None = None,
    ) -> None:
        settings = dict(config or self.settings(model))
        check_kind(settings, self.modality, self.part)
        preprocessing = settings.pop(PREPROCESSING, None) or self.preprocess(settings, {})
        check_preprocessing(preprocessing, self.preprocess(settings, {}))
        settings = self.fitted(settings, preprocessing, encoder_spec)
        backbone = build_backbone(settings, self.part)
        features = self.states_width(backbone, encoder_spec)
        super().__init__(backbone, tune == "frozen", features=features, size=size, dropout=dropout)
        self.preprocessing, self._config = preprocessing, settings
        self.model, self.tune, self.pool = model, tune, pool
        self.norm = nn.LayerNorm(features, elementwise_affine=False)
        self.ready()
        self._choose_trained(layers, rank, learning_rate_scale, layer_decay)
        if checkpointing:
            self._recompute()

    @classmethod
    def settings(cls, model: str) -> dict[str, Any]:
        """Read the configuration of a model and its preprocessing settings.

        Raises:
            ConfigError: the model does not exist, or takes another modality.
        """
        folder = find_model(model)
        config = read_json(folder, CONFIG)
        check_kind(config, cls.modality, cls.part)
        return {**config, PREPROCESSING: cls.preprocess(config, read_json(folder, PREPROCESSOR))}

    @classmethod
    def complete(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options with the model's configuration, so that it can be built again without its folder."""
        config, model = options.get("config"), options.get("model", "")
        if config and PREPROCESSING not in config:  # a plain config.json in place of the model's own
            found = read_json(find_model(model), PREPROCESSOR) if model else {}
            config = {**config, PREPROCESSING: cls.preprocess(config, found)}
        return {**options, "config": config or cls.settings(model)}

    @classmethod
    def preferred_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of the modality that match the model's own preprocessing."""
        raise NotImplementedError

    @classmethod
    def preprocess(cls, config: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
        """Return the preprocessing settings from `config.json` and `preprocessor_config.json`."""
        return {}

    @classmethod
    def fitted(
        cls, config: dict[str, Any], preprocessing: Mapping[str, Any], encoder_spec: EncoderSpec
    ) -> dict[str, Any]:
        """Return the model's configuration, adapted to the column.

        Raises:
            ConfigError: the column is not prepared as the model needs.
        """
        return config

    @classmethod
    def states_width(cls, backbone: Any, encoder_spec: EncoderSpec) -> int:
        """Return the width d of the states."""
        sizes = getattr(backbone.config, "hidden_sizes", None)
        return int(sizes[-1] if sizes else backbone.config.hidden_size)

    def ready(self) -> None:
        """Create additional modules that `states` needs."""

    @staticmethod
    def unfrozen(options: Mapping[str, Any], layers: int | None, rate: float) -> dict[str, Any]:
        """Return the options that fine-tune the last layers, or all, at a fraction of the learning rate."""
        part = {"tune": "full"} if layers is None else {"tune": "last", "layers": layers}
        return {**options, **part, "learning_rate_scale": rate}

    def _choose_trained(self, layers: int, rank: int, rate: float, decay: float) -> None:
        """Choose the trained weights by `tune`; lower layers get a lower learning rate (Howard and Ruder 2018,
        arXiv:1801.06146). Weights that the model itself keeps fixed (sinusoids) stay fixed.
        """
        if self.tune == "lora":
            self.backbone = add_low_rank(self.backbone, rank)
            return
        found = find_layers(self.backbone)
        groups = [(0, found.above), *enumerate(reversed(found.blocks)), (len(found.blocks), found.below)]
        last = {"frozen": 0, "last": min(layers, len(found.blocks)), "full": len(found.blocks) + 1}[self.tune]
        for depth, group in groups:
            for parameter in group:
                parameter.requires_grad_(parameter.requires_grad and depth < last)
                parameter.rate = rate * decay**depth  # type: ignore[attr-defined]  # read by the optimiser
        for name, parameter in self.backbone.named_parameters():
            if unused(name, self.backbone.config.model_type):
                parameter.requires_grad_(False)

    def _recompute(self) -> None:
        if self.frozen:
            raise ConfigError(
                "gradient checkpointing has no effect on a frozen model",
                place="checkpointing: true",
                cure="set checkpointing: false, or tune: last, lora or full",
            )
        recompute_states(self.backbone)

    def load_pretrained(self) -> None:
        """Load the weights from the folder or the hub, which replace random ones.

        Raises:
            ConfigError: the weights are missing or belong to another model.
        """
        own, found = self.backbone.state_dict(), read_weights(self.model, self.part)
        found = {name if name in own else below_additions(name): value for name, value in found.items()}
        try:
            self.backbone.load_state_dict(found | {name: own[name] for name in own if "lora_" in name})
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise ConfigError(
                f"the weights do not match these settings: {reason}", place=f"model: {self.model}"
            ) from None

    def identity(self) -> str:
        """Return a hash of everything that the features depend on."""
        settings = json.dumps([self._config, self.preprocessing], sort_keys=True, default=str)
        name = f"{type(self).__name__} {self.pool} {settings}"
        return hash_weights(self.backbone.state_dict(), name=name)

    def rests(self, part: nn.Module) -> bool:
        """Return whether a part stays in evaluation mode: frozen batch normalisation keeps its running statistics."""
        return isinstance(part, nn.modules.batchnorm._BatchNorm) and not part.weight.requires_grad

    def features(self, cells: Cells) -> Tensor:
        """Compute features (b, features_width), each row with mean 0 and standard deviation 1."""
        return self.summary(self.states(cells))

    def summary(self, states: Tokens) -> Tensor:
        """Pool and normalise states to (b, features_width)."""
        return self.norm(states.values[:, 0] if self.pool == "first" else states.pooled())

    def states(self, cells: Cells) -> Tokens:
        """Compute the model's last states (b, t, d) and their mask: False for padding."""
        raise NotImplementedError


def every_state(states: Tensor) -> Tokens:
    """Return states (b, t, d), or a map of states (b, d, h, w), as tokens that are all real."""
    values = states.flatten(2).transpose(1, 2) if states.dim() == 4 else states
    return Tokens(values, torch.ones(values.shape[:2], dtype=torch.bool, device=values.device))
