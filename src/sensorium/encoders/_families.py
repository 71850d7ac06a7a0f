"""Lists of the families of `transformers` models that may be built, and of the settings that they may have.

A configuration can also name other models, files, code and kernels to download. These are not on the list. A family may
have the settings that its own class declares, and a few older names for them.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
from collections.abc import Mapping
from typing import Any

from sensorium.errors import ConfigError

# Modality → families whose classes build the network of their own settings alone.
FAMILIES: dict[str, frozenset[str]] = {
    modality: frozenset(names.split())
    for modality, names in {
        "text": """albert altclip bart bert bert-generation big_bird bigbird_pegasus biogpt bloom camembert canine
            chinese_clip clip clip_text_model clipseg cohere convbert data2vec-text deberta deberta-v2
            distilbert electra ernie esm eurobert falcon flaubert fnet funnel gemma gemma2 glm gpt2 gpt_bigcode
            gpt_neo gpt_neox gptj granite gte helium ibert jina_embeddings_v3 led llama longformer longt5
            m2m_100 marian mbart megatron-bert metaclip_2 mistral mobilebert modernbert mpnet mpt mt5 mvp
            nemotron nomic_bert nystromformer olmo olmo2 openai-gpt opt pegasus persimmon phi phi3 plbart qwen2
            qwen3 rembert roberta roberta-prelayernorm roc_bert roformer siglip siglip2 smollm3 splinter
            squeezebert stablelm starcoder2 switch_transformers t5 umt5 xglm xlm xlm-roberta xlm-roberta-xl
            xlnet xmod""",
        "image": """aimv2_vision_model altclip beit bit chinese_clip chinese_clip_vision_model clip clip_vision_model
            clipseg convnext convnextv2 cvt data2vec-vision deit dinov2 dinov2_with_registers dinov3_convnext dinov3_vit
            donut-swin efficientnet focalnet hiera ijepa levit metaclip_2 mlcd_vision_model mobilenet_v1 mobilenet_v2
            mobilevit mobilevitv2 poolformer pvt pvt_v2 regnet resnet segformer siglip siglip2 siglip2_vision_model
            siglip_vision_model swiftformer swin swin2sr swinv2 vit vit_mae vit_msn yolos""",
        "audio": """audio-spectrogram-transformer data2vec-audio hubert sew sew-d unispeech unispeech-sat wav2vec2
            wav2vec2-conformer wavlm whisper""",
        "video": "timesformer videomae vivit",
        "series": "patchtst",
    }.items()
}
# Older names of settings, which the classes take beside those that they declare.
OLDER = frozenset((
    "rope_scaling", "rope_theta", "rotary_pct", "rotary_emb_base", "rotary_dim", "partial_rotary_factor",
    "global_rope_theta", "local_rope_theta", "rope_local_base_freq", "global_attn_every_n_layers",
    "sliding_window_pattern", "pooler_hidden_size", "n_embed", "qkv_bias", "use_bias", "tie_word_embeddings",
    "text_config_dict", "vision_config_dict",
))  # fmt: skip
SHARED = frozenset(("is_encoder_decoder", "chunk_size_feed_forward"))  # that every class has, and a network depends on
ELSEWHERE = ("backbone", "path_or", "repo", "implementation")  # in names of settings of what lies elsewhere
COUNTS = re.compile(r"layer|depth|block|stage|repeat")  # in names of settings that say how often something is built
MOST, LARGEST = 1024, 2**31  # of such; of any whole number
WORD = re.compile(r"[\w .+-]{0,100}")  # neither a path nor an address nor an owner's name
ENTRIES, DEEPEST = 4096, 4  # of a list or a mapping, and how deep one may lie in another


def own_settings(config: Mapping[str, Any], classes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a `config.json` that describe the network, and drop all others.

    Args:
        config: with the family as `model_type`.
        classes: family → its class of settings.

    Raises:
        ConfigError: a value does not describe a network.
    """
    return _own(config, classes[config["model_type"]], "config")


def _own(config: Mapping[str, Any], kind: Any, place: str) -> dict[str, Any]:
    parts, found = getattr(kind, "sub_configs", {}), dict[str, Any]()
    for name in _names(kind) & config.keys():
        value, at = config[name], f"{place}.{name}"
        part = parts.get(name.removesuffix("_dict"))
        if part is not None and value is not None:
            if not isinstance(value, Mapping):
                raise ConfigError("this setting must be a group of settings", place=at)
            found[name] = _own(value, part, at)
        else:
            found[name] = _plain(value, at, 0)
    return found


def _names(kind: Any) -> set[str]:
    """Return the settings that a class declares, with their aliases and older names."""
    from transformers import PretrainedConfig

    own = (_declared(kind) - _declared(PretrainedConfig)) | set(getattr(kind, "attribute_map", {})) | OLDER | SHARED
    return {name for name in own if not any(word in name for word in ELSEWHERE)}


def _declared(kind: Any) -> set[str]:
    if dataclasses.is_dataclass(kind):
        return {field.name for field in dataclasses.fields(kind)}
    return set(inspect.signature(kind.__init__).parameters)


def _plain(value: Any, place: str, depth: int) -> Any:
    """Check that a JSON value is of a size and type that a network's settings have."""
    if isinstance(value, bool | None):
        return value
    if isinstance(value, int) and abs(value) <= (MOST if COUNTS.search(place.rpartition(".")[2]) else LARGEST):
        return value
    if (isinstance(value, float) and math.isfinite(value)) or (isinstance(value, str) and WORD.fullmatch(value)):
        return value
    if depth < DEEPEST and isinstance(value, list | tuple) and len(value) <= ENTRIES:
        return [_plain(entry, place, depth + 1) for entry in value]
    if depth < DEEPEST and isinstance(value, Mapping) and len(value) <= ENTRIES:
        return {_word(name, place): _plain(entry, f"{place}.{name}", depth + 1) for name, entry in value.items()}
    raise ConfigError(
        f"a pretrained model's setting cannot be {value!r}"[:200],
        place=place[:200],
        rule="numbers, truth values, single words, and lists of these",
    )


def _word(name: Any, place: str) -> str:
    if not isinstance(name, str) or not WORD.fullmatch(name):
        raise ConfigError(f"a setting cannot be called {name!r}"[:200], place=place[:200])
    return name
