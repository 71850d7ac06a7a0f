"""Texts of a column, as they are tokenized: joined, cut, counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.modalities._new_tokenizer import UNKNOWN
from sensorium.table import Column

if TYPE_CHECKING:
    from tokenizers import Tokenizer
LONGEST = 1024  # tokens kept of a text by default, at most: recurrent encoders are slow on long ones
CHARACTERS_PER_TOKEN = 24  # before tokenizing, a text is cut at `length` (or LONGEST) times this: hostile cells
CHUNK = 2048  # texts tokenized at a time
# Kana, ideographs, Thai, Lao, Burmese, Khmer: scripts that do not separate words by spaces.
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e01-\u0e2e\u0e81-\u0eae\u1000-\u102a\u1780-\u17b3]")


def character_limit(length: int) -> int:
    """Return how many characters of a text are tokenized; the same in training, so that a cut word stays the same."""
    return max(length, LONGEST) * CHARACTERS_PER_TOKEN


def count_tokens(tokenizer: Tokenizer, texts: pa.Array) -> tuple[npt.NDArray[np.int64], int]:
    """Return int64[n]: the number of tokens per text, and the number of unknown tokens."""
    counts, unknown, code = list[int](), 0, tokenizer.token_to_id(UNKNOWN)
    for chunk in chunks_of(texts):
        for ids in (encoded.ids for encoded in tokenizer.encode_batch_fast(chunk)):
            counts.append(len(ids))
            unknown += 0 if code is None else ids.count(code)
    return np.array(counts, np.int64), unknown


def chunks_of(texts: pa.Array) -> Iterator[list[str]]:
    """Yield a few texts at a time: Python strings and tokenized texts need many times the memory."""
    return (texts.slice(start, CHUNK).to_pylist() for start in range(0, len(texts), CHUNK))


def joined_lists(column: Column) -> Column:
    """Join lists of texts into one text per cell."""
    if not (column.is_list and pa.types.is_string(column.data.type.value_type)):
        return column
    lists = column.data.to_pylist()
    texts = [None if cell is None else "\n".join(text for text in cell if text is not None) for cell in lists]
    return Column(column.name, pa.array(texts, pa.string()), column.files)


def sample_of_texts(column: Column) -> list[str]:
    """Return some of the cells, or the items of some lists: many short names are not a long text."""
    sample = column.sample(500)
    if column.is_list:
        return [part for cell in sample for part in cell if isinstance(part, str)]
    return [str(value) for value in sample]


def count_words(text: str) -> int:
    return len(UNSPACED.findall(text)) + len(UNSPACED.sub(" ", text).split())
