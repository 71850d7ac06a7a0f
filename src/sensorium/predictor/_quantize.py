"""Quantize the weights of a fitted model to int8."""

from __future__ import annotations

import copy
from dataclasses import replace

from sensorium.errors import ConfigError
from sensorium.model import SMALLEST_QUANTIZED, FittedModel, quantize


def quantize_fitted(fitted: FittedModel, *, place: str) -> FittedModel:
    """Return a copy of the model whose large weight matrices are int8.

    Raises:
        ConfigError: no matrix is large enough, the model is already quantized, or it is an ensemble.
    """
    if fitted.int8:
        raise ConfigError("the model is already quantized", place=place)
    if fitted.others:
        raise ConfigError("quantization does not support ensembles", place=place)
    network = copy.deepcopy(fitted.network).cpu().eval()
    names = quantize(network)
    if not names:
        rule = f"a weight matrix has {SMALLEST_QUANTIZED:,} elements or more"
        raise ConfigError("nothing to quantize: every weight matrix is too small", place=place, rule=rule)
    return replace(fitted, network=network, int8=names, card=fitted.card.updated(int8=len(names)))
