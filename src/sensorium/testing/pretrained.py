"""Tiny models with random weights, saved as pretrained ones are: what tests and docs have in place of a download."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from sensorium.testing.tables import TOPICS, WORDS

WIDTH, LAYERS, SIDE = 32, 2, 32
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def make_pretrained(modality: str, folder: Path, seed: int = 0) -> Path:
    """Write `config.json`, `model.safetensors` and what the modality needs: a tokenizer, numbers of preprocessing.

    Args:
        modality: `text` (a BERT) or `image` (a ViT).
        folder: is made if need be.
        seed: of the weights.

    Returns:
        The folder.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        {"text": _text, "image": _image}[modality](folder)
    return folder


def _text(folder: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    words = [*SPECIAL, *WORDS, *(word for topic in TOPICS for word in topic)]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, "[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(name, words.index(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    BertModel(BertConfig(vocab_size=len(words), **_sizes())).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def _image(folder: Path) -> None:
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    ViTModel(ViTConfig(image_size=SIDE, patch_size=8, **_sizes())).save_pretrained(folder)
    ViTImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)


def _sizes() -> dict[str, Any]:
    return {
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 2,
        "intermediate_size": 2 * WIDTH,
    }
