"""A pretrained language model of `transformers`: BERT, ModernBERT, GPT-2, MiniLM, CLIP's text half …"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import PositiveInt
from torch import Tensor

from sensorium.batch import Cells
from sensorium.config import Fraction, Share
from sensorium.encoders._pretrained import Pool, Pretrained, Tune, read_config

ACCEPTS = ("text", "document")


class PretrainedText(Pretrained):
    """ids (b, t) → the model's states (b, t, d) → pooled (b, d) → one token (b, 1, size).

    Args:
        vocabulary: number of token ids, of the model's own tokenizer.
        model: a folder with `config.json` and `*.safetensors`, or a name on the Hugging Face hub.
        tune: what is trained of it: `frozen` nothing, `last` its last layers, `lora` low-rank additions, `full`
            everything.
        layers: how many are the last ones.
        rank: of low-rank additions.
        rate: learning rate of the model's own weights, as a share of `train.learning_rate`.
        decay: of that share, from each layer to the one below.
        pool: mean of the states of real tokens, or the first state.
        size: width of the token that comes out.
        dropout: in the network over the model.
        config: the model's settings; its own by default.
    """

    part = "text_model"

    def __init__(
        self,
        vocabulary: int,
        *,
        model: str = "",
        tune: Tune = "frozen",
        layers: PositiveInt = 2,
        rank: PositiveInt = 8,
        rate: Share = 0.02,
        decay: Share = 0.9,
        pool: Pool = "mean",
        size: PositiveInt = 128,
        dropout: Fraction = 0.1,
        config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(model, config or read_config(model), tune, pool, size=size, dropout=dropout)
        self.choose_trained(layers, rank, rate, decay)

    @staticmethod
    def complete(options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with the model's settings, so that it can be built again where its folder is not."""
        return {**options, "config": options.get("config") or read_config(options.get("model", ""))}

    @staticmethod
    def wishes(options: Mapping[str, Any]) -> dict[str, Any]:
        """What the text should be prepared with: the model's own tokenizer."""
        return {"tokenizer": options.get("model", "")}

    def states(self, cells: Cells) -> Tensor:
        assert cells.mask is not None
        return self.backbone(input_ids=cells.values.long(), attention_mask=cells.mask.long()).last_hidden_state
