"""Quantize the weights of a fitted model to int8."""

from __future__ import annotations

import copy
from dataclasses import replace

from sensorium.errors import ConfigError
from sensorium.model import SMALLEST_QUANTIZED, FittedModel, Member, NetworkMember, quantize


def quantize_fitted(fitted: FittedModel, *, place: str) -> FittedModel:
    """Return a copy of the model whose networks have large weight matrices as int8; other members stay as they are.

    Raises:
        ConfigError: no matrix is large enough, the model is already quantized, or it has no network.
    """
    if fitted.int8:
        raise ConfigError("the model is already quantized", place=place)
    if not fitted.networks:
        rule = "a model with a network; classical members are not quantized"
        raise ConfigError("nothing to quantize: the model has no network", place=place, rule=rule)
    small = replace(fitted, members=[_quantized(member) for member in fitted.members])
    if not small.int8:
        rule = f"a weight matrix has {SMALLEST_QUANTIZED:,} elements or more"
        raise ConfigError("nothing to quantize: every weight matrix is too small", place=place, rule=rule)
    return replace(small, card=fitted.card.updated(int8=len(small.int8)))


def _quantized(member: Member) -> Member:
    """Return the member with int8 weights if it is a network."""
    if not isinstance(member, NetworkMember):
        return member
    network = copy.deepcopy(member.network).cpu().eval()
    return replace(member, network=network, int8=quantize(network))
