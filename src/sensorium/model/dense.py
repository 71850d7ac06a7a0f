"""Forward pass that depends on tensors only, which `torch.export` can record for any number of rows and steps.

The usual forward encodes only the rows that have a modality, so its control flow depends on the data. The dense forward
sends every row through every encoder and masks missing values. Its inputs are fixed: for each column `values`,
`present` and, where cells differ in length, `mask`, as `Cells` holds them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from sensorium.batch import Batch, Cells
from sensorium.errors import ConfigError
from sensorium.model._blueprint import Blueprint
from sensorium.model.network import FusionModel
from sensorium.model.own_modules import OWN_FUSION
from sensorium.registry import encoders, fusions, heads

Inputs: TypeAlias = dict[str, dict[str, Tensor]]  # column → values, present and perhaps mask

# Sizes below 2 would be recorded as constants.
FEWEST = 2


class DenseModel(nn.Module):
    """Dense forward of a network: inputs → logits (b, k).

    Args:
        network: the network, in evaluation mode.
    """

    def __init__(self, network: FusionModel) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, inputs: Inputs) -> Tensor:
        cells = {column: Cells(**tensors) for column, tensors in inputs.items()}
        rows = next(iter(cells.values())).present
        return self.network.forward_dense(Batch(cells, torch.arange(rows.shape[0], device=rows.device)))


def dense_inputs(network: FusionModel, batch: Batch) -> Inputs:
    """Return the tensors of a batch, column by column, in the order in which the network reads them."""
    columns = [column for tower in network.every_tower for column in tower.columns]
    return {column: _tensors(batch.cells[column]) for column in columns}


def export_network(network: FusionModel, batch: Batch) -> torch.export.ExportedProgram:
    """Record the dense forward of a network for any number of rows, and of steps where cells differ in length.

    The program takes one argument, such as `dense_inputs` makes. A row without any modality gets NaN or an arbitrary
    number.

    Args:
        network: the network; it is switched to evaluation mode.
        batch: an example batch; one row is enough.

    Raises:
        ConfigError: the network cannot be recorded, with the reason.
    """
    example = {column: _enlarge(tensors) for column, tensors in dense_inputs(network, batch).items()}
    try:
        return _record(DenseModel(network), example)
    # PyTorch has no common class of errors for code that cannot be recorded.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"torch.export cannot record the network: {reason}"[:400],
            place=", ".join(name for name, _ in network.parts),
            rule="shapes may depend on sizes of the inputs, control flow may not depend on their values",
        ) from error


def check_exportable(blueprint: Blueprint) -> None:
    """Check that every part of a network can be exported.

    Raises:
        ConfigError: an encoder, the fusion or the head declares that it cannot (`EXPORT` in its file).
    """
    fusion = blueprint.fusion
    reasons_of = [encoders.entry(tower.encoder).literal("EXPORT") for tower in blueprint.towers]
    # What holds for the user's own encoder holds for the user's own fusion.
    entry = encoders.entry("module") if fusion.startswith(OWN_FUSION) else fusions.entry(fusion)
    reasons_of.append(entry.literal("EXPORT"))
    parts = zip(blueprint.part_names(), [*reasons_of, heads.entry(blueprint.head).literal("EXPORT")], strict=True)
    reasons = {part: reason for part, reason in parts if reason}
    if reasons:
        raise ConfigError(
            "; ".join(f"{part} cannot be exported: {reason}" for part, reason in reasons.items()),
            place="export",
            cure="fit a model without it; `sensorium list encoders NAME` shows whether one can be exported",
        )


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Disable the fused attention layer of PyTorch within a `with` block, so that attention is recorded."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _record(model: DenseModel, example: Inputs) -> torch.export.ExportedProgram:
    """Record a model. Constraints on sizes that PyTorch cannot prove are checked when the program runs."""
    with torch.no_grad(), warnings.catch_warnings(), _plain_attention():
        warnings.simplefilter("ignore")  # PyTorch's own, about itself
        return torch.export.export(
            model,
            (example,),
            dynamic_shapes=(_dynamic(example, model.network),),
            prefer_deferred_runtime_asserts_over_guards=True,
        )


def _tensors(cells: Cells) -> dict[str, Tensor]:
    tensors = {"values": cells.values, "present": cells.present}
    return tensors if cells.mask is None else tensors | {"mask": cells.mask}


def _enlarge(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Repeat a single row and lengthen a single step, so that no size counts as a constant."""
    if len(tensors["present"]) < FEWEST:
        tensors = {name: value.repeat(FEWEST, *[1] * (value.dim() - 1)) for name, value in tensors.items()}
    more = FEWEST - tensors["mask"].shape[1] if "mask" in tensors else 0
    if more <= 0:
        return dict(tensors)
    values = tensors["values"]
    longer = {"values": pad(values, (*[0] * (2 * values.dim() - 3), more)), "mask": pad(tensors["mask"], (0, more))}
    return {**tensors, **longer}


def _dynamic(example: Inputs, network: FusionModel) -> dict[str, dict[str, Any]]:
    """Return the dynamic sizes of the inputs: the rows of all columns together, and the steps of each column."""
    rows = torch.export.Dim("rows", min=1)
    longest = {name: getattr(tower.encoder, "longest", None) for tower in network.every_tower for name in tower.columns}
    sizes: dict[str, dict[str, Any]] = {}
    for place, (column, tensors) in enumerate(example.items()):
        steps = {1: torch.export.Dim(f"steps_{place}", min=1, max=longest[column])} if "mask" in tensors else {}
        sizes[column] = {name: {0: rows, **(steps if name != "present" else {})} for name in tensors}
    return sizes
