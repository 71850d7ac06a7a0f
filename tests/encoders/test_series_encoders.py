"""Encoders of time series: joint channels, padding, causality, what they learn."""

import numpy as np
import pytest
import torch
from torch import nn

from sensorium.batch import Cells
from sensorium.encoders._steps import align
from sensorium.encoders.gru import GRU
from sensorium.encoders.patch_transformer import PatchTransformer
from sensorium.encoders.tcn import TCN, layers_to_see
from sensorium.errors import ConfigError
from sensorium.testing import check_encoder

pytestmark = pytest.mark.unit

KINDS = [TCN, GRU, PatchTransformer]
FACTS = {"channels": 1, "steps": 40}


def series(lengths, steps=None, seed=0):
    """Random values beside marks of 1, zeros after each row's length; length 0 is a missing cell."""
    random = np.random.default_rng(seed)
    steps = steps or max(lengths)
    values = np.zeros((len(lengths), steps, 2), np.float32)
    for row, length in enumerate(lengths):
        values[row, :length, 0] = random.normal(size=length)
        values[row, :length, 1] = 1
    mask = torch.arange(steps) < torch.tensor(lengths)[:, None]
    return Cells(torch.from_numpy(values), torch.tensor(lengths) > 0, mask)


def build(kind, columns=1, **options):
    torch.manual_seed(0)
    return kind([FACTS] * columns, **options).eval()


def test_the_last_steps_of_a_rows_series_stand_together():
    long, short = series([4, 2, 0]), series([2, 3, 1], steps=5, seed=1)
    steps, mask = align([long, short])
    assert mask.sum(1).tolist() == [4, 3, 1]
    assert torch.equal(steps[0, :4, :2], long.values[0, :4])
    assert torch.equal(steps[0, 2:4, 2:], short.values[0, :2])
    assert torch.equal(steps[1, 1:3, :2], long.values[1, :2])
    assert (steps[0, :2, 2:] == 0).all() and (steps[1, 0, :2] == 0).all() and (steps[2, :, :2] == 0).all()
    assert (steps[~mask] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_more_padding_and_what_it_holds_change_nothing(kind):
    lengths, others = [30, 11, 1, 0], [7, 20, 0, 3]
    encoder = build(kind, columns=2)
    expected = encoder(series(lengths), series(others, seed=1))
    longer = series(lengths, steps=64)
    dirty = Cells(torch.where(longer.mask[..., None], longer.values, 9.0), longer.present, longer.mask)
    found = encoder(dirty, series(others, steps=33, seed=1))
    assert found.mask.sum(1).tolist() == expected.mask.sum(1).tolist()
    assert torch.allclose(found.pooled(), expected.pooled(), atol=1e-5)
    kept = expected.values.shape[1]
    assert torch.allclose(found.values[:, :kept], expected.values, atol=1e-5)
    assert (found.values[~found.mask] == 0).all()


@pytest.mark.parametrize("kind", [TCN, GRU])
@torch.no_grad()
def test_a_token_knows_nothing_of_later_steps(kind):
    cells = series([20, 20])
    encoder = build(kind)
    before = encoder(cells).values[:, :12]
    cells.values[:, 12:, 0] += 3
    assert torch.allclose(encoder(cells).values[:, :12], before, atol=1e-6)


@torch.no_grad()
def test_the_last_step_sees_as_many_steps_as_said():
    assert [layers_to_see(n, 3) for n in (1, 5, 6, 13, 14, 1021, 10**6)] == [1, 1, 2, 2, 3, 8, 8]
    torch.manual_seed(0)
    encoder = TCN([{"channels": 1, "steps": 13}]).eval()
    cells = series([20])
    expected = encoder(cells).pooled()
    seen = []
    for step in range(20):
        moved = Cells(cells.values.clone(), cells.present, cells.mask)
        moved.values[0, step, 0] += 5
        seen.append(not torch.equal(encoder(moved).pooled(), expected))
    assert seen == [False] * 7 + [True] * 13


@torch.no_grad()
def test_patches_end_at_the_last_step_and_hold_every_step():
    encoder = build(PatchTransformer, patch=4, stride=2)
    cells = series([9, 4, 1])
    patches, mask = encoder.patches(*align([cells]))
    assert mask.sum(1).tolist() == [4, 1, 1]
    of_row = patches[0].reshape(4, 2, 4)[:, 0]  # (patches, steps)
    row = np.concatenate([[0], cells.values[0, :, 0].numpy()])
    assert of_row.numpy().tolist() == [row[start : start + 4].tolist() for start in (0, 2, 4, 6)]
    assert patches[2, 0].tolist() == [0, 0, 0, cells.values[2, 0, 0].item(), 0, 0, 0, 1]


def test_patches_that_leave_steps_out_are_refused():
    with pytest.raises(ConfigError, match="stride of 5 skips steps"):
        build(PatchTransformer, patch=4, stride=5)
    with pytest.raises(ConfigError, match="heads"):
        build(PatchTransformer, heads=3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_sign_of_a_trend_is_learnt(kind):
    random = np.random.default_rng(0)
    labels = torch.from_numpy(random.integers(0, 2, 300)).float()
    cells = series(random.integers(10, 40, 300).tolist())
    slope = (2 * labels - 1)[:, None] * torch.linspace(-1, 1, cells.values.shape[1])
    cells.values[..., 0] += torch.where(cells.mask, slope - slope.mean(1, keepdim=True), 0)
    encoder = build(kind)
    head = nn.Linear(encoder.width, 1)
    optimiser = torch.optim.Adam([*encoder.parameters(), *head.parameters()], 0.005)
    for _ in range(12):
        for rows in torch.arange(200).split(50):
            loss = nn.functional.binary_cross_entropy_with_logits(
                head(encoder(cells.take(rows)).pooled())[:, 0], labels[rows]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    test = torch.arange(200, 300)
    with torch.no_grad():
        right = (head(encoder(cells.take(test)).pooled())[:, 0] > 0) == (labels[test] > 0.5)
    assert right.float().mean() > 0.75


@pytest.mark.parametrize(
    ("name", "options"),
    [("tcn", {"kernel": 2, "layers": 1}), ("gru", {"layers": 2}), ("patch_transformer", {"patch": 1, "stride": 1})],
)
def test_contract_with_other_options(name, options):
    check_encoder(name, **options)
