"""A saved tokenizer: built of its JSON, held to its own vocabulary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sensorium.errors import ArtifactError
from sensorium.modalities._tokenizer_parts import parse

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

LARGEST = 4_000_000  # tokens of a vocabulary
PROBES = ("", "a", "A few words, 12.5 of them?", "\ue000 \U0001f600 \u4e00")  # what any tokenizer is to split


def cut_off(saved: str, length: int) -> Tokenizer:
    """The tokenizer, cutting texts at `length` tokens, padding none.

    Raises:
        ValueError: it is none.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(json.dumps(parse(saved)))
        tokenizer.no_padding()
        tokenizer.enable_truncation(length)
    # The library raises plain Exception; what it calls a panic is no Exception at all.
    except BaseException as error:  # noqa: BLE001
        raise ValueError(f"no tokenizer can be read: {_reason(error)}") from None
    return tokenizer


def check_tokenizer(tokenizer: Tokenizer) -> None:
    """Raise ValueError where it gives ids beyond its vocabulary, or can't split a text."""
    size = vocabulary_size(tokenizer)
    if not 0 < size <= LARGEST:
        raise ValueError(f"a vocabulary of {size:,} tokens")
    for found in split_texts(tokenizer, PROBES):
        if max(found.ids, default=0) >= size:
            raise ValueError(f"the token {max(found.ids)} is beyond the vocabulary of {size:,}")


def vocabulary_size(tokenizer: Tokenizer) -> int:
    """How many ids there may be: more than tokens where some ids are left out."""
    return max(tokenizer.get_vocab_size(), 1 + max(tokenizer.get_vocab().values(), default=-1))


def split_texts(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Encoding]:
    """Texts → ids.

    Raises:
        ArtifactError: the tokenizer is of a damaged model.
    """
    try:
        return tokenizer.encode_batch_fast(list(texts))
    except BaseException as error:  # noqa: BLE001 - as above
        raise ArtifactError(f"the tokenizer can't split a text: {_reason(error)}") from None


def _reason(error: BaseException) -> str:
    """Raises again what is meant for the whole program."""
    if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
        raise error
    return str(error).partition("\n")[0][:200] or type(error).__name__
