"""Give every tensor memory of its own, for files that hold no shared memory."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def unshared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors that share memory with an earlier one, such as tied weights: safetensors does not support them."""
    seen, found = set[int](), dict[str, Tensor]()
    for name, tensor in tensors.items():
        memory = tensor.untyped_storage().data_ptr()
        found[name] = tensor.clone() if memory in seen or tensor.numel() == 0 else tensor.contiguous()
        seen.add(memory)
    return found
