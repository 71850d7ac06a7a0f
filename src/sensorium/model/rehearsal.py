"""Run parts that are not Sensorium's on a few made rows, before any file is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import torch
from torch import Tensor, nn

from sensorium.batch import Batch, Cells, PackedCells, Tokens
from sensorium.config import check_options
from sensorium.encoders.module import sample_cells
from sensorium.findings import Problems
from sensorium.modalities import Modality
from sensorium.model._blueprint import Blueprint, TowerPlan
from sensorium.model._build_encoder import build_encoder
from sensorium.model._build_fusion import fusion_kind
from sensorium.model._tower import Tower
from sensorium.model.network import FusionModel
from sensorium.model.own_modules import OWN_FUSION, OwnModules, plain_fusion
from sensorium.prepare import Prepared
from sensorium.prepare.loader import Loader
from sensorium.registry import encoders, fusions, heads
from sensorium.registry.failures import member_error, shape_of
from sensorium.table import Column, Files
from sensorium.tasks import Task

CellsOrPacked = TypeVar("CellsOrPacked", bound=Cells | PackedCells)
NOT_FINITE = "the result contains NaN or infinity"
ROWS, STEPS = 3, 2  # of the made rows; batch normalisation needs more than one row


def rehearse_parts(
    network: FusionModel | None, blueprint: Blueprint, learnt: Mapping[str, Modality], task: Task, own: OwnModules
) -> None:
    """Run the encoders, the fusion and the head that other packages or the user define; the others are not run.

    Their results must be finite: training would end at a loss that is not a number, and could not say whose it is.

    Args:
        network: the network on the device `meta`; without it, only the encoders are run.
        blueprint, learnt, task, own: what the network is built from.

    Raises:
        MemberError: a part returns another type or shape than its contract says.
        Exception: a part raises; `explain_member_errors` names it.
    """
    with torch.random.fork_rng(), torch.device("cpu"):
        for tower in blueprint.towers:
            if tower.encoder == "module" and network is not None:
                _rehearse_module(tower, learnt, own)
            elif tower.encoder != "module" and not encoders.is_builtin(tower.encoder):
                _rehearse_encoder(tower, learnt)
        if network is None:
            return
        is_builtin = not blueprint.fusion.startswith(OWN_FUSION) and fusions.is_builtin(blueprint.fusion)
        if not is_builtin:
            _rehearse_fusion(network, blueprint, task, own.copied())
        if not heads.is_builtin(blueprint.head) and isinstance(network.fusion.width, int):
            _rehearse_head(blueprint, network.fusion.width, task)


def _rehearse_encoder(tower: TowerPlan, learnt: Mapping[str, Modality]) -> None:
    columns = {name: learnt[name] for name in tower.columns}
    encoder = build_encoder(tower, {name: modality.encoder_spec() for name, modality in columns.items()}, {})
    batch = zero_batch(columns, ROWS)
    batch = batch.with_cells({name: filled(cells) for name, cells in batch.cells.items()})
    cells = Tower(tower.name, tower.columns, encoder, nn.Identity()).inputs(batch)
    if not isinstance(getattr(encoder, "width", None), int):
        raise member_error("encoder", tower.encoder, "__init__", "self.width, the width of its tokens, is not set")
    found, given = encoder(*cells), ", ".join(map(shape_of, cells))
    if not isinstance(found, Tokens):
        finding = f"the result is {shape_of(found)}, not Tokens"
        raise member_error("encoder", tower.encoder, "forward", finding, given=given)
    if found.pooled().shape != (ROWS, encoder.width):
        finding = f"the summary of the tokens is {shape_of(found.pooled())}, not (b, width) = ({ROWS}, {encoder.width})"
        raise member_error("encoder", tower.encoder, "forward", finding, given=given)
    if not (_is_finite(found.values) or _is_finite(encoder(*map(varied, cells)).values)):
        raise member_error("encoder", tower.encoder, "forward", NOT_FINITE, given=given)


def _rehearse_module(tower: TowerPlan, learnt: Mapping[str, Modality], own: OwnModules) -> None:
    """Check that the user's own module returns finite values; its form was checked when it was built."""
    specs = {name: learnt[name].encoder_spec() for name in tower.columns}
    encoder = build_encoder(tower, specs, own.copied().encoders).eval()
    cells = sample_cells(specs[tower.columns[0]])
    with torch.no_grad():
        if not (_is_finite(encoder(cells).values) or _is_finite(encoder(varied(cells)).values)):
            given, name = f"values: {shape_of(cells.values)}", type(encoder.module).__name__
            raise member_error("encoder", name, "forward", NOT_FINITE, given=given, passed=True)


