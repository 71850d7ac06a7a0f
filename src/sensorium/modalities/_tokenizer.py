"""Tokenizers of saved models: built from JSON and checked against their own vocabulary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sensorium.errors import ArtifactError
from sensorium.modalities._tokenizer_parts import parse

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

LARGEST = 4_000_000  # tokens of a vocabulary
PROBES = ("", "a", "A few words, 12.5 of them?", "\ue000 \U0001f600 \u4e00")  # texts that any tokenizer can split


def cut_off(saved: str, length: int | None) -> Tokenizer:
    """Build the tokenizer, which cuts texts at `length` tokens, if any, and does not pad.

    Raises:
        ValueError: the JSON is not a valid tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(json.dumps(parse(saved)))
        tokenizer.no_padding()
        tokenizer.no_truncation() if length is None else tokenizer.enable_truncation(length)
    # The library raises plain Exception; its panics are not even subclasses of Exception.
    except BaseException as error:  # noqa: BLE001
        raise ValueError(f"the tokenizer cannot be read: {_reason(error)}") from None
    return tokenizer


def check_tokenizer(tokenizer: Tokenizer) -> None:
    """Raise ValueError if the tokenizer returns ids beyond its vocabulary, or cannot split a text."""
    size = vocabulary_size(tokenizer)
    if not 0 < size <= LARGEST:
        raise ValueError(f"the vocabulary has {size:,} tokens")
    for found in split_texts(tokenizer, PROBES):
        if max(found.ids, default=0) >= size:
            raise ValueError(f"the token id {max(found.ids)} exceeds the vocabulary of {size:,} tokens")


def vocabulary_size(tokenizer: Tokenizer) -> int:
    """Return the number of possible ids: more than the number of tokens if some ids are unused."""
    return max(tokenizer.get_vocab_size(), 1 + max(tokenizer.get_vocab().values(), default=-1))


def split_texts(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Encoding]:
    """Tokenize texts.

    Raises:
        ArtifactError: the tokenizer belongs to a damaged model.
    """
    try:
        return tokenizer.encode_batch_fast(list(texts))
    except BaseException as error:  # noqa: BLE001 - as above
        raise ArtifactError(f"the tokenizer cannot split a text: {_reason(error)}") from None


def _reason(error: BaseException) -> str:
    """Return the message; raise the error again if it is meant for the whole program."""
    if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
        raise error
    return str(error).partition("\n")[0][:200] or type(error).__name__
