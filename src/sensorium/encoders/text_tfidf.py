"""TF-IDF of words and bigrams, reduced to a dense vector. Learned once from training rows: fast, a strong baseline."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from sensorium.batch import Cells, Tokens
from sensorium.config import Fraction
from sensorium.encoders._tfidf import Tfidf
from sensorium.encoders._two_steps import TwoSteps

ACCEPTS = ("text", "document")


class TextTfidf(TwoSteps):
    """Latent semantic analysis (Deerwester et al. 1990) with a small network on top.

    ids (b, t) → TF-IDF (b, terms) → truncated SVD (b, dimensions) → one token (b, 1, size). The SVD
    never changes: its features are computed once and shared by all models of a table, like those of a frozen model.

    Args:
        vocabulary: number of token ids.
        dimensions: number of components of the SVD.
        bigrams: largest number of bigrams that are terms; the most frequent ones are chosen. 0 uses words alone.
        sublinear: whether a term that occurs k times counts 1 + ln k instead of k.
        size: width of the output token.
        dropout: dropout probability in the network on top of the features.
    """

    def __init__(
        self,
        vocabulary: int,
        *,
        dimensions: PositiveInt = 256,
        bigrams: NonNegativeInt = 20_000,
        sublinear: bool = True,
        size: PositiveInt = 128,
        dropout: Fraction = 0.1,
    ) -> None:
        backbone = Tfidf(vocabulary, dimensions, bigrams, sublinear)
        super().__init__(backbone, True, features=dimensions, size=size, dropout=dropout)

    def learn_features(self, cells: Iterable[Cells]) -> None:
        """Count words and bigrams, and decompose the matrix."""
        assert isinstance(self.backbone, Tfidf)
        self.backbone.learn(cells)

    def features(self, cells: Cells) -> Tensor:
        """Compute the features (b, dimensions) of cells."""
        return self.backbone(cells.values, cells.mask)

    def dense(self, cells: Cells) -> Tokens:
        assert isinstance(self.backbone, Tfidf)
        assert cells.mask is not None
        return self.from_features(Cells(self.backbone.dense(cells.values, cells.mask), cells.present))
