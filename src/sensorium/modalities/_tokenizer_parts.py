"""Checks of a tokenizer's JSON before the library builds it: known parts, limited growth of the text, fast regexes.

A saved model may come from an untrusted source, and the library runs what the file describes: a chain of replacements
that turns each letter into 16 fills the memory, and a regex such as `(a+)+b` takes hours for one cell.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Iterator
from typing import Any

from sensorium.modalities._regex import check_regex

# The types of the tokenizers library that published tokenizers use.
KINDS = {
    "normalizer": (
        *("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Strip", "Nmt", "BertNormalizer", "ByteLevel"),
        *("Replace", "Prepend", "Precompiled"),
    ),
    "pre_tokenizer": (
        *("BertPreTokenizer", "ByteLevel", "Metaspace", "Whitespace", "WhitespaceSplit", "Punctuation", "Digits"),
        *("UnicodeScripts", "CharDelimiterSplit", "Split"),
    ),
    "post_processor": ("TemplateProcessing", "BertProcessing", "RobertaProcessing", "ByteLevel"),
    "model": ("BPE", "WordPiece", "WordLevel", "Unigram"),
}
CONTAINERS = {"normalizer": "normalizers", "pre_tokenizer": "pretokenizers", "post_processor": "processors"}
STEPS = 64  # parts of one kind, special tokens per text
DEEPEST = 4
GROWTH = 128  # characters that all replacements together may make of one: an Arabic ligature expands to 18
WORD = 1000  # letters of a word that WordPiece splits, in quadratic time: BERT has 100


def parse(saved: str) -> dict[str, Any]:
    """Parse and check the JSON of a tokenizer; drop the decoder, which is not used.

    Raises:
        ValueError: the JSON is invalid, or uses what no published tokenizer uses.
    """
    try:
        found = json.loads(saved)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("the JSON is not an object")
    growth = 1.0
    for place in KINDS:
        steps = list(_steps(found.get(place), place, 0))
        if len(steps) > STEPS:
            raise ValueError(f"the {place} has {len(steps)} parts, over the limit of {STEPS}")
        for step in steps:
            growth *= _growth(step)
            _check_step(step, place)
    if growth > GROWTH:
        raise ValueError(f"one character may become {growth:,.0f} characters, over the limit of {GROWTH}")
    return found | {"decoder": None}


def _steps(part: Any, place: str, depth: int) -> Iterator[dict[str, Any]]:
    """Yield the parts of a sequence at any depth."""
    if part is None:
        return
    kind = part.get("type", "BPE" if place == "model" else None) if isinstance(part, dict) else None
    if kind == "Sequence" and place in CONTAINERS:
        inner = part.get(CONTAINERS[place])
        if not isinstance(inner, list) or depth == DEEPEST:
            raise ValueError(f"the {place} of type Sequence has no list, or is nested too deeply")
        for each in inner:
            yield from _steps(each, place, depth + 1)
        return
    if kind not in KINDS[place]:
        raise ValueError(f"the {place} has the unknown type {str(kind)[:50]!r}")
    yield part


def _check_step(step: dict[str, Any], place: str) -> None:
    kind = step.get("type")
    if kind in ("Split", "Replace"):
        _pattern(step)
    elif kind == "TemplateProcessing":
        pieces = [*step.get("single", []), *step.get("pair", [])]
        ids = [token.get("ids", []) for token in dict(step.get("special_tokens", {})).values()]
        if max(len(pieces), sum(map(len, ids))) > STEPS:
            raise ValueError(f"the {place} adds more than {STEPS} tokens to a text")
        if not any("Sequence" in piece for piece in step.get("single", [])):
            raise ValueError(f"the {place} drops the text")
    elif kind == "WordPiece" and not 0 <= step.get("max_input_chars_per_word", 100) <= WORD:
        raise ValueError(f"the model splits words of more than {WORD:,} characters")


def _growth(step: dict[str, Any]) -> float:
    """Return the number of characters that a step may make from one. Unicode normal forms make few, and only once."""
    kind = step.get("type")
    if kind == "Replace":
        pattern, content = _pattern(step), len(step["content"])
        return max(1.0, content / pattern) if pattern else 1.0 + content
    if kind == "Prepend":  # to each part between special tokens
        return 1.0 + len(step["prepend"])
    if kind == "Precompiled":
        return _longest_form(step.get("precompiled_charsmap"))
    return 4.0 if kind == "ByteLevel" else 1.0


def _pattern(step: dict[str, Any]) -> int:
    """Return the length of the search pattern; 0 for a regex, which may match between any two characters."""
    pattern = step.get("pattern")
    if not isinstance(pattern, dict) or len(pattern) != 1 or not isinstance(step.get("content", ""), str):
        raise ValueError(f"the pattern of {step['type']} is invalid")
    (how, value), *_ = pattern.items()
    if how == "Regex" and isinstance(value, str):
        check_regex(value)
        return 0
    if how != "String" or not isinstance(value, str) or not value:
        raise ValueError(f"the pattern of {step['type']} is neither a text nor a regex")
    return len(value)


def _longest_form(charsmap: Any) -> float:
    """Return the longest replacement in SentencePiece's map: size of a trie, the trie, and texts separated by zeros.

    UTF-8 needs at least two bytes for each character that is replaced by a long text.
    """
    if not charsmap:
        return 1.0
    try:
        content = base64.b64decode(charsmap, validate=True)
        (size,) = struct.unpack_from("<I", content)
    except (binascii.Error, ValueError, TypeError, struct.error):
        raise ValueError("the map of a Precompiled normalizer is damaged") from None
    return max(1.0, max(map(len, content[4 + size :].split(b"\0"))) / 2)
