"""GE2E speaker encoder: a vector of the speaker's voice, with weights from the package Resemblyzer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import PositiveInt
from torch import Tensor

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Fraction, Share
from sensorium.encoders._packaged import Packaged, Tune, Tuning, in_order, read_packaged
from sensorium.encoders._voice import HIDDEN, RATE, Voice
from sensorium.errors import ConfigError
from sensorium.modalities import EncoderSpec

ACCEPTS = ("audio",)
PACKAGE = "resemblyzer"


class VoiceGE2E(Packaged):
    """GE2E (Wan et al. 2017, "Generalized End-to-End Loss for Speaker Verification", arXiv:1710.10467).

    samples (b, t) → power in mel bands (b, frames, 40) → windows of 1.6 s → a unit vector each → their mean (b, 256),
    of length 1 → one token (b, 1, size). The vector identifies the speaker, independent of what is said.

    Args:
        encoder_spec: what the column's modality supplies.
        tune: which weights are trained: `frozen` none, `last` those of the last layers, `full` all.
        layers: number of layers that `tune: last` trains, of three LSTMs and a projection.
        learning_rate_scale: learning rate of the pretrained weights, as a fraction of `train.learning_rate`.
        layer_decay: factor of that fraction from each layer to the layer below.
        size: width of the output token.
        dropout: dropout probability in the network on top of the model.
    """

    def __init__(
        self,
        encoder_spec: EncoderSpec,
        *,
        tune: Tune = "frozen",
        layers: Depth = 2,
        learning_rate_scale: Share = 0.02,
        layer_decay: Share = 0.9,
        size: PositiveInt = 128,
        dropout: Fraction = 0.1,
    ) -> None:
        wanted, found = ("waveform", RATE), (encoder_spec["form"], encoder_spec["rate"])
        if found != wanted:
            raise ConfigError(
                f"the model takes a {wanted[0]} at {wanted[1]} Hz, not {found[0]} at {found[1]} Hz",
                place="encoder 'voice_ge2e'",
                cure="omit the column's options sample_rate and form: the encoder sets them",
            )
        super().__init__(
            Voice(), Tuning(tune, layers, learning_rate_scale, layer_decay), features=HIDDEN, size=size, dropout=dropout
        )

    @staticmethod
    def preferred_options(options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the audio options that match the model's own preprocessing."""
        return {"form": "waveform", "sample_rate": RATE}

    def read_weights(self) -> dict[str, Tensor]:
        found = read_packaged(PACKAGE, "pretrained.pt")["model_state"]
        kept = {name: value for name, value in found.items() if name.startswith(("lstm.", "linear."))}
        return in_order(kept, self.backbone, PACKAGE)

    def features(self, cells: Cells) -> Tensor:
        assert cells.mask is not None
        return self.norm(self.backbone(cells.values, cells.mask))

    def dense(self, cells: Cells) -> Tokens:
        assert isinstance(self.backbone, Voice)
        assert cells.mask is not None
        return self.from_features(Cells(self.norm(self.backbone.dense(cells.values, cells.mask)), cells.present))
