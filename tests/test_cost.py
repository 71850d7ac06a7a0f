"""What work costs is measured, not guessed; what can't be read is told to be unknown."""

import time

import numpy as np
import pytest
import torch

from sensorium import cost
from sensorium.cost import Meter

CPU = torch.device("cpu")


def test_memory_is_what_was_held_at_the_peak_and_given_back_since():
    with Meter(CPU) as meter:
        held = np.ones(40_000_000 // 8)
        time.sleep(0.3)
        del held
    assert 35 < meter.memory < 80
    assert meter.seconds > 0


def test_what_was_held_before_does_not_count():
    held = np.ones(40_000_000 // 8)
    with Meter(CPU) as meter:
        held[0] = 2
    assert meter.memory < 20


def test_without_a_place_to_read_memory_it_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(cost, "STATM", tmp_path / "none")
    with Meter(CPU) as meter:
        pass
    assert meter.memory is None


def test_energy_is_that_of_all_packages_and_counters_may_begin_again(monkeypatch, tmp_path):
    monkeypatch.setattr(cost, "POWERCAP", tmp_path)
    with Meter(CPU) as meter:
        pass
    assert meter.energy is None
    for number, (name, joules) in enumerate([("package-0", 90.0), ("package-1", 10.0), ("psys", 5.0)]):
        zone = tmp_path / f"intel-rapl:{number}"
        zone.mkdir()
        (zone / "name").write_text(f"{name}\n")
        (zone / "max_energy_range_uj").write_text("100000000\n")
        (zone / "energy_uj").write_text(f"{joules * 1e6:.0f}\n")
    with Meter(CPU) as meter:
        (tmp_path / "intel-rapl:0" / "energy_uj").write_text("5000000")
        (tmp_path / "intel-rapl:1" / "energy_uj").write_text("12000000")
        (tmp_path / "intel-rapl:2" / "energy_uj").write_text("99000000")
    assert meter.energy == pytest.approx(15 + 2)
