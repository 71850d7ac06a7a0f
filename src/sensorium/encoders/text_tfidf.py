"""TF-IDF of words and bigrams, reduced to a dense vector: learnt once of the training rows, quick, hard to beat."""

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
    """Latent semantic analysis (Deerwester et al. 1990) under a small network.

    ids (b, t) → TF-IDF (b, terms) → truncated SVD (b, dimensions) → one token (b, 1, size). What is left of the SVD is
    static: its features are computed once and shared by all models of a table, as those of a frozen model are.

    Args:
        vocabulary: number of token ids.
        dimensions: components kept of the SVD.
        bigrams: most pairs of neighbouring words that count as terms, the most frequent ones; 0: words alone.
        sublinear: a term that comes k times counts 1 + ln k, else k.
        size: width of the token that comes out.
        dropout: in the network over the features.
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
        """Count words and pairs, and decompose."""
        assert isinstance(self.backbone, Tfidf)
        self.backbone.learn(cells)

    def features(self, cells: Cells) -> Tensor:
        """Cells → (b, dimensions)."""
        return self.backbone(cells.values, cells.mask)

    def dense(self, cells: Cells) -> Tokens:
        assert isinstance(self.backbone, Tfidf)
        assert cells.mask is not None
        return self.from_features(Cells(self.backbone.dense(cells.values, cells.mask), cells.present))
