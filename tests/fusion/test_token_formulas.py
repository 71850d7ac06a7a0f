"""Fusions of tokens against loops over rows, tokens and heads in NumPy."""

import math

import numpy as np
import pytest
import torch

from sensorium.batch import Tokens
from sensorium.errors import ConfigError
from sensorium.registry import fusions

pytestmark = pytest.mark.unit

B, M, D, HEADS = 5, 3, 8, 2
LENGTHS = (4, 1, 2)
PRESENT = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 1], [0, 0, 1], [1, 1, 0]], bool)


def build(name, **options):
    """Random weights, in double precision."""
    torch.manual_seed(0)
    module = fusions.load(name)([D] * M, D, heads=HEADS, **options).double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.5)
    return module, {key: value.detach().numpy() for key, value in module.state_dict().items()}


@pytest.fixture(scope="module")
def cells():
    """Values and masks; each present modality has one real token or more, among padding."""
    random = np.random.default_rng(1)
    masks = [random.random((B, t)) < 0.7 for t in LENGTHS]
    for mask in masks:
        mask[:, 0] = True
    return [random.normal(size=(B, t, D)) for t in LENGTHS], masks


def fuse(module, cells):
    tokens = [Tokens(torch.from_numpy(v), torch.from_numpy(m)) for v, m in zip(*cells, strict=True)]
    with torch.no_grad():
        return module(tokens, torch.from_numpy(PRESENT)).numpy()


def real(cells, row, modality):
    """[t, d]: the tokens that are no padding."""
    values, masks = cells
    return values[modality][row][masks[modality][row]]


def norm(x, w, name):
    normal = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return normal * w[f"{name}.weight"] + w[f"{name}.bias"]


def linear(x, w, name):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def block(x, context, w, name):
    """One layer on one row: x [q, d], context [s, d], all real."""
    part = D // HEADS
    query = linear(norm(x, w, f"{name}.norm"), w, f"{name}.query")
    both = linear(norm(context, w, f"{name}.norm"), w, f"{name}.key_value").reshape(len(context), HEADS, 2, part)
    found = np.zeros_like(x)
    for q in range(len(x)):
        for h in range(HEADS):
            scores = np.exp(both[:, h, 0] @ query[q, h * part : (h + 1) * part] / math.sqrt(part))
            found[q, h * part : (h + 1) * part] = (scores / scores.sum()) @ both[:, h, 1]
    x = x + linear(found, w, f"{name}.out")
    hidden = linear(norm(x, w, f"{name}.perceptron.0"), w, f"{name}.perceptron.1")
    hidden = hidden * 0.5 * (1 + np.vectorize(math.erf)(hidden / np.sqrt(2)))
    return x + linear(hidden, w, f"{name}.perceptron.4")


def joint(cells, row, w):
    return np.concatenate([real(cells, row, m) + w["whose"][m] for m in range(M) if PRESENT[row, m]])


def test_transformer(cells):
    module, w = build("transformer", layers=2)
    found = fuse(module, cells)
    for row in range(B):
        x = np.concatenate([w["front"][0], joint(cells, row, w)])
        for layer in range(2):
            x = block(x, x, w, f"blocks.{layer}")
        assert found[row] == pytest.approx(norm(x[0], w, "norm"), abs=1e-6)


def test_perceiver(cells):
    module, w = build("perceiver", layers=2, latents=3)
    found = fuse(module, cells)
    for row in range(B):
        x = w["latents"]
        for layer in range(2):
            x = block(x, joint(cells, row, w), w, f"read.{layer}")
            x = block(x, x, w, f"think.{layer}")
        assert found[row] == pytest.approx(norm(x.mean(0), w, "norm"), abs=1e-6)


def test_bottleneck(cells):
    module, w = build("bottleneck", layers=3, latents=2)
    found = fuse(module, cells)
    for row in range(B):
        there = [m for m in range(M) if PRESENT[row, m]]
        streams = {m: np.concatenate([w["front"][m], real(cells, row, m)]) for m in there}
        latents = w["latents"]
        for layer in range(3):
            seen = {m: np.concatenate([streams[m], latents]) for m in there}
            after = {m: block(x, x, w, f"layers.{layer}.{m}") for m, x in seen.items()}
            streams = {m: x[:-2] for m, x in after.items()}
            latents = np.mean([x[-2:] for x in after.values()], 0)
        expected = norm(np.mean([x[0] for x in streams.values()], 0), w, "norm")
        assert found[row] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("pairs", [None, ((0, 1), (2, 0), (2, 1))])
def test_cross_attention(cells, pairs):
    module, w = build("cross_attention", pairs=pairs)
    pairs = pairs or [(i, j) for i in range(M) for j in range(M) if i != j]
    found = fuse(module, cells)
    for row in range(B):
        vectors = []
        for m in np.flatnonzero(PRESENT[row]):
            own = real(cells, row, m)
            seen = [
                block(own, real(cells, row, j), w, f"look.{place}")
                for place, (i, j) in enumerate(pairs) if i == m and PRESENT[row, j]
            ]  # fmt: skip
            x = np.mean(seen, 0) if seen else own
            vectors.append(block(x, x, w, f"think.{m}").mean(0))
        assert found[row] == pytest.approx(norm(np.mean(vectors, 0), w, "norm"), abs=1e-6)


@pytest.mark.parametrize("pairs", [((0, 3),), ((1, 1),)])
def test_pairs_that_are_none_are_refused(pairs):
    with pytest.raises(ConfigError, match=r"not a pair of 3 modalities"):
        build("cross_attention", pairs=pairs)
