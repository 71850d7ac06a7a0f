"""Find near duplicates in near-linear time.

Each item has several keys (*bands*); an item is compared only with its neighbours among items of the same key.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.table import Rows

WINDOW = 16  # followers under the same key that a thing is compared with
AT_ONCE = 4096  # pairs
SIDE = 32  # pixels of the grey pictures that are compared
LOW = 8  # waves a direction that a picture's hash keeps
WAVE = 0.03  # share of a picture's contrast from which a wave is there: about zero its sign would be noise
ORDERS, SHARED = 16, 14  # in which pictures are sorted, and bits that those compared begin with
CORRELATED = 0.985  # of like pictures' pixels
SHINGLE = 7  # characters
SIGNATURE, BANDS = 64, 16
ALIKE = 0.8  # share of shingles that like texts have in common
LONGEST = 10_000  # characters of a text that are looked at

Keys: TypeAlias = npt.NDArray[np.uint64]
Alike: TypeAlias = Callable[[Rows, Rows], npt.NDArray[np.bool_]]


def near_groups(bands: Keys, alike: Alike, shared: int = 64) -> Rows:
    """Return int64[n]: items with the same number are nearly the same.

    All members of a group are similar to its leader. Items that are similar only to a member are not included: over
    many steps, anything becomes similar to anything.

    Args:
        bands: uint64[n, b]; items are compared if their values at the same position begin with the same bits.
        alike: returns, pair by pair, whether two items are alike.
        shared: number of bits that must agree.
    """
    found = [pairs for band in bands.T for pairs in _compare(band, alike, np.uint64(64 - shared))]
    group, members = np.arange(len(bands)), set[int]()
    for leader, member in np.unique(np.concatenate([np.zeros((0, 2), np.int64), *found]), axis=0).tolist():
        if group[leader] == leader and group[member] == member and member not in members:
            group[member] = leader
            members.add(leader)
    return group


def _compare(band: Keys, alike: Alike, rest: np.uint64) -> Iterator[Rows]:
    """Return int64[m, 2]: pairs of one key that are alike, the lower number first."""
    order = np.argsort(band, kind="stable")
    band = band[order] >> rest
    for step in range(1, min(WINDOW, len(order) - 1) + 1):
        together = np.flatnonzero(band[step:] == band[:-step])
        for start in range(0, len(together), AT_ONCE):
            first = together[start : start + AT_ONCE]
            pairs = np.stack([order[first], order[first + step]], 1)
            yield pairs[alike(pairs[:, 0], pairs[:, 1])]


def near_pictures(pictures: npt.NDArray[np.uint8]) -> Rows:
    """Return int64[n]: groups of similar images, regardless of their size, file format and compression.

    The signs of the lowest frequencies of a cosine transform make 64 bits (after Zauner, Implementation and
    benchmarking of perceptual image hash functions, 2010). Sorted by these bits in several orders, similar images are
    next to each other (Manku et al., Detecting near-duplicates for web crawling, 2007); those whose pixels correlate
    are alike. An image of a single colour matches no other.

    Args:
        pictures: uint8[n, 32, 32], grey.
    """
    flat = pictures.reshape(len(pictures), SIDE * SIDE).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    flat /= np.maximum(norms, SIDE)
    waves = _cosines() @ flat.reshape(-1, SIDE, SIDE) @ _cosines().T  # (n, 8, 8)
    bits = waves.reshape(len(flat), LOW * LOW) > WAVE
    random = np.random.default_rng(0)
    places = np.uint64(1) << np.arange(LOW * LOW, dtype=np.uint64)
    bands = bits.astype(np.uint64) @ np.stack([random.permutation(places) for _ in range(ORDERS)], 1)

    def alike(one: Rows, other: Rows) -> npt.NDArray[np.bool_]:
        return np.einsum("np,np->n", flat[one], flat[other]) >= CORRELATED

    return near_groups(bands, alike, SHARED)


def _cosines() -> npt.NDArray[np.float32]:
    """Return float32[8, 32]: the lowest frequencies of an orthonormal cosine transform (without the constant)."""
    places = (np.arange(SIDE) + 0.5) * np.pi / SIDE
    return (np.cos(np.arange(LOW)[:, None] * places) * (2 / SIDE) ** 0.5).astype(np.float32)


def near_texts(texts: Sequence[str]) -> Rows:
    """Return int64[n]: groups of texts that share four fifths of their 7-character shingles, ignoring case and spaces.

    MinHash signatures in bands (Broder, On the resemblance and containment of documents, 1997); the share is
    estimated from 64 minima, so a pair near the limit may fall on either side.
    """
    signatures = np.stack([_signature(text) for text in texts]) if texts else np.zeros((0, SIGNATURE), np.uint32)
    parts = signatures.reshape(-1, BANDS, SIGNATURE // BANDS).astype(np.uint64)
    mixed = parts @ _odd(parts.shape[2], 2)

    def alike(one: Rows, other: Rows) -> npt.NDArray[np.bool_]:
        return (signatures[one] == signatures[other]).mean(1) >= ALIKE

    return near_groups(mixed, alike)


def _signature(text: str) -> npt.NDArray[np.uint32]:
    """Return uint32[64]: the smallest of each of 64 hashes over the text's shingles."""
    plain = " ".join(unicodedata.normalize("NFKC", text[:LONGEST]).casefold().split())
    codes = np.frombuffer(plain.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    codes = np.pad(codes, (0, max(0, SHINGLE - len(codes))))
    shingles = np.unique(np.lib.stride_tricks.sliding_window_view(codes, SHINGLE) @ _odd(SHINGLE, 0))
    shingles ^= shingles >> np.uint64(29)
    hashed = _odd(SIGNATURE, 1)[:, None] * shingles
    return (hashed >> np.uint64(32)).min(1).astype(np.uint32)


def _odd(count: int, seed: int) -> Keys:
    """Return fixed random multipliers."""
    return np.random.default_rng(seed).integers(2**63, size=count, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
