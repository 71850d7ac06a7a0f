"""Make tiny models with random weights in the format of pretrained models, for tests and docs without downloads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from sensorium.testing.families import FAMILIES, SIDE, vocabulary

RATE = 8000  # Hz, of models of sound: as made sounds have it
SOUNDS = ("AST", "Whisper")  # families of sound with an extractor of their own


def make_pretrained(modality: str, folder: Path, seed: int = 0, family: str = "") -> Path:
    """Write `config.json`, `model.safetensors`, and a tokenizer or preprocessing settings for the modality.

    Args:
        modality: `text`, `image`, `audio`, `video` or `series`.
        folder: the folder; it is created if necessary.
        seed: random seed of the weights.
        family: `bert`, `t5`, `swin`, `whisper` …, see `FAMILIES`; by default the first of the modality.

    Returns:
        The folder.

    Example:
        >>> from pathlib import Path
        >>> from sensorium.testing import make_pretrained
        >>> folder = make_pretrained("image", Path("tiny_vit"))
        >>> sorted(path.name for path in folder.iterdir())
        ['config.json', 'model.safetensors', 'preprocessor_config.json']
    """
    import transformers

    kind, settings = FAMILIES[modality][family or next(iter(FAMILIES[modality]))]
    config = getattr(transformers, f"{kind}Config")(**settings())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        transformers.AutoModel.from_config(config).save_pretrained(folder)
    _save_preprocessing(modality, kind, folder)
    return folder


def _save_preprocessing(modality: str, kind: str, folder: Path) -> None:
    """Save the preprocessing settings like the processor of the family."""
    square = {"height": SIDE, "width": SIDE}
    colours = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_normalize": True}
    sound = {"feature_extractor_type": f"{kind}FeatureExtractor", "sampling_rate": RATE}
    if modality == "text":
        _tokenizer().save(str(folder / "tokenizer.json"))
        return
    found = {
        "image": {"image_processor_type": "ViTImageProcessor", "size": square, **colours},
        "video": {"image_processor_type": "VideoMAEImageProcessor", "size": {"shortest_edge": SIDE}, **colours}
        | {"do_center_crop": True, "crop_size": square},
        "audio": sound if kind in SOUNDS else {**sound, "feature_extractor_type": "Wav2Vec2FeatureExtractor"},
    }.get(modality)
    if found:
        (folder / "preprocessor_config.json").write_text(json.dumps(found), encoding="utf-8")


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = vocabulary()
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, "[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(name, words.index(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return tokenizer