def _rehearse_fusion(network: FusionModel, blueprint: Blueprint, task: Task, own: OwnModules) -> None:
    kind, name = fusion_kind(blueprint.fusion, own), plain_fusion(blueprint.fusion)
    width = task.outputs if kind.level == "decision" else blueprint.width
    widths = [getattr(tower.project, "out_features", tower.encoder.width) for tower in network.every_tower]
    fusion = kind.build(widths, width, blueprint.fusion_options)
    if not isinstance(getattr(fusion, "width", None), int):
        raise member_error("fusion", name, "__init__", "self.width, the width of the fused vector, is not set")
    tokens = [_tokens(each, STEPS if kind.level == "token" else 1) for each in widths]
    present = torch.ones(ROWS, len(tokens), dtype=torch.bool)
    present[0, 1:] = False  # a row with one modality only
    given = f"tokens: {shape_of(tokens)}, present: {shape_of(present)}"
    _check_shape(fusion(tokens, present), (ROWS, fusion.width), "(b, width)", ("fusion", name, "forward", given))
    if kind.level == "decision" and fusion.width != task.outputs:
        finding = f"its width is {fusion.width}, but it fuses {task.outputs} logits"
        raise member_error("fusion", name, "__init__", finding, given=f"widths: {widths}, width: {width}")
    weights = fusion.modality_weights(tokens, present)
    if weights is not None:
        _check_shape(weights, (ROWS, len(tokens)), "(b, m)", ("fusion", name, "modality_weights", given))


def _rehearse_head(blueprint: Blueprint, width: int, task: Task) -> None:
    kind = heads.load(blueprint.head)
    head = kind(width, task.outputs, **check_options(kind, blueprint.head_options, f"head {blueprint.head!r}"))
    rows = torch.randn(ROWS, width)
    step = ("head", blueprint.head, "forward", f"fused: {shape_of(rows)}")
    _check_shape(head(rows), (ROWS, task.outputs), "(b, k)", step)


def _check_shape(found: Any, expected: tuple[int, int], axes: str, step: tuple[str, str, str, str]) -> None:
    if not isinstance(found, Tensor) or found.shape != expected:
        kind, name, method, given = step
        finding = f"the result is {shape_of(found)}, not {axes} = {expected}"
        raise member_error(kind, name, method, finding, given=given)
    if not _is_finite(found):
        kind, name, method, given = step
        raise member_error(kind, name, method, NOT_FINITE, given=given)


def _is_finite(found: Tensor) -> bool:
    return bool(torch.isfinite(found).all())


def _tokens(width: int, steps: int) -> Tokens:
    return Tokens(torch.randn(ROWS, steps, width), torch.ones(ROWS, steps, dtype=torch.bool))


def zero_cells(learnt: Mapping[str, Modality], rows: int) -> Prepared:
    """Make prepared columns of missing cells, in the shapes that the modalities produce."""
    encoded = {
        name: modality.encode(Column(name, pa.nulls(rows, pa.string()), Files(Path())))
        for name, modality in learnt.items()
    }
    return Prepared(encoded, Problems())


def zero_batch(learnt: Mapping[str, Modality], rows: int) -> Batch:
    """Make a batch of missing cells, in the shapes that the modalities produce."""
    return Loader(zero_cells(learnt, rows), None, torch.device("cpu")).batch(torch.arange(rows))


def filled(cells: Cells) -> Cells:
    """Mark every cell and every step as present."""
    mask = None if cells.mask is None else torch.ones_like(cells.mask)
    return Cells(cells.values, torch.ones_like(cells.present), mask)


def varied(cells: CellsOrPacked) -> CellsOrPacked:
    """Return cells of random values: a part that divides by the deviation of constant ones is not at fault."""
    generator = torch.Generator().manual_seed(0)
    values = cells.values
    if values.dtype == torch.uint8:
        values = torch.randint(0, 256, values.shape, generator=generator, dtype=torch.uint8)
    elif values.is_floating_point():
        values = torch.randn(values.shape, generator=generator, dtype=values.dtype)
    return replace(cells, values=values)
