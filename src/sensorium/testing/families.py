"""Tiny configurations of the families of `transformers` models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sensorium.testing.contents import TOPICS, WORDS

WIDTH, LAYERS, SIDE = 32, 2, 32
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def vocabulary() -> list[str]:
    """Return the tokens of the tokenizer: those of made texts, and special ones."""
    return [*SPECIAL, *WORDS, *(word for topic in TOPICS for word in topic)]


def sizes() -> dict[str, Any]:
    """Return the sizes that most families name alike."""
    return {
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 2,
        "intermediate_size": 2 * WIDTH,
    }


def _text(**settings: Any) -> Callable[[], dict[str, Any]]:
    """Return the configuration of a language model."""
    ends = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    return lambda: {"vocab_size": len(vocabulary()), **ends, **(settings or sizes())}


def _squares(**settings: Any) -> Callable[[], dict[str, Any]]:
    """Return the configuration of a transformer over patches."""
    return lambda: {"image_size": SIDE, "patch_size": 8, **sizes(), **settings}


def _pair() -> dict[str, Any]:
    """Return the configuration of a model with a text and an image part."""
    return {"text_config": _text()() | {"hidden_size": WIDTH}, "vision_config": _squares()()}


def _waves(**settings: Any) -> Callable[[], dict[str, Any]]:
    """Return the configuration of a transformer over a convolved waveform, with one state per 20 ms."""
    filters = {"conv_dim": (16, 16, 16), "conv_kernel": (10, 8, 4), "conv_stride": (5, 8, 4)}
    places = {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
    return lambda: {**sizes(), **filters, **places, "num_feat_extract_layers": 3, **settings}


# Modality → family → the stem of its classes in transformers, and what its configuration is made of.
FAMILIES: dict[str, dict[str, tuple[str, Callable[[], dict[str, Any]]]]] = {
    "text": {
        "bert": ("Bert", _text()),
        "distilbert": ("DistilBert", _text(dim=WIDTH, n_layers=LAYERS, n_heads=2, hidden_dim=2 * WIDTH)),
        "roberta": ("Roberta", _text()),
        "modernbert": ("ModernBert", lambda: _text()() | {"cls_token_id": 2, "sep_token_id": 3}),
        "gpt2": ("GPT2", _text(n_embd=WIDTH, n_layer=LAYERS, n_head=2)),
        "t5": ("T5", _text(d_model=WIDTH, d_kv=16, d_ff=64, num_layers=LAYERS, num_heads=2)),
        "clip": ("CLIP", _pair),
    },
    "image": {
        "vit": ("ViT", _squares()),
        "dinov2": ("Dinov2", _squares()),
        "convnext": ("ConvNext", lambda: {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 2, 1]}),
        "resnet": (
            "ResNet",
            lambda: {"embedding_size": 8, "hidden_sizes": [8, 16, 32], "depths": [1, 2, 1], "layer_type": "basic"},
        ),
        "swin": (
            "Swin",
            lambda: (
                {"image_size": SIDE, "patch_size": 2, "embed_dim": 16, "depths": [1, 2], "num_heads": [2, 2]}
                | {"window_size": 4}
            ),
        ),
        "siglip": ("Siglip", _pair),
        "clip": ("CLIP", _pair),
    },
    "audio": {
        "wav2vec2": ("Wav2Vec2", _waves()),
        "wav2vec2_masked": ("Wav2Vec2", _waves(feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True)),
        "hubert": ("Hubert", _waves()),
        "wavlm": ("WavLM", _waves(feat_extract_norm="layer")),
        "ast": ("AST", lambda: sizes() | {"num_mel_bins": 16, "max_length": 64, "patch_size": 8} | strides(8)),
        "whisper": (
            "Whisper",
            lambda: (
                {"vocab_size": 60, "d_model": WIDTH, "encoder_layers": LAYERS, "decoder_layers": 1}
                | {f"{half}_attention_heads": 2 for half in ("encoder", "decoder")}
                | {f"{half}_ffn_dim": 2 * WIDTH for half in ("encoder", "decoder")}
                | {"num_mel_bins": 16, "max_source_positions": 25, "pad_token_id": 0, "bos_token_id": 1}
                | {"eos_token_id": 2, "decoder_start_token_id": 1, "begin_suppress_tokens": None}
            ),
        ),
    },
    "video": {
        "videomae": ("VideoMAE", _squares(num_frames=4, tubelet_size=2)),
        "timesformer": ("Timesformer", _squares(num_frames=4)),
        "vivit": ("Vivit", _squares(num_frames=4, tubelet_size=[2, 8, 8])),
    },
    "series": {
        "patchtst": (
            "PatchTST",
            lambda: (
                {"num_input_channels": 2, "context_length": 24, "patch_length": 6, "patch_stride": 3}
                | {"d_model": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 2, "ffn_dim": 2 * WIDTH}
            ),
        ),
    },
}


def strides(stride: int) -> dict[str, int]:
    """Return the strides of the patches of a spectrogram."""
    return {"frequency_stride": stride, "time_stride": stride}
