"""Mean of embedded words and hashed n-grams, as in fastText. Fast; trained with the rest of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Fraction

ACCEPTS = ("text", "document")
FACTOR, SHIFT = 6364136223846793005, 33  # h ← (h + id) · FACTOR at 64 bits; its upper half is mixed well
NGRAMS = {"word": (2,), "character": (3, 4, 5)}
Lengths = Annotated[tuple[Annotated[int, Field(gt=0, le=256)], ...], Field(min_length=1, max_length=16)]  # a loop each
LONGEST = 1024  # characters kept of a text, where they are the tokens


class TextHashed(nn.Module):
    """fastText (Joulin et al. 2016, "Bag of Tricks for Efficient Text Classification", arXiv:1607.01759).

    ids (b, t) → words, and each n-gram's bucket → embeddings → tokens (b, t, size), each the mean of the word and
    n-grams that begin at its position; the summary is the mean of all words and n-grams of the text. N-grams in the
    same bucket share an embedding.

    Args:
        vocabulary: number of token ids.
        unit: n-grams of words, or of characters (Bojanowski et al. 2016, arXiv:1607.04606). The modality then splits
            texts into characters, unless its settings say otherwise.
        ngrams: up to 16 lengths of n-grams besides 1, each at most 256; by default 2 for words, 3 to 5 for characters.
        buckets: number of embeddings of n-grams.
        size: width of an embedding.
        dropout: dropout probability of the embedded words and n-grams.
    """

    def __init__(
        self,
        vocabulary: int,
        *,
        unit: Literal["word", "character"] = "word",
        ngrams: Lengths | None = None,
        buckets: PositiveInt = 50_000,
        size: PositiveInt = 64,
        dropout: Fraction = 0.2,
    ) -> None:
        super().__init__()
        self.width, self.vocabulary, self.buckets = size, vocabulary, buckets
        self.ngrams = ngrams or NGRAMS[unit]
        self.embed = nn.Embedding(vocabulary + buckets, size)
        self.dropout = nn.Dropout(dropout)
        nn.init.uniform_(self.embed.weight, -1 / size, 1 / size)

    @staticmethod
    def preferred_options(options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options of the modality: characters, and longer texts than of words."""
        return {"unit": "character", "length": LONGEST} if options.get("unit") == "character" else {}

    def forward(self, cells: Cells) -> Tokens:
        assert cells.mask is not None
        ids, counts = cells.values.long(), cells.mask.long()
        total = self._embedded(ids, cells.mask)
        for length in self.ngrams:
            # An n-gram is real where its last word is; those that reach beyond the text end in padding.
            real = nn.functional.pad(cells.mask, (0, length - 1))[:, length - 1 :]
            total = total + self._embedded(self.vocabulary + self._bucket(ids, length), real)
            counts = counts + real.long()
        summary = total.sum(1) / counts.sum(1, keepdim=True)
        return Tokens(total / counts.clamp_min(1)[..., None], cells.mask, summary)

    def _embedded(self, places: Tensor, real: Tensor) -> Tensor:
        return self.dropout(self.embed(places)) * real[..., None]

    def _bucket(self, ids: Tensor, length: int) -> Tensor:
        """Return (b, t): the bucket of the n-gram that begins at each position."""
        steps, longer = ids.shape[1], nn.functional.pad(ids, (0, length - 1))
        found = torch.zeros_like(ids)
        for place in range(length):
            found = (found + longer[:, place : place + steps]) * FACTOR
        return (found >> SHIFT) % self.buckets
