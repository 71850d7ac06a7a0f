"""TF-IDF of words and bigrams, reduced by a truncated singular value decomposition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from sensorium.batch import Cells

OVERSAMPLING, ROUNDS = 10, 5  # of the randomised decomposition
SMALLEST = 1e-6  # deviation below which a component is one that no training text has
Texts = list[tuple[Tensor, Tensor]]  # ids (b, t) and which of them are real


class Tfidf(nn.Module):
    """Latent semantic analysis (Deerwester et al. 1990) with components of equal scale: ids (b, t) → (b, dimensions).

    The weight of a term is tf · idf with idf = ln((1 + n) / (1 + df)) + 1; the weights of a text have length 1.
    Everything is learned in one pass over the training texts and stored in buffers, whose sizes depend on these texts.

    Args:
        vocabulary: number of token ids; each id is a term.
        dimensions: number of components.
        bigrams: maximum number of bigrams that are terms, too; the most frequent ones are chosen.
        sublinear: whether tf is 1 + ln(count) instead of the count.
    """

    idf: Tensor
    pairs: Tensor
    components: Tensor
    mean: Tensor
    learnt_sizes = ("idf", "pairs", "components", "mean")  # of the buffers

    def __init__(self, vocabulary: int, dimensions: int, bigrams: int, sublinear: bool) -> None:
        super().__init__()
        self.vocabulary, self.dimensions, self.bigrams, self.sublinear = vocabulary, dimensions, bigrams, sublinear
        self.register_buffer("idf", torch.zeros(vocabulary))
        self.register_buffer("pairs", torch.zeros(0, dtype=torch.int64))  # sorted keys: first · vocabulary + second
        self.register_buffer("components", torch.zeros(vocabulary, dimensions))
        self.register_buffer("mean", torch.zeros(dimensions))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        terms, weights = self.weigh(ids, mask)
        bags = nn.functional.embedding_bag(terms, self.components, mode="sum", per_sample_weights=weights)
        return bags - self.mean

    def dense(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Compute the same for export, with all vectors in memory: `embedding_bag` is exported for one size only."""
        terms, weights = self.weigh(ids, mask)
        return torch.einsum("bs,bsd->bd", weights, nn.functional.embedding(terms, self.components)) - self.mean

    def weigh(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return terms (b, s) and their weights; the weight of a repeated term is divided among its occurrences."""
        terms, real = self._terms(ids, mask)
        counts = ((terms[:, :, None] == terms[:, None, :]) & real[:, None, :]).sum(2).clamp_min(1)  # (b, s)
        each = (1 + counts.log() if self.sublinear else counts) * self.idf[terms] * real
        norm = (each.square() / counts).sum(1, keepdim=True).sqrt().clamp_min(1e-12)
        return terms, each / counts / norm

    def learn(self, cells: Iterable[Cells]) -> None:
        """Choose bigrams, count the texts with each term, and decompose the matrix."""
        texts: Texts = [(found.values.long(), found.mask) for found in cells if found.mask is not None]
        count = sum(len(ids) for ids, _ in texts)
        self.pairs = self._frequent_pairs(texts)
        frequencies = sum(self._frequencies(ids, mask) for ids, mask in texts)
        self.idf = torch.log((1 + count) / (1 + torch.as_tensor(frequencies))) + 1
        matrix = self._matrix(texts, count)
        found = truncated_svd(matrix, self.dimensions)
        scores = torch.sparse.mm(matrix, found)  # (n, k)
        deviation = scores.std(0, correction=0)
        known = deviation > SMALLEST
        scale = torch.where(known, 1 / deviation.clamp_min(SMALLEST), 0)
        self.components, self.mean = (self._filled(part) for part in (found * scale, scores.mean(0) * scale))

    def _terms(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return words, then bigrams that are terms, (b, 2t) or (b, t), and their mask."""
        words = ids.long()
        if not len(self.pairs):
            return words, mask
        keys, both = self._keys(words, mask)
        places = torch.searchsorted(self.pairs, keys).clamp_max(len(self.pairs) - 1)
        real = both & (self.pairs[places] == keys)
        return torch.cat([words, self.vocabulary + places], 1), torch.cat([mask, real], 1)

    def _keys(self, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the bigram of each word and the next, (b, t), and their mask; the last word has no bigram."""
        after, real = nn.functional.pad(words, (0, 1))[:, 1:], nn.functional.pad(mask, (0, 1))[:, 1:]
        return words * self.vocabulary + after, mask & real

    def _frequent_pairs(self, texts: Texts) -> Tensor:
        """Return the bigrams that occur in the most texts, and in at least two, as sorted keys."""
        if not self.bigrams:
            return torch.zeros(0, dtype=torch.int64)
        seen = [
            torch.cat([keys[row][both[row]].unique() for row in range(len(keys))] or [keys[:0, 0]])
            for keys, both in (self._keys(*text) for text in texts)
        ]
        keys, counts = torch.cat(seen).unique(return_counts=True)
        order = counts.argsort(descending=True, stable=True)[: self.bigrams]
        return keys[order[counts[order] > 1]].sort().values

    def _frequencies(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Count the texts of a batch that contain each term."""
        terms, real = self._terms(ids, mask)
        total = self.vocabulary + len(self.pairs)
        rows = torch.arange(len(terms))[:, None] * total + terms
        return torch.bincount(rows[real].unique() % total, minlength=total)

    def _matrix(self, texts: Texts, count: int) -> Tensor:
        """Return the weights of all texts, sparse (n, terms)."""
        places, values, start = list[Tensor](), list[Tensor](), 0
        for ids, mask in texts:
            terms, weights = self.weigh(ids, mask)
            rows = (start + torch.arange(len(terms)))[:, None].expand_as(terms)
            there = weights > 0
            places.append(torch.stack([rows[there], terms[there]]))
            values.append(weights[there])
            start += len(terms)
        shape = (count, self.vocabulary + len(self.pairs))
        found = torch.sparse_coo_tensor(torch.cat(places, 1), torch.cat(values), shape, check_invariants=True)
        return found.coalesce()

    def _filled(self, found: Tensor) -> Tensor:
        """Compute the components; if there are fewer texts than dimensions, the remaining components are zero."""
        return nn.functional.pad(found, (0, self.dimensions - found.shape[-1]))

    def _check(self, idf: Tensor, pairs: Tensor, components: Tensor, mean: Tensor) -> None:
        """Raise ValueError if buffers to load do not match each other."""
        terms = self.vocabulary + len(pairs)
        shapes = [tuple(part.shape) for part in (idf, components, mean)]
        if shapes != [(terms,), (terms, self.dimensions), (self.dimensions,)] or bool((pairs.diff() <= 0).any()):
            raise ValueError(f"the buffers of TF-IDF do not match each other: {shapes} with {len(pairs)} pairs")

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Load the state; the buffers get the sizes of the saved ones."""
        for name, own in self.named_buffers(recurse=False):
            if prefix + name in state:
                setattr(self, name, torch.empty_like(state[prefix + name], device=own.device))
        if all(prefix + name in state for name in self.learnt_sizes):
            self._check(*(state[prefix + name] for name in self.learnt_sizes))
        super()._load_from_state_dict(state, prefix, *rest)


def truncated_svd(matrix: Tensor, rank: int) -> Tensor:
    """Compute the right singular vectors (m, k) of a sparse matrix (n, m), k the smallest of `rank`, n and m.

    Uses subspace iteration from a random start with a fixed seed (Halko et al. 2011, arXiv:0909.4061).
    """
    turned = matrix.t().coalesce()
    width = min(rank + OVERSAMPLING, *matrix.shape)
    start = torch.randn(matrix.shape[1], width, generator=torch.Generator().manual_seed(0))
    basis = torch.linalg.qr(torch.sparse.mm(matrix, start)).Q
    for _ in range(ROUNDS):
        basis = torch.linalg.qr(torch.sparse.mm(turned, basis)).Q
        basis = torch.linalg.qr(torch.sparse.mm(matrix, basis)).Q
    within = torch.sparse.mm(turned, basis)  # (m, width)
    return torch.linalg.svd(within, full_matrices=False).U[:, : min(rank, width)]
