"""Pretrained time series model of `transformers`: PatchTST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sensorium.batch import Cells, Tokens
from sensorium.encoders._backbone_settings import as_settings
from sensorium.encoders._pretrained import PREPROCESSING, Pretrained
from sensorium.errors import ConfigError
from sensorium.modalities import EncoderSpec

ACCEPTS = ("series",)


class PretrainedSeries(Pretrained):
    """Pretrained series model: steps (b, t, 2c) → states (b, n, c·d): for each patch, the states of all channels.

    PatchTST (Nie et al. 2023, arXiv:2211.14730) encodes each channel separately and standardises it in each row. The
    input is the last steps, in the number of its pretraining; gaps and steps before the start of a series count as
    unobserved.
    """

    modality = "series"

    @classmethod
    def preferred_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        return {"steps": cls.complete(options)["config"][PREPROCESSING]["steps"]}

    @classmethod
    def preprocess(cls, config: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
        if config.get("model_type") != "patchtst":
            raise ConfigError(
                f"time series models of the family {config.get('model_type')!r} are not supported",
                place="model",
                cure="choose a PatchTST model",
            )
        return {"steps": int(as_settings(config).context_length)}

    @classmethod
    def fitted(
        cls, config: dict[str, Any], preprocessing: Mapping[str, Any], encoder_spec: EncoderSpec
    ) -> dict[str, Any]:
        """Set the number of channels to that of the column, which only models with shared channel weights allow."""
        settings = as_settings(config)
        own = settings.num_input_channels
        if encoder_spec["channels"] != own and not settings.share_embedding:
            raise ConfigError(
                f"the model has weights for {own} channels, but the column has {encoder_spec['channels']} channels",
                place="encoder 'pretrained_series'",
                cure="use a column with as many channels, or a model whose channels share their weights",
            )
        return {**config, "num_input_channels": encoder_spec["channels"]}

    @classmethod
    def states_width(cls, backbone: Any, encoder_spec: EncoderSpec) -> int:
        return int(encoder_spec["channels"] * backbone.config.d_model)

    def states(self, cells: Cells) -> Tokens:
        values, known, real = self._window(cells)
        states = self.backbone(past_values=values, past_observed_mask=known).last_hidden_state  # (b, c, n, d)
        return Tokens(states.permute(0, 2, 1, 3).flatten(2), self._real_patches(real))

    def _window(self, cells: Cells) -> tuple[Tensor, Tensor, Tensor]:
        """Return values and which are known, both (b, steps, c), and the mask of steps (b, steps), aligned at the end.

        What is not known stands at the mean of what is, which standardisation makes zero.
        """
        assert cells.mask is not None
        steps, channels = self.preprocessing["steps"], cells.values.shape[2] // 2
        places = torch.arange(steps, device=cells.mask.device) - steps + cells.mask.sum(1, keepdim=True)  # (b, steps)
        real = places >= 0
        index = places.clamp(0, cells.values.shape[1] - 1)[..., None].expand(-1, -1, 2 * channels)
        found = torch.where(real[..., None], cells.values.gather(1, index), 0.0)
        values, known = found.split(channels, 2)
        mean = (values * known).sum(1, keepdim=True) / known.sum(1, keepdim=True).clamp_min(1)
        return torch.where(known > 0, values, mean), known, real

    def _real_patches(self, real: Tensor) -> Tensor:
        """Return the mask of patches (b, n): True if a patch has a real step, and for a summary token in front."""
        patches = self.backbone.patchifier
        found = real[:, patches.sequence_start :].unfold(1, patches.patch_length, patches.patch_stride).any(2)
        front = found.new_ones(found.shape[0], int(self.backbone.config.use_cls_token))
        return torch.cat([front, found], 1)
