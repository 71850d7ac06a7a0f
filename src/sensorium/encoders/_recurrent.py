"""Recurrent layers as a loop over steps, which an exported graph can contain."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

State: TypeAlias = tuple[Tensor, ...]  # of an LSTM output and cell, of a GRU its output; (b, h) each
Cell: TypeAlias = Callable[[State, Tensor], tuple[State, Tensor]]


def recurrent_states(rnn: nn.LSTM | nn.GRU, steps: Float[Tensor, "b t f"]) -> Float[Tensor, "b t h"]:
    """Return the output of a unidirectional, batch-first recurrent network at every step.

    `torch.export` unrolls `nn.LSTM` and `nn.GRU` for the length of its example. While a graph is traced, the same
    formulas therefore run as a scan, which accepts any length. It is many times slower in eager mode.
    """
    if not torch.compiler.is_compiling():
        return rnn(steps)[0]
    states = steps.transpose(0, 1)  # (t, b, f)
    for layer in range(rnn.num_layers):
        states = _scan(rnn, layer, states)
    return states.transpose(0, 1)


def _scan(rnn: nn.LSTM | nn.GRU, layer: int, steps: Tensor) -> Tensor:
    """Compute one layer: (t, b, f) → (t, b, h)."""
    from torch._higher_order_ops.scan import scan

    inputs, recurrent, input_bias, bias = (
        getattr(rnn, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    gates = nn.functional.linear(steps, inputs, input_bias)  # (t, b, gates · h)
    start = steps.new_zeros(steps.shape[1], rnn.hidden_size)
    if isinstance(rnn, nn.LSTM):
        return scan(_lstm(recurrent, bias), (start, start.clone()), gates)[1]
    return scan(_gru(recurrent, bias), (start,), gates)[1]


def _lstm(weight: Tensor, bias: Tensor) -> Cell:
    def step(state: State, gates: Tensor) -> tuple[State, Tensor]:
        output, cell = state
        enter, forget, new, leave = (gates + nn.functional.linear(output, weight, bias)).chunk(4, 1)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        output = leave.sigmoid() * cell.tanh()
        return (output, cell), output.clone()

    return step


def _gru(weight: Tensor, bias: Tensor) -> Cell:
    def step(state: State, gates: Tensor) -> tuple[State, Tensor]:
        (output,) = state
        reset, update, new = gates.chunk(3, 1)
        own_reset, own_update, own_new = nn.functional.linear(output, weight, bias).chunk(3, 1)
        new = (new + (reset + own_reset).sigmoid() * own_new).tanh()
        output = new + (update + own_update).sigmoid() * (output - new)
        return (output,), output.clone()

    return step
