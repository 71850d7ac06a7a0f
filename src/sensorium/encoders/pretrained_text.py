"""Pretrained language model of `transformers`: BERT, ModernBERT, GPT-2, T5's encoder, the text part of CLIP …"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sensorium.batch import Cells, Tokens
from sensorium.encoders._pretrained import Pretrained

ACCEPTS = ("text", "document")


class PretrainedText(Pretrained):
    """Pretrained language model: ids (b, t) of its own tokenizer → states (b, t, d)."""

    modality, part = "text", "text_model"

    @classmethod
    def preferred_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        cls.complete(options)  # report a model of another modality before its missing tokenizer
        return {"tokenizer": options.get("model", "")}

    @property
    def longest(self) -> int | None:
        """Return the maximum number of tokens that the model accepts."""
        found = getattr(self.backbone.config, "max_position_embeddings", None)
        return found if found and found > 0 else None

    def states(self, cells: Cells) -> Tokens:
        assert cells.mask is not None
        found = self.backbone(input_ids=cells.values.long(), attention_mask=cells.mask.long())
        return Tokens(found.last_hidden_state, cells.mask)
