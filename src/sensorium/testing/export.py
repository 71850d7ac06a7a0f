"""Check that a member can be exported, and that the exported network predicts the same at other sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from sensorium.batch import Batch, Cells
from sensorium.encoders import Static
from sensorium.model import FusionModel, Tower, TowerPlan, build_encoder, dense_inputs, export_network
from sensorium.registry import KINDS, Entry, encoders, fusions, heads
from sensorium.testing.cells import make_cells

Part: TypeAlias = Literal["encoder", "fusion", "head"]

CLOSE = 1e-5
WIDTH, OUTPUTS = 8, 3
ROWS = 6  # of the example that is recorded
SIZES = (
    (1, 1.0),
    (2, 0.4),
    (5, 1.7),
    (9, 2.3),
)  # rows of other batches, and their steps as a multiple of the example's
BESIDE = (("vector", "vector_mlp"), ("tags", "tag_set"), ("text", "text_cnn"))  # quick towers, two with tokens


def check_export(part: Part, name: str, **options: Any) -> None:
    """Export a network with this member, and compare it with the usual forward on batches of other sizes.

    Modalities are missing in some rows of every batch. A member that cannot be exported declares the reason in its
    file, as a literal `EXPORT = "…"`, and passes.

    Args:
        part: `encoder`, `fusion` or `head`.
        name: registered name.
        **options: options of the member.

    Raises:
        AssertionError: a check fails; the message says which.

    Example:
        >>> from sensorium.testing import check_export
        >>> check_export("head", "linear")
    """
    entry = KINDS[part].entry(name)
    reason = entry.literal("EXPORT")
    if reason is not None:
        assert isinstance(reason, str) and reason, f"EXPORT in {entry.path.name} does not give a reason"
        return
    for network, batch in _networks(part, entry, options):
        _check(network, batch)


def _networks(part: Part, entry: Entry, options: dict[str, Any]) -> list[tuple[FusionModel, Batch]]:
    """Make a network for each set of modalities that an encoder accepts, or one for a fusion or a head."""
    torch.manual_seed(0)
    if part == "encoder":
        accepts, joint = entry.literal("ACCEPTS", ()), entry.literal("JOINT", False)
        groups = [list(accepts)] if joint else [[kind] for kind in accepts]
        return [_build([(kinds, entry.name, options)]) for kinds in groups]
    beside: list[tuple[list[str], str, dict[str, Any]]] = [([kind], encoder, {}) for kind, encoder in BESIDE]
    chosen: dict[str, Any] = {part: (entry.name, options)}
    return [_build(beside, **chosen)]


def _build(
    towers: Sequence[tuple[list[str], str, dict[str, Any]]],
    fusion: tuple[str, dict[str, Any]] = ("concat", {}),
    head: tuple[str, dict[str, Any]] = ("linear", {}),
) -> tuple[FusionModel, Batch]:
    """Build a network of these towers, and a batch for it."""
    kind = fusions.load(fusion[0])
    cells: dict[str, Cells] = {}
    parts = []
    for kinds, name, options in towers:
        encoder, own = _encoder(kinds, name, options)
        cells |= own
        width = encoder.width if kind.own_widths else OUTPUTS if kind.level == "decision" else WIDTH
        project = nn.Identity() if kind.own_widths else nn.Linear(encoder.width, width)
        parts.append(Tower(name, kinds, encoder, project))
    decides = kind.level == "decision"
    widths = [part.encoder.width if kind.own_widths else OUTPUTS if decides else WIDTH for part in parts]
    fused = kind(widths, OUTPUTS if decides else WIDTH, **fusion[1])
    last = nn.Identity() if decides else heads.load(head[0])(fused.width, OUTPUTS, **head[1])
    network = FusionModel(parts, fused, last, outputs=OUTPUTS).eval()
    return network, Batch(cells, torch.arange(len(next(iter(cells.values())).present)))


def _encoder(kinds: list[str], name: str, options: dict[str, Any]) -> tuple[Any, dict[str, Cells]]:
    member = encoders.load(name)
    preferred = member.preferred_options(options) if hasattr(member, "preferred_options") else {}
    cells, encoder_spec = make_cells(kinds, options=preferred)
    encoder = build_encoder(TowerPlan(name, kinds, name, options), encoder_spec, {})
    if isinstance(encoder, Static):
        encoder.learn_features([cells[0]])
    _settle(encoder)
    return encoder, dict(zip(kinds, cells, strict=True))


def _settle(encoder: nn.Module) -> None:
    """Set statistics of batch normalization that change its inputs, as after training."""
    for module in encoder.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]


def _check(network: FusionModel, batch: Batch) -> None:
    random = torch.Generator().manual_seed(0)
    program = export_network(network, _resize(batch, ROWS, 1.0, random)).module()
    for rows, factor in SIZES:
        other = _resize(batch, rows, factor, random)
        with torch.no_grad():
            usual, dense = network(other), network.forward_dense(other)
            recorded = program(dense_inputs(network, other))
        _compare(usual, dense, f"the dense forward of {rows} rows differs from the usual one")
        sizes = f"{rows} rows with {factor} times the steps"
        _compare(usual, recorded, f"the exported network differs from the usual one for {sizes}")


def _compare(usual: Tensor, other: Tensor, message: str) -> None:
    assert other.shape == usual.shape, f"{message}: the shape is {tuple(other.shape)}, not {tuple(usual.shape)}"
    far = float((usual - other).abs().max() / usual.abs().max().clamp_min(1))
    assert far <= CLOSE, f"{message}: by {far:.1e}"


def _resize(batch: Batch, rows: int, factor: float, random: torch.Generator) -> Batch:
    """Make a batch with other rows and lengths; cells are missing at random, but each row has one."""
    taken = torch.randint(len(batch.rows), (rows,), generator=random)
    missing = torch.rand(rows, len(batch.cells), generator=random) < 0.4
    keeper = torch.randint(len(batch.cells), (rows, 1), generator=random)
    missing.scatter_(1, keeper, False)
    found = {
        column: _change(cells.take(taken), ~missing[:, place], factor, random)
        for place, (column, cells) in enumerate(batch.cells.items())
    }
    return Batch(found, torch.arange(rows))


def _change(cells: Cells, there: Tensor, factor: float, random: torch.Generator) -> Cells:
    present, values = cells.present & there, cells.values
    if cells.mask is None:
        return Cells(_zero(values, present), present)
    steps = max(1, round(factor * values.shape[1]))
    lengths = torch.randint(1, steps + 1, present.shape, generator=random)
    mask = (torch.arange(steps) < lengths[:, None]) & present[:, None]
    repeated = values[:, torch.arange(steps) % int(cells.mask.sum(1).min().clamp_min(1))]
    return Cells(_zero(repeated, mask), present, mask)


def _zero(values: Tensor, keep: Tensor) -> Tensor:
    return torch.where(keep.reshape(*keep.shape, *[1] * (values.dim() - keep.dim())), values, 0)
