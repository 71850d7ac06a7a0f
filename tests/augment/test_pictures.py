"""Augmented pictures: what is drawn for a row holds for all of its pictures, and for no other row."""

import numpy as np
import pytest
import torch

from sensorium.augment import build_augmentation
from sensorium.batch import Cells
from sensorium.registry import augmentations

NAMES = [name for name, entry in augmentations.entries.items() if "image" in entry.literal("ACCEPTS")]
SIDE = 16


def call(name, values, seed=0, mask=None, **options):
    options = {"probability": 1.0, **options}
    cells = Cells(values, torch.ones(len(values), dtype=torch.bool), mask)
    return build_augmentation(name, {}, options)(cells, torch.Generator().manual_seed(seed)).values


def pictures(*shape, seed=0):
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_all_pictures_of_a_row_are_changed_alike(name, channels):
    first = pictures(5, SIDE, SIDE, channels)
    changed = call(name, first[:, None].expand(5, 4, SIDE, SIDE, channels))
    assert changed.shape == (5, 4, SIDE, SIDE, channels)
    for other in range(1, 4):
        assert torch.equal(changed[:, 0], changed[:, other])
    if name != "colour":  # its contrast goes by the mean of all the pictures of a row, which is rounded otherwise
        assert torch.equal(changed[:, 0], call(name, first))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "flip"])
def test_each_row_has_a_draw_of_its_own(name):
    changed = call(name, pictures(1, SIDE, SIDE, 3).expand(8, -1, -1, -1))
    assert len({row.numpy().tobytes() for row in changed}) > 4


@pytest.mark.parametrize("name", NAMES)
def test_padded_pictures_stay_and_change_no_other(name):
    mask = torch.tensor([[True, True, False], [True, False, False]])
    dark, bright = pictures(2, 3, SIDE, SIDE, 3), pictures(2, 3, SIDE, SIDE, 3, seed=1)
    bright[mask] = dark[mask]
    found = [call(name, values, mask=mask) for values in (dark, bright)]
    assert torch.equal(found[0][mask], found[1][mask])
    assert torch.equal(found[1][~mask], bright[~mask])


def test_a_shifted_picture_is_the_old_one_beside_repeated_edges():
    values = pictures(20, SIDE, SIDE, 3)
    for old, new in zip(values.numpy(), call("shift", values, max_shift=0.25).numpy(), strict=True):
        fitting = []
        for down in range(-4, 5):
            for right in range(-4, 5):
                ys, xs = (np.clip(np.arange(SIDE) + move, 0, SIDE - 1) for move in (down, right))
                fitting.append(np.array_equal(old[ys][:, xs], new))
        assert sum(fitting) == 1


@pytest.mark.parametrize(("direction", "axis"), [("horizontal", 2), ("vertical", 1)])
def test_a_flipped_picture_is_the_mirrored_one(direction, axis):
    values = pictures(3, SIDE, SIDE, 3)
    assert torch.equal(call("flip", values, direction=direction), values.flip(axis))


def test_half_of_the_pictures_are_flipped_by_chance():
    values = pictures(400, SIDE, SIDE, 1)
    flipped = (call("flip", values, probability=0.5) != values).flatten(1).any(1)
    assert 160 < int(flipped.sum()) < 240


def test_a_crop_shows_a_part_enlarged():
    """A ramp stays a ramp, and rises more slowly: from pixel to pixel by the share of the side that is shown."""
    ramp = (torch.arange(64) * 4).to(torch.uint8).expand(1, 64, 64)[..., None].expand(50, 64, 64, 1)
    slopes = call("crop", ramp, min_scale=0.5)[:, 32, 8:56, 0].float().diff().mean(1) / 4
    assert 0.49 < float(slopes.min()) < 0.6
    assert 0.9 < float(slopes.max()) <= 1.01


def test_a_picture_is_turned_by_no_more_than_the_degrees():
    """A bright point beside the middle: its angle tells the turn."""
    values = torch.zeros(60, 65, 65, 1, dtype=torch.uint8)
    values[:, 31:34, 55:58] = 255
    weight = call("rotate", values, degrees=30.0)[..., 0].float()
    at = torch.arange(65.0) - 32
    across, down = (weight.sum(1) * at).sum(1), (weight.sum(2) * at).sum(1)
    degrees = torch.atan2(down, across).rad2deg()
    assert 20 < float(degrees.abs().max()) < 31
    assert float(degrees.min()) < -10 < 10 < float(degrees.max())


def test_colours_stay_within_their_factors():
    grey = torch.full((200, 4, 4, 3), 100, dtype=torch.uint8)
    found = call("colour", grey, brightness=0.2, contrast=1.0, saturation=1.0).float()
    assert 80 <= float(found.min()) < 85 < 115 < float(found.max()) <= 120
    assert torch.equal(found.amin((1, 2, 3)), found.amax((1, 2, 3)))  # a plain grey has no contrast and no colour


def test_an_erased_rectangle_has_the_mean_and_the_area_that_was_set():
    values = pictures(100, 32, 32, 1)
    erased = call("erase", values, max_area=0.25)
    hidden = (erased != values)[..., 0]
    area = hidden.flatten(1).float().mean(1)
    assert 0.2 < float(area.max()) <= 0.3
    assert float(area.min()) < 0.06
    for row in range(100):
        rows, columns = (hidden[row].any(axis).nonzero().flatten() for axis in (1, 0))
        inside = erased[row, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert len(inside.unique()) == 1
        assert abs(float(inside.float().mean() - values[row].float().mean())) <= 0.5


@pytest.mark.parametrize("name", [name for name in NAMES if name != "colour"])
def test_a_picture_of_one_pixel_is_left(name):
    values = pictures(4, 1, 1, 3)
    assert torch.equal(call(name, values), values)
