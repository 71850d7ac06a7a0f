"""Quantize weights to int8: a quarter of the memory, and integer products, which are faster on many CPUs.

Every row of a weight matrix has its own symmetric scale. Inputs are quantized to int8 as well, row by row at
inference (dynamic quantization, as in Jacob et al. 2018, arXiv:1712.05877, and Dettmers et al. 2022,
arXiv:2208.07339).
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from sensorium.model._int8 import Int8Embedding, Int8Linear

SMALLEST_QUANTIZED = 16_384  # elements of a matrix from which on quantization pays


def quantize(network: nn.Module) -> list[str]:
    """Replace large modules by int8 modules in place; return the names of the replaced modules."""
    names = [name for name, module in network.named_modules() if _pays(module) and not _inside_attention(network, name)]
    for name in names:
        network.set_submodule(name, _smaller(network.get_submodule(name)))
    return names


def expect_int8(network: nn.Module, names: Iterable[str]) -> None:
    """Replace the named modules of a new network by int8 modules, to load the weights of a quantized network."""
    for name in names:
        old = network.get_submodule(name)
        new: nn.Module
        if isinstance(old, nn.Linear):
            new = Int8Linear(old.in_features, old.out_features, old.bias is not None)
        else:
            assert isinstance(old, nn.Embedding)
            new = Int8Embedding(old.num_embeddings, old.embedding_dim)
        network.set_submodule(name, new)


def _pays(module: nn.Module) -> bool:
    """Return whether to quantize a module: a large one of exactly these classes, because subclasses may differ."""
    return (
        type(module) in (nn.Linear, nn.Embedding) and sum(p.numel() for p in module.parameters()) >= SMALLEST_QUANTIZED
    )


def _smaller(module: nn.Module) -> nn.Module:
    if isinstance(module, nn.Linear):
        return Int8Linear.of(module)
    assert isinstance(module, nn.Embedding)
    return Int8Embedding.of(module)


def _inside_attention(network: nn.Module, name: str) -> bool:
    """Return whether a module is inside PyTorch's attention layers, which read weights without calling the module."""
    owners = [name.rpartition(".")[0]]
    while owners[-1]:
        owners.append(owners[-1].rpartition(".")[0])
    return any(isinstance(network.get_submodule(o), nn.MultiheadAttention | nn.TransformerEncoderLayer) for o in owners)
