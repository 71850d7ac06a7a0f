"""Hashes of weights, which runs and caches of features store."""

import hashlib

import numpy as np
import pytest
import torch

from sensorium.encoders import hash_weights

pytestmark = pytest.mark.unit


def test_names_and_bytes_of_all_states_are_hashed_in_their_order():
    first = {"a": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "steps": torch.tensor(7)}
    second = {"b": torch.tensor([0.5], dtype=torch.bfloat16)}
    content = b"name" + b"a" + np.float32([1, 2, 3, 4]).tobytes() + b"steps" + np.int64(7).tobytes() + b"b\x00\x3f"
    assert hash_weights(first, second, name="name") == hashlib.sha256(content).hexdigest()
    transposed = {**first, "a": first["a"].T.contiguous().T}  # the same values, laid out otherwise
    assert hash_weights(transposed, second) == hash_weights(first, second) != hash_weights(second, first)
